import { type Content, html } from '../html.ts'
import { inTime, listOf } from './format.ts'

const locale = 'en' as const

/** English, and with it which words there are: see `messages.ts`. */
export const en = {
  locale,
  direction: 'ltr',

  /** In more than one place. */
  common: {
    sign_in: 'Sign in',
    sign_out: 'Sign out',
    cancel: 'Cancel',
    continue: 'Continue',
    allow: 'Allow',
    deny: 'Deny',
    to_continue_to: (client: Content) => html`to continue to ${client}`,
    may_close: 'You can close this page.',
    /** Before the title of a page on which something is wrong. */
    error: (title: Content) => html`Error: ${title}`,
    username: 'User name',
    password: 'Password',
    busy: 'Busy for a moment. Wait a few seconds, then try again.',
    too_many_attempts: (seconds: number) => `Too many attempts. Try again ${inTime(locale, seconds)}.`,
  },

  form: {
    optional: '(optional)',
    check: 'Check this and try again',
    problem_of: (label: string, problem: string) => `${label}: ${problem}`,
    show: 'Show',
    hide: 'Hide',
    show_password: 'Show password',
    hide_password: 'Hide password',
  },

  account: { label: 'Account: ' },

  client: {
    unchecked: 'Not checked by an administrator',
    registered_itself: 'This application registered itself, under a name that it chose.',
    comes_from: (host: Content) => html`Its details come from ${host}.`,
    go_on_only_if: 'Go on only if you have just started it yourself and trust it.',
    website: 'Website',
    privacy_policy: 'Privacy policy',
    terms: 'Terms',
    about: 'About the application',
  },

  permissions: {
    heading: 'It would be able to',
    use: (scope: Content) => html`Use ${scope}`,
    details: (claims: readonly string[]) => `See these details about you: ${listOf(locale, claims)}`,
    act_on: (type: Content) => html`Act on ${type}`,
    nothing: 'Know that you have allowed it, and nothing else',
    is_new: 'new',
    at: (services: number): string => (services === 1 ? 'At this service' : 'At these services'),
  },

  /** Scopes in the words of the person who is asked (OpenID Connect Core §5.4, §11). Others are shown by their names. */
  scopes: {
    openid: 'Know that it is you who signs in',
    profile: 'See your profile: your name, picture, birthday, language and the like',
    email: 'See your e-mail address',
    address: 'See your postal address',
    phone: 'See your phone number',
    offline_access: 'Keep this access while you are away, until you withdraw it',
  },

  /** Claims within a sentence (OpenID Connect Core §5.1). */
  claims: {
    name: 'full name',
    given_name: 'given name',
    family_name: 'family name',
    middle_name: 'middle name',
    nickname: 'nickname',
    preferred_username: 'user name',
    profile: 'profile page',
    picture: 'picture',
    website: 'website',
    email: 'e-mail address',
    email_verified: 'whether the e-mail address is verified',
    gender: 'gender',
    birthdate: 'date of birth',
    zoneinfo: 'time zone',
    locale: 'language',
    phone_number: 'phone number',
    phone_number_verified: 'whether the phone number is verified',
    address: 'postal address',
    updated_at: 'when these were last changed',
  },

  login: {
    again: 'You are signed in. Enter your password again, to confirm that it is you.',
    username_or_email: 'User name or e-mail',
    not_you: 'Not you?',
    remember: 'Keep me signed in on this device',
    refused: 'The user name or the password is not right.',
  },

  signed_in: {
    title: 'You are signed in',
    lead: 'Applications that use this server can let you in without asking for your password.',
  },

  select_account: {
    title: 'Choose an account',
    continue_as: (name: Content) => html`Continue as ${name}`,
    other: 'Use another account',
  },

  consent: {
    title: (client: Content) => html`Allow ${client} to use your account?`,
    goes_to: (host: Content) => html`Either way you go on to ${host}.`,
    goes_to_this_device: (host: Content) => html`Either way you go on to an application on this device, ${host}.`,
  },

  device: {
    title: 'Connect a device',
    lead: 'Enter the code that your device shows.',
    code: 'Code',
    same_code: 'Check that your device shows the same.',
    any_case: 'Upper or lower case, with or without the hyphen.',
    wrong_code: 'This code is not right, or it is no longer good. Check what your device shows.',
    confirm: 'Connect this device?',
    asks: (client: Content) => html`${client} asks to use your account on a device that shows this code:`,
    asked_from: 'Asked from',
    says_it_is: 'Says it is',
    only_if: 'Only continue if you started this',
    somebody_else: 'If somebody sent you the code or a link to this page, they would get into your account: deny it.',
    approved: 'The device is connected',
    denied: 'The device was refused',
    goes_on: (client: Content) => html`${client} goes on by itself on your device, in a few seconds.`,
    no_access: (client: Content) => html`${client} got no access to your account.`,
  },

  logout: {
    title: 'Sign out?',
    client_asks: (client: Content) =>
      html`${client} asks to sign you out here, and of everything that you signed in to from here.`,
    lead: 'This signs you out here, and of everything that you signed in to from here.',
    stay: 'Stay signed in',
    done: 'You have signed out',
    back_to: (client: Content) => html`Back to ${client}`,
    frame: 'Signing out',
  },

  form_post: {
    title: 'One moment',
    lead: 'You go back to the application now. If nothing happens, continue by hand.',
  },

  interaction_gone: {
    title: 'This page is out of date',
    lead: 'You have done this step already, or it has waited for too long. Nothing went wrong, and nothing is lost.',
    go_back: 'Go back to the application that you wanted to use.',
    go_back_to: (client: Content) => html`Go back to ${client}.`,
    sign_in_there: 'If it does not know you yet, sign in from there again.',
  },

  error: {
    reason: 'Reason',
    reference: 'Reference',
    sign_out_here: 'Sign out here',
    go_on_to: (host: Content) => html`Go on to ${host}`,
    not_allowed: 'This is not allowed',
    not_allowed_advice: 'Nothing was changed. Open the page again and start from there.',
    not_found: 'There is nothing here',
    not_found_advice: 'Check the address, or follow the link again.',
    busy: 'Busy for a moment',
    busy_advice: 'Nothing was changed. Wait a few seconds, go back and try again.',
    fault: 'Something went wrong',
    fault_advice: 'Try again later. If it happens again, pass on the reference below.',
    client: 'You cannot sign in from there',
    client_advice:
      'The application that sent you here made a mistake. Nothing was shared with it. Go back and try again; if it happens again, pass on the reason and the reference to whoever runs the application.',
    malformed: 'This could not be understood',
    malformed_advice: 'Nothing was changed. Go back, check and try again.',
    sign_out: 'You have not been signed out yet',
    sign_out_address:
      'The application that sent you here to sign out asked for a return address that is not registered here. You can sign out here all the same. If it happens again, pass on the reason and the reference to whoever runs the application.',
    sign_out_request:
      'The application that sent you here to sign out made a mistake when it asked for that. You can sign out here all the same. If it happens again, pass on the reason and the reference to whoever runs the application.',
  },

  setup: {
    title: 'Create the administrator',
    lead: 'This account can manage everything. The link works once.',
    email: 'E-mail address',
    password_hint: (min_length: number) => `At least ${min_length} characters: a few words will do.`,
    submit: 'Create account',
    username_problem: (most: number) => `A user name has 1 to ${most} characters, none of them a control character.`,
    email_problem: 'This is not an e-mail address.',
    taken: 'This belongs to another account.',
    gone: 'This link does not work any more',
    gone_lead:
      'A set-up link works once, within an hour, until there is an administrator. If you have just created the account, you are done.',
    gone_remedy: 'Otherwise, this prints a new link where Gatehouse runs:',
    done: 'Gatehouse is set up',
    done_lead: 'The administrator’s account is ready. The link has done its work.',
    next: 'What next',
    next_quickstart: 'See everything at work, from login to revocation:',
    next_token: 'Get a token for your account:',
    next_jwks: 'Give your APIs this address, to verify tokens with:',
  },

  /** Why a new password is refused. */
  passwords: {
    malformed: 'This password is not valid text. Type it again.',
    control_character: 'This password contains a line break or another control character.',
    too_short: (min_length: number) =>
      `This password is too short. It needs at least ${min_length} characters; a few words in a row do well.`,
    too_long: (max_bytes: number) => `This password is too long. It may have at most ${max_bytes} bytes.`,
    common: 'This password is one of the first that are tried. Choose another one.',
    contains_identifier: 'This password contains the user name or the e-mail address.',
    contains_product_name: 'This password contains the name of this service.',
  },

  home: {
    title: 'You sign in here',
    lead: 'Applications send you here, and take you in when you come back. You can also sign in right away.',
    demo: 'Demo for developers',
  },
}
