import { type Content, html } from '../html.ts'
import { inTime, listOf } from './format.ts'
import type { Messages } from './messages.ts'

const locale = 'fr' as const

/** With no-break spaces (`\u00a0`, and the narrow `\u202f`) where French has them before its punctuation. */
export const fr = {
  locale,
  direction: 'ltr',

  common: {
    sign_in: 'Se connecter',
    sign_out: 'Se déconnecter',
    cancel: 'Annuler',
    continue: 'Continuer',
    allow: 'Autoriser',
    deny: 'Refuser',
    to_continue_to: (client: Content) => html`pour continuer vers ${client}`,
    may_close: 'Vous pouvez fermer cette page.',
    error: (title: Content) => html`Erreur\u00a0: ${title}`,
    username: 'Nom d’utilisateur',
    password: 'Mot de passe',
    busy: 'Le service est très sollicité. Attendez quelques secondes, puis réessayez.',
    too_many_attempts: (seconds: number) => `Trop de tentatives. Réessayez ${inTime(locale, seconds)}.`,
  },

  form: {
    optional: '(facultatif)',
    check: 'Veuillez vérifier ces informations',
    problem_of: (label: string, problem: string) => `${label}\u00a0: ${problem}`,
    show: 'Afficher',
    hide: 'Masquer',
    show_password: 'Afficher le mot de passe',
    hide_password: 'Masquer le mot de passe',
  },

  account: { label: 'Compte\u00a0: ' },

  client: {
    unchecked: 'Non vérifiée par un administrateur',
    registered_itself: 'Cette application s’est enregistrée elle-même, sous un nom de son choix.',
    comes_from: (host: Content) => html`Ses informations proviennent de ${host}.`,
    go_on_only_if: 'Ne continuez que si vous venez de la lancer vous-même et que vous lui faites confiance.',
    website: 'Site web',
    privacy_policy: 'Politique de confidentialité',
    terms: 'Conditions d’utilisation',
    about: 'À propos de l’application',
  },

  permissions: {
    heading: 'L’application pourrait alors',
    use: (scope: Content) => html`Utiliser ${scope}`,
    details: (claims: readonly string[]) => `Voir ces informations vous concernant\u00a0: ${listOf(locale, claims)}`,
    act_on: (type: Content) => html`Agir sur ${type}`,
    nothing: 'Savoir que vous avez donné votre accord, et rien d’autre',
    is_new: 'nouveau',
    at: (services: number): string => (services === 1 ? 'Auprès de ce service' : 'Auprès de ces services'),
  },

  scopes: {
    openid: 'Savoir que c’est bien vous qui vous connectez',
    profile: 'Voir votre profil\u00a0: nom, photo, date de naissance, langue, etc.',
    email: 'Voir votre adresse e-mail',
    address: 'Voir votre adresse postale',
    phone: 'Voir votre numéro de téléphone',
    offline_access: 'Conserver cet accès en votre absence, jusqu’à ce que vous le retiriez',
  },

  claims: {
    name: 'nom complet',
    given_name: 'prénom',
    family_name: 'nom de famille',
    middle_name: 'deuxième prénom',
    nickname: 'surnom',
    preferred_username: 'nom d’utilisateur',
    profile: 'page de profil',
    picture: 'photo',
    website: 'site web',
    email: 'adresse e-mail',
    email_verified: 'si l’adresse e-mail est vérifiée',
    gender: 'genre',
    birthdate: 'date de naissance',
    zoneinfo: 'fuseau horaire',
    locale: 'langue',
    phone_number: 'numéro de téléphone',
    phone_number_verified: 'si le numéro de téléphone est vérifié',
    address: 'adresse postale',
    updated_at: 'date de la dernière modification',
  },

  login: {
    again: 'Vous êtes déjà connecté. Saisissez de nouveau votre mot de passe pour confirmer que c’est bien vous.',
    username_or_email: 'Nom d’utilisateur ou adresse e-mail',
    not_you: 'Ce n’est pas vous\u202f?',
    remember: 'Garder ma session ouverte sur cet appareil',
    refused: 'Le nom d’utilisateur ou le mot de passe est incorrect.',
  },

  signed_in: {
    title: 'Votre session est ouverte',
    lead: 'Les applications qui utilisent ce serveur peuvent vous laisser entrer sans redemander votre mot de passe.',
  },

  select_account: {
    title: 'Choisir un compte',
    continue_as: (name: Content) => html`Continuer en tant que ${name}`,
    other: 'Utiliser un autre compte',
  },

  consent: {
    title: (client: Content) => html`Autoriser ${client} à utiliser votre compte\u202f?`,
    goes_to: (host: Content) => html`Dans les deux cas, vous poursuivrez vers ${host}.`,
    goes_to_this_device: (host: Content) =>
      html`Dans les deux cas, vous poursuivrez vers une application de cet appareil, ${host}.`,
  },

  device: {
    title: 'Connecter un appareil',
    lead: 'Saisissez le code affiché par votre appareil.',
    code: 'Code de l’appareil',
    same_code: 'Vérifiez que votre appareil affiche le même code.',
    any_case: 'En majuscules ou en minuscules, avec ou sans trait d’union.',
    wrong_code: 'Ce code est incorrect ou n’est plus valable. Vérifiez ce qu’affiche votre appareil.',
    confirm: 'Connecter cet appareil\u202f?',
    asks: (client: Content) =>
      html`${client} demande à utiliser votre compte sur un appareil qui affiche ce code\u00a0:`,
    asked_from: 'Demandé depuis',
    says_it_is: 'Se présente comme',
    only_if: 'Ne continuez que si vous êtes à l’origine de cette demande',
    somebody_else:
      'Si quelqu’un vous a envoyé le code ou un lien vers cette page, cette personne accéderait à votre compte\u00a0: refusez.',
    approved: 'L’appareil est connecté',
    denied: 'L’appareil a été refusé',
    goes_on: (client: Content) => html`${client} poursuit sur votre appareil dans quelques secondes.`,
    no_access: (client: Content) => html`${client} n’a pas obtenu l’accès à votre compte.`,
  },

  logout: {
    title: 'Se déconnecter\u202f?',
    client_asks: (client: Content) =>
      html`${client} demande à vous déconnecter ici, et de tout ce à quoi vous vous êtes connecté depuis ce site.`,
    lead: 'Vous serez déconnecté ici, et de tout ce à quoi vous vous êtes connecté depuis ce site.',
    stay: 'Rester connecté',
    done: 'Vous êtes déconnecté',
    back_to: (client: Content) => html`Retour vers ${client}`,
    frame: 'Déconnexion en cours',
  },

  form_post: {
    title: 'Un instant',
    lead: 'Vous retournez maintenant à l’application. Si rien ne se passe, continuez vous-même.',
  },

  interaction_gone: {
    title: 'Cette page n’est plus à jour',
    lead: 'Vous avez déjà effectué cette étape, ou elle a attendu trop longtemps. Il n’y a pas eu d’erreur et rien n’est perdu.',
    go_back: 'Retournez à l’application que vous vouliez utiliser.',
    go_back_to: (client: Content) => html`Retournez à ${client}.`,
    sign_in_there: 'Si vous n’y êtes pas encore connecté, connectez-vous de nouveau à partir de là.',
  },

  error: {
    reason: 'Motif',
    reference: 'Référence',
    sign_out_here: 'Se déconnecter ici',
    go_on_to: (host: Content) => html`Continuer vers ${host}`,
    not_allowed: 'Cette action n’est pas autorisée',
    not_allowed_advice: 'Rien n’a été modifié. Rouvrez la page et recommencez à partir de là.',
    not_found: 'Il n’y a rien ici',
    not_found_advice: 'Vérifiez l’adresse ou suivez de nouveau le lien.',
    busy: 'Service momentanément très sollicité',
    busy_advice: 'Rien n’a été modifié. Attendez quelques secondes, revenez en arrière et réessayez.',
    fault: 'Une erreur s’est produite',
    fault_advice: 'Réessayez plus tard. Si cela se reproduit, transmettez la référence ci-dessous.',
    client: 'Vous ne pouvez pas vous connecter depuis cette application',
    client_advice:
      'L’application qui vous a envoyé ici a commis une erreur. Rien ne lui a été transmis. Revenez en arrière et réessayez\u202f; si cela se reproduit, transmettez le motif et la référence au responsable de l’application.',
    malformed: 'Cette demande n’a pas pu être comprise',
    malformed_advice: 'Rien n’a été modifié. Revenez en arrière, vérifiez et réessayez.',
    sign_out: 'Vous n’êtes pas encore déconnecté',
    sign_out_address:
      'L’application qui vous a envoyé ici pour vous déconnecter a indiqué une adresse de retour qui n’est pas enregistrée ici. Vous pouvez tout de même vous déconnecter ici. Si cela se reproduit, transmettez le motif et la référence au responsable de l’application.',
    sign_out_request:
      'L’application qui vous a envoyé ici pour vous déconnecter a commis une erreur dans sa demande. Vous pouvez tout de même vous déconnecter ici. Si cela se reproduit, transmettez le motif et la référence au responsable de l’application.',
  },

  setup: {
    title: 'Créer l’administrateur',
    lead: 'Ce compte peut tout gérer. Le lien ne sert qu’une fois.',
    email: 'Adresse e-mail',
    password_hint: (min_length: number) => `Au moins ${min_length} caractères\u00a0: quelques mots suffisent.`,
    submit: 'Créer le compte',
    username_problem: (most: number) =>
      `Un nom d’utilisateur comporte de 1 à ${most} caractères, sans caractère de contrôle.`,
    email_problem: 'Ceci n’est pas une adresse e-mail.',
    taken: 'Ceci appartient à un autre compte.',
    gone: 'Ce lien n’est plus valable',
    gone_lead:
      'Un lien d’installation sert une seule fois, pendant une heure, tant qu’il n’y a pas d’administrateur. Si vous venez de créer le compte, vous avez terminé.',
    gone_remedy: 'Sinon, cette commande affiche un nouveau lien là où Gatehouse s’exécute\u00a0:',
    done: 'Gatehouse est installé',
    done_lead: 'Le compte de l’administrateur est prêt. Le lien a rempli son rôle.',
    next: 'Et maintenant',
    next_quickstart: 'Voyez tout fonctionner, de la connexion à la révocation\u00a0:',
    next_token: 'Obtenez un jeton pour votre compte\u00a0:',
    next_jwks: 'Donnez cette adresse à vos API, pour qu’elles vérifient les jetons\u00a0:',
  },

  passwords: {
    malformed: 'Ce mot de passe n’est pas un texte valide. Saisissez-le de nouveau.',
    control_character: 'Ce mot de passe contient un saut de ligne ou un autre caractère de contrôle.',
    too_short: (min_length: number) =>
      `Ce mot de passe est trop court. Il faut au moins ${min_length} caractères\u202f; quelques mots à la suite conviennent bien.`,
    too_long: (max_bytes: number) => `Ce mot de passe est trop long. Il peut compter au plus ${max_bytes} octets.`,
    common: 'Ce mot de passe fait partie des premiers essayés. Choisissez-en un autre.',
    contains_identifier: 'Ce mot de passe contient le nom d’utilisateur ou l’adresse e-mail.',
    contains_product_name: 'Ce mot de passe contient le nom de ce service.',
  },

  home: {
    title: 'C’est ici que vous vous connectez',
    lead: 'Les applications vous envoient ici et vous accueillent à votre retour. Vous pouvez aussi vous connecter dès maintenant.',
    demo: 'Démo pour développeurs',
  },
} satisfies Messages
