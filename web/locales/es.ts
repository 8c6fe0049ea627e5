import { type Content, html } from '../html.ts'
import { inTime, listOf } from './format.ts'
import type { Messages } from './messages.ts'

const locale = 'es' as const

export const es = {
  locale,
  direction: 'ltr',

  common: {
    sign_in: 'Iniciar sesión',
    sign_out: 'Cerrar sesión',
    cancel: 'Cancelar',
    continue: 'Continuar',
    allow: 'Permitir',
    deny: 'Rechazar',
    to_continue_to: (client: Content) => html`para continuar a ${client}`,
    may_close: 'Puede cerrar esta página.',
    error: (title: Content) => html`Error: ${title}`,
    username: 'Nombre de usuario',
    password: 'Contraseña',
    busy: 'El servicio está ocupado. Espere unos segundos e inténtelo de nuevo.',
    too_many_attempts: (seconds: number) => `Demasiados intentos. Inténtelo de nuevo ${inTime(locale, seconds)}.`,
  },

  form: {
    optional: '(opcional)',
    check: 'Revise estos datos e inténtelo de nuevo',
    problem_of: (label: string, problem: string) => `${label}: ${problem}`,
    show: 'Mostrar',
    hide: 'Ocultar',
    show_password: 'Mostrar la contraseña',
    hide_password: 'Ocultar la contraseña',
  },

  account: { label: 'Cuenta: ' },

  client: {
    unchecked: 'No revisada por ningún administrador',
    registered_itself: 'Esta aplicación se registró por sí misma, con un nombre que ella eligió.',
    comes_from: (host: Content) => html`Los datos de la aplicación proceden de ${host}.`,
    go_on_only_if: 'Continúe solo si acaba de iniciarla usted y confía en ella.',
    website: 'Sitio web',
    privacy_policy: 'Política de privacidad',
    terms: 'Condiciones de uso',
    about: 'Acerca de la aplicación',
  },

  permissions: {
    heading: 'La aplicación podría',
    use: (scope: Content) => html`Usar ${scope}`,
    details: (claims: readonly string[]) => `Ver estos datos sobre usted: ${listOf(locale, claims)}`,
    act_on: (type: Content) => html`Actuar sobre ${type}`,
    nothing: 'Saber que usted lo ha permitido, y nada más',
    is_new: 'nuevo',
    at: (services: number): string => (services === 1 ? 'En este servicio' : 'En estos servicios'),
  },

  scopes: {
    openid: 'Saber que es usted quien inicia sesión',
    profile: 'Ver su perfil: nombre, foto, fecha de nacimiento, idioma y datos similares',
    email: 'Ver su dirección de correo electrónico',
    address: 'Ver su dirección postal',
    phone: 'Ver su número de teléfono',
    offline_access: 'Conservar este acceso cuando usted no esté, hasta que lo retire',
  },

  claims: {
    name: 'nombre completo',
    given_name: 'nombre de pila',
    family_name: 'apellidos',
    middle_name: 'segundo nombre',
    nickname: 'apodo',
    preferred_username: 'nombre de usuario',
    profile: 'página de perfil',
    picture: 'foto',
    website: 'sitio web',
    email: 'dirección de correo electrónico',
    email_verified: 'si la dirección de correo electrónico está verificada',
    gender: 'género',
    birthdate: 'fecha de nacimiento',
    zoneinfo: 'zona horaria',
    locale: 'idioma',
    phone_number: 'número de teléfono',
    phone_number_verified: 'si el número de teléfono está verificado',
    address: 'dirección postal',
    updated_at: 'cuándo se modificaron por última vez',
  },

  login: {
    again: 'Ya ha iniciado sesión. Introduzca de nuevo su contraseña para confirmar que es usted.',
    username_or_email: 'Nombre de usuario o correo electrónico',
    not_you: '¿No es usted?',
    remember: 'Mantener la sesión iniciada en este dispositivo',
    refused: 'El nombre de usuario o la contraseña no es correcto.',
  },

  signed_in: {
    title: 'Ha iniciado sesión',
    lead: 'Las aplicaciones que usan este servidor pueden darle acceso sin pedirle la contraseña.',
  },

  select_account: {
    title: 'Elegir una cuenta',
    continue_as: (name: Content) => html`Continuar como ${name}`,
    other: 'Usar otra cuenta',
  },

  consent: {
    title: (client: Content) => html`¿Permitir que ${client} use su cuenta?`,
    goes_to: (host: Content) => html`En ambos casos continuará a ${host}.`,
    goes_to_this_device: (host: Content) =>
      html`En ambos casos continuará a una aplicación de este dispositivo, ${host}.`,
  },

  device: {
    title: 'Conectar un dispositivo',
    lead: 'Introduzca el código que muestra su dispositivo.',
    code: 'Código',
    same_code: 'Compruebe que su dispositivo muestra el mismo código.',
    any_case: 'En mayúsculas o minúsculas, con o sin guion.',
    wrong_code: 'Este código no es correcto o ya no es válido. Compruebe lo que muestra su dispositivo.',
    confirm: '¿Conectar este dispositivo?',
    asks: (client: Content) => html`${client} solicita usar su cuenta en un dispositivo que muestra este código:`,
    asked_from: 'Solicitado desde',
    says_it_is: 'Dice ser',
    only_if: 'Continúe solo si lo ha iniciado usted',
    somebody_else:
      'Si alguien le ha enviado el código o un enlace a esta página, esa persona entraría en su cuenta: rechácelo.',
    approved: 'El dispositivo está conectado',
    denied: 'El dispositivo fue rechazado',
    goes_on: (client: Content) => html`${client} continúa por sí solo en su dispositivo en unos segundos.`,
    no_access: (client: Content) => html`${client} no obtuvo acceso a su cuenta.`,
  },

  logout: {
    title: '¿Cerrar sesión?',
    client_asks: (client: Content) =>
      html`${client} solicita cerrar su sesión aquí, y en todo lugar al que haya accedido desde aquí.`,
    lead: 'Se cerrará su sesión aquí, y en todo lugar al que haya accedido desde aquí.',
    stay: 'Mantener la sesión',
    done: 'Ha cerrado sesión',
    back_to: (client: Content) => html`Volver a ${client}`,
    frame: 'Cerrando sesión',
  },

  form_post: {
    title: 'Un momento',
    lead: 'Ahora vuelve a la aplicación. Si no ocurre nada, continúe manualmente.',
  },

  interaction_gone: {
    title: 'Esta página ya no está vigente',
    lead: 'Ya ha completado este paso, o ha esperado demasiado tiempo. No ha fallado nada y no se ha perdido nada.',
    go_back: 'Vuelva a la aplicación que quería usar.',
    go_back_to: (client: Content) => html`Vuelva a ${client}.`,
    sign_in_there: 'Si allí aún no ha iniciado sesión, iníciela de nuevo desde allí.',
  },

  error: {
    reason: 'Motivo',
    reference: 'Referencia',
    sign_out_here: 'Cerrar sesión aquí',
    go_on_to: (host: Content) => html`Continuar a ${host}`,
    not_allowed: 'Esto no está permitido',
    not_allowed_advice: 'No se ha cambiado nada. Abra la página de nuevo y empiece desde ahí.',
    not_found: 'Aquí no hay nada',
    not_found_advice: 'Compruebe la dirección o siga el enlace de nuevo.',
    busy: 'Servicio ocupado por un momento',
    busy_advice: 'No se ha cambiado nada. Espere unos segundos, vuelva atrás e inténtelo de nuevo.',
    fault: 'Algo ha fallado',
    fault_advice: 'Inténtelo más tarde. Si vuelve a ocurrir, comunique la referencia que aparece abajo.',
    client: 'No puede iniciar sesión desde allí',
    client_advice:
      'La aplicación que le ha enviado aquí cometió un error. No se ha compartido nada con ella. Vuelva atrás e inténtelo de nuevo; si vuelve a ocurrir, comunique el motivo y la referencia al responsable de la aplicación.',
    malformed: 'No se ha podido entender',
    malformed_advice: 'No se ha cambiado nada. Vuelva atrás, revise los datos e inténtelo de nuevo.',
    sign_out: 'Todavía no ha cerrado sesión',
    sign_out_address:
      'La aplicación que le ha enviado aquí para cerrar sesión indicó una dirección de retorno que no está registrada aquí. Puede cerrar sesión aquí de todos modos. Si vuelve a ocurrir, comunique el motivo y la referencia al responsable de la aplicación.',
    sign_out_request:
      'La aplicación que le ha enviado aquí para cerrar sesión cometió un error al solicitarlo. Puede cerrar sesión aquí de todos modos. Si vuelve a ocurrir, comunique el motivo y la referencia al responsable de la aplicación.',
  },

  setup: {
    title: 'Crear el administrador',
    lead: 'Esta cuenta puede gestionarlo todo. El enlace sirve una sola vez.',
    email: 'Correo electrónico',
    password_hint: (min_length: number) => `Al menos ${min_length} caracteres: bastan unas pocas palabras.`,
    submit: 'Crear cuenta',
    username_problem: (most: number) =>
      `Un nombre de usuario tiene de 1 a ${most} caracteres, ninguno de ellos de control.`,
    email_problem: 'Esto no es una dirección de correo electrónico.',
    taken: 'Esto pertenece a otra cuenta.',
    gone: 'Este enlace ya no funciona',
    gone_lead:
      'Un enlace de instalación sirve una sola vez, durante una hora, mientras no haya ningún administrador. Si acaba de crear la cuenta, ya ha terminado.',
    gone_remedy: 'En otro caso, esta orden muestra un enlace nuevo allí donde se ejecuta Gatehouse:',
    done: 'Gatehouse está instalado',
    done_lead: 'La cuenta del administrador está lista. El enlace ha cumplido su función.',
    next: 'Qué hacer ahora',
    next_quickstart: 'Vea cómo funciona todo, desde el inicio de sesión hasta la revocación:',
    next_token: 'Obtenga un token para su cuenta:',
    next_jwks: 'Dé esta dirección a sus API, para que verifiquen los tokens:',
  },

  passwords: {
    malformed: 'Esta contraseña no es un texto válido. Escríbala de nuevo.',
    control_character: 'Esta contraseña contiene un salto de línea u otro carácter de control.',
    too_short: (min_length: number) =>
      `Esta contraseña es demasiado corta. Necesita al menos ${min_length} caracteres; unas cuantas palabras seguidas sirven bien.`,
    too_long: (max_bytes: number) => `Esta contraseña es demasiado larga. Puede tener como máximo ${max_bytes} bytes.`,
    common: 'Esta contraseña es una de las primeras que se prueban. Elija otra.',
    contains_identifier: 'Esta contraseña contiene el nombre de usuario o el correo electrónico.',
    contains_product_name: 'Esta contraseña contiene el nombre de este servicio.',
  },

  home: {
    title: 'Aquí inicia usted sesión',
    lead: 'Las aplicaciones le envían aquí y le dan acceso a su regreso. También puede iniciar sesión ahora mismo.',
    demo: 'Demostración para desarrolladores',
  },
} satisfies Messages
