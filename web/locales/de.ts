import { type Content, html } from '../html.ts'
import { inTime, listOf } from './format.ts'
import type { Messages } from './messages.ts'

const locale = 'de' as const

export const de = {
  locale,
  direction: 'ltr',

  common: {
    sign_in: 'Anmelden',
    sign_out: 'Abmelden',
    cancel: 'Abbrechen',
    continue: 'Weiter',
    allow: 'Erlauben',
    deny: 'Ablehnen',
    to_continue_to: (client: Content) => html`weiter zu ${client}`,
    may_close: 'Sie können diese Seite schließen.',
    error: (title: Content) => html`Fehler: ${title}`,
    username: 'Benutzername',
    password: 'Passwort',
    busy: 'Gerade ist viel los. Warten Sie ein paar Sekunden und versuchen Sie es dann noch einmal.',
    too_many_attempts: (seconds: number) =>
      `Zu viele Versuche. Versuchen Sie es ${inTime(locale, seconds)} noch einmal.`,
  },

  form: {
    optional: '(freiwillig)',
    check: 'Bitte prüfen Sie diese Angaben',
    problem_of: (label: string, problem: string) => `${label}: ${problem}`,
    show: 'Anzeigen',
    hide: 'Verbergen',
    show_password: 'Passwort anzeigen',
    hide_password: 'Passwort verbergen',
  },

  account: { label: 'Konto: ' },

  client: {
    unchecked: 'Von keinem Administrator geprüft',
    registered_itself: 'Diese Anwendung hat sich selbst registriert, unter einem selbst gewählten Namen.',
    comes_from: (host: Content) => html`Die Angaben über sie stammen von ${host}.`,
    go_on_only_if: 'Fahren Sie nur fort, wenn Sie sie gerade selbst gestartet haben und ihr vertrauen.',
    website: 'Website',
    privacy_policy: 'Datenschutz',
    terms: 'Nutzungsbedingungen',
    about: 'Über die Anwendung',
  },

  permissions: {
    heading: 'Die Anwendung könnte dann',
    use: (scope: Content) => html`${scope} verwenden`,
    details: (claims: readonly string[]) => `Diese Angaben über Sie sehen: ${listOf(locale, claims)}`,
    act_on: (type: Content) => html`${type} ausführen`,
    nothing: 'Wissen, dass Sie es erlaubt haben, und sonst nichts',
    is_new: 'neu',
    at: (services: number): string => (services === 1 ? 'Bei diesem Dienst' : 'Bei diesen Diensten'),
  },

  scopes: {
    openid: 'Wissen, dass Sie es sind, wenn Sie sich anmelden',
    profile: 'Ihr Profil sehen: Name, Bild, Geburtstag, Sprache und Ähnliches',
    email: 'Ihre E-Mail-Adresse sehen',
    address: 'Ihre Postanschrift sehen',
    phone: 'Ihre Telefonnummer sehen',
    offline_access: 'Diesen Zugriff auch in Ihrer Abwesenheit behalten, bis Sie ihn widerrufen',
  },

  claims: {
    name: 'vollständiger Name',
    given_name: 'Vorname',
    family_name: 'Nachname',
    middle_name: 'zweiter Vorname',
    nickname: 'Spitzname',
    preferred_username: 'Benutzername',
    profile: 'Profilseite',
    picture: 'Bild',
    website: 'Website',
    email: 'E-Mail-Adresse',
    email_verified: 'ob die E-Mail-Adresse bestätigt ist',
    gender: 'Geschlecht',
    birthdate: 'Geburtsdatum',
    zoneinfo: 'Zeitzone',
    locale: 'Sprache',
    phone_number: 'Telefonnummer',
    phone_number_verified: 'ob die Telefonnummer bestätigt ist',
    address: 'Postanschrift',
    updated_at: 'wann diese Angaben zuletzt geändert wurden',
  },

  login: {
    again: 'Sie sind angemeldet. Geben Sie Ihr Passwort noch einmal ein, um zu bestätigen, dass Sie es sind.',
    username_or_email: 'Benutzername oder E-Mail-Adresse',
    not_you: 'Nicht Sie?',
    remember: 'Auf diesem Gerät angemeldet bleiben',
    refused: 'Der Benutzername oder das Passwort stimmt nicht.',
  },

  signed_in: {
    title: 'Sie sind angemeldet',
    lead: 'Anwendungen, die diesen Server nutzen, können Sie ohne erneute Eingabe Ihres Passworts einlassen.',
  },

  select_account: {
    title: 'Konto auswählen',
    continue_as: (name: Content) => html`Weiter als ${name}`,
    other: 'Anderes Konto verwenden',
  },

  consent: {
    title: (client: Content) => html`Darf ${client} Ihr Konto nutzen?`,
    goes_to: (host: Content) => html`In beiden Fällen geht es weiter zu ${host}.`,
    goes_to_this_device: (host: Content) =>
      html`In beiden Fällen geht es weiter zu einer Anwendung auf diesem Gerät, ${host}.`,
  },

  device: {
    title: 'Gerät verbinden',
    lead: 'Geben Sie den Code ein, den Ihr Gerät anzeigt.',
    code: 'Gerätecode',
    same_code: 'Prüfen Sie, ob Ihr Gerät denselben Code anzeigt.',
    any_case: 'Groß oder klein geschrieben, mit oder ohne Bindestrich.',
    wrong_code: 'Dieser Code stimmt nicht oder gilt nicht mehr. Prüfen Sie, was Ihr Gerät anzeigt.',
    confirm: 'Dieses Gerät verbinden?',
    asks: (client: Content) => html`${client} möchte Ihr Konto auf einem Gerät nutzen, das diesen Code anzeigt:`,
    asked_from: 'Angefragt von',
    says_it_is: 'Gibt sich aus als',
    only_if: 'Fahren Sie nur fort, wenn Sie dies selbst begonnen haben',
    somebody_else:
      'Wenn Ihnen jemand den Code oder einen Link zu dieser Seite geschickt hat, bekäme diese Person Zugang zu Ihrem Konto: Lehnen Sie ab.',
    approved: 'Das Gerät ist verbunden',
    denied: 'Das Gerät wurde abgelehnt',
    goes_on: (client: Content) => html`${client} macht in wenigen Sekunden auf Ihrem Gerät von selbst weiter.`,
    no_access: (client: Content) => html`${client} hat keinen Zugriff auf Ihr Konto erhalten.`,
  },

  logout: {
    title: 'Abmelden?',
    client_asks: (client: Content) =>
      html`${client} möchte Sie hier abmelden, und überall, wo Sie sich von hier aus angemeldet haben.`,
    lead: 'Sie werden hier abgemeldet, und überall, wo Sie sich von hier aus angemeldet haben.',
    stay: 'Angemeldet bleiben',
    done: 'Sie haben sich abgemeldet',
    back_to: (client: Content) => html`Zurück zu ${client}`,
    frame: 'Abmeldung läuft',
  },

  form_post: {
    title: 'Einen Moment',
    lead: 'Es geht nun zurück zur Anwendung. Wenn nichts geschieht, gehen Sie selbst weiter.',
  },

  interaction_gone: {
    title: 'Diese Seite ist veraltet',
    lead: 'Sie haben diesen Schritt schon erledigt, oder er hat zu lange gewartet. Es ist nichts schiefgegangen und nichts verloren.',
    go_back: 'Gehen Sie zurück zu der Anwendung, die Sie nutzen wollten.',
    go_back_to: (client: Content) => html`Gehen Sie zurück zu ${client}.`,
    sign_in_there: 'Falls Sie dort noch nicht angemeldet sind, melden Sie sich von dort aus noch einmal an.',
  },

  error: {
    reason: 'Grund',
    reference: 'Kennung',
    sign_out_here: 'Hier abmelden',
    go_on_to: (host: Content) => html`Weiter zu ${host}`,
    not_allowed: 'Das ist nicht erlaubt',
    not_allowed_advice: 'Es wurde nichts geändert. Öffnen Sie die Seite neu und beginnen Sie dort noch einmal.',
    not_found: 'Hier ist nichts',
    not_found_advice: 'Prüfen Sie die Adresse, oder folgen Sie dem Link noch einmal.',
    busy: 'Gerade ist viel los',
    busy_advice:
      'Es wurde nichts geändert. Warten Sie ein paar Sekunden, gehen Sie zurück und versuchen Sie es noch einmal.',
    fault: 'Etwas ist schiefgegangen',
    fault_advice:
      'Versuchen Sie es später noch einmal. Wenn es wieder geschieht, geben Sie die Kennung weiter, die unten steht.',
    client: 'Von dort aus können Sie sich nicht anmelden',
    client_advice:
      'Die Anwendung, die Sie hierher geschickt hat, hat einen Fehler gemacht. Sie hat nichts von Ihnen erfahren. Gehen Sie zurück und versuchen Sie es noch einmal; wenn es wieder geschieht, geben Sie Grund und Kennung an den Betreiber der Anwendung weiter.',
    malformed: 'Das war nicht zu verstehen',
    malformed_advice:
      'Es wurde nichts geändert. Gehen Sie zurück, prüfen Sie Ihre Angaben und versuchen Sie es noch einmal.',
    sign_out: 'Sie sind noch nicht abgemeldet',
    sign_out_address:
      'Die Anwendung, die Sie zum Abmelden hierher geschickt hat, hat eine Rückkehradresse genannt, die hier nicht registriert ist. Sie können sich trotzdem hier abmelden. Wenn es wieder geschieht, geben Sie Grund und Kennung an den Betreiber der Anwendung weiter.',
    sign_out_request:
      'Die Anwendung, die Sie zum Abmelden hierher geschickt hat, hat dabei einen Fehler gemacht. Sie können sich trotzdem hier abmelden. Wenn es wieder geschieht, geben Sie Grund und Kennung an den Betreiber der Anwendung weiter.',
  },

  setup: {
    title: 'Administrator anlegen',
    lead: 'Dieses Konto kann alles verwalten. Der Link gilt nur einmal.',
    email: 'E-Mail-Adresse',
    password_hint: (min_length: number) => `Mindestens ${min_length} Zeichen: ein paar Wörter genügen.`,
    submit: 'Konto anlegen',
    username_problem: (most: number) => `Ein Benutzername hat 1 bis ${most} Zeichen und keine Steuerzeichen.`,
    email_problem: 'Das ist keine E-Mail-Adresse.',
    taken: 'Das gehört zu einem anderen Konto.',
    gone: 'Dieser Link gilt nicht mehr',
    gone_lead:
      'Ein Einrichtungslink gilt einmal, eine Stunde lang, und nur solange es keinen Administrator gibt. Wenn Sie das Konto gerade angelegt haben, sind Sie fertig.',
    gone_remedy: 'Andernfalls gibt dieser Befehl dort, wo Gatehouse läuft, einen neuen Link aus:',
    done: 'Gatehouse ist eingerichtet',
    done_lead: 'Das Konto des Administrators ist bereit. Der Link hat seinen Zweck erfüllt.',
    next: 'Wie es weitergeht',
    next_quickstart: 'Sehen Sie alles in Aktion, von der Anmeldung bis zum Widerruf:',
    next_token: 'Holen Sie ein Token für Ihr Konto:',
    next_jwks: 'Geben Sie Ihren APIs diese Adresse, um damit Tokens zu prüfen:',
  },

  passwords: {
    malformed: 'Dieses Passwort ist kein gültiger Text. Geben Sie es noch einmal ein.',
    control_character: 'Dieses Passwort enthält einen Zeilenumbruch oder ein anderes Steuerzeichen.',
    too_short: (min_length: number) =>
      `Dieses Passwort ist zu kurz. Es braucht mindestens ${min_length} Zeichen; ein paar Wörter hintereinander eignen sich gut.`,
    too_long: (max_bytes: number) => `Dieses Passwort ist zu lang. Es darf höchstens ${max_bytes} Bytes haben.`,
    common: 'Dieses Passwort gehört zu denen, die zuerst versucht werden. Wählen Sie ein anderes.',
    contains_identifier: 'Dieses Passwort enthält den Benutzernamen oder die E-Mail-Adresse.',
    contains_product_name: 'Dieses Passwort enthält den Namen dieses Dienstes.',
  },

  home: {
    title: 'Hier melden Sie sich an',
    lead: 'Anwendungen schicken Sie hierher und lassen Sie ein, wenn Sie zurückkommen. Sie können sich auch gleich anmelden.',
    demo: 'Demo für Entwickler',
  },
} satisfies Messages
