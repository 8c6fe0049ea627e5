/** Every page with props as they occur, and with the worst that a client or a person can make of them. */
import { redirectUriDifferences } from '../../server/protocol/redirect_uri.ts'
import type { ShownAccount } from '../../web/pages/account.ts'
import type { ShownClient } from '../../web/pages/client.ts'
import { consentPage } from '../../web/pages/consent.ts'
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from '../../web/pages/device.ts'
import { errorPage } from '../../web/pages/error.ts'
import { formPostPage } from '../../web/pages/form_post.ts'
import { homePage } from '../../web/pages/home.ts'
import { interactionGonePage } from '../../web/pages/interaction_gone.ts'
import type { Page } from '../../web/pages/layout.ts'
import { loginPage } from '../../web/pages/login.ts'
import { logoutPage, signedOutPage } from '../../web/pages/logout.ts'
import { selectAccountPage } from '../../web/pages/select_account.ts'
import { setupDonePage, setupGonePage, setupPage } from '../../web/pages/setup.ts'
import { signedInPage } from '../../web/pages/signed_in.ts'

export const CALLBACK = 'https://photos.example/callback'

const CLIENT: ShownClient = {
  client_id: 'photos',
  name: 'Acme Photos',
  uri: 'https://photos.example',
  policy_uri: 'https://photos.example/privacy',
  tos_uri: 'https://photos.example/terms',
  self_registered: false,
}

const ALICE: ShownAccount = { username: 'alice', name: 'Alice Liddell' }

const form = { action: '/echo', csrf_token: 'a-csrf-token', interaction_id: 'an-interaction', form_action: [CALLBACK] }
const scopes = ['openid', 'profile', 'email', 'offline_access', 'photos.read'].map((name) => ({ name }))

/** What a client or a person can put where: markup, endless words, right-to-left overrides, nothing at all. */
export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus='alert(1)",
  '</title></textarea></style><svg onload=alert(1)>',
  `${'Endless'.repeat(40)}`,
  '\u202Egnissob\u202D \u2066',
  '',
]

/** Pages by what they are about. */
export function samplePages(): Readonly<Record<string, Page>> {
  return {
    login: loginPage({ ...form, client: CLIENT, can_cancel: true, remember: false }),
    login_plain: loginPage({ action: '/echo', csrf_token: 'a-csrf-token', can_cancel: false }),
    login_problem: loginPage({
      ...form,
      client: CLIENT,
      username: 'alice',
      can_cancel: true,
      remember: true,
      problem: ({ login }) => login.refused,
    }),
    login_again: loginPage({
      ...form,
      client: CLIENT,
      username: 'alice',
      username_fixed: true,
      not_you_href: '/login?another',
      reauthenticate: true,
      can_cancel: true,
    }),
    home: homePage({ login_href: '/login', demo_href: '/demo' }),
    signed_in: signedInPage({ account: ALICE, logout_href: '/logout' }),
    setup: setupPage({ action: '/setup', token: 'a-token', min_length: 15 }),
    setup_problem: setupPage({
      action: '/setup',
      token: 'a-token',
      min_length: 15,
      username: 'alice',
      problems: new Map([
        ['username', ({ setup }) => setup.username_problem(150)],
        ['email', ({ setup }) => setup.email_problem],
        ['password', ({ passwords }) => passwords.too_short(15)],
      ]),
    }),
    setup_gone: setupGonePage(),
    setup_done: setupDonePage({ issuer: 'https://id.example', token_api: true }),
    select_account: selectAccountPage({ ...form, client: CLIENT, account: ALICE }),
    consent: consentPage({ ...form, client: CLIENT, account: ALICE, scopes, redirect_host: 'photos.example' }),
    consent_full: consentPage({
      ...form,
      client: {
        ...CLIENT,
        client_id: 'https://agent.example/client.json',
        name: 'Helpful Agent',
        self_registered: true,
      },
      account: { username: 'bob', name: null },
      scopes: scopes.map((scope, index) => ({ ...scope, is_new: index > 2 })),
      claims: ['birthdate', 'phone_number'],
      resources: ['https://api.example/photos', 'https://api.example/albums'],
      authorization_details: [
        {
          type: 'payment_initiation',
          instructed_amount: { currency: 'EUR', amount: '123.50' },
          creditor_name: 'Merchant A',
          actions: ['initiate', 'status'],
        },
      ],
      redirect_host: '127.0.0.1/callback',
    }),
    device_code: deviceCodePage(form),
    device_code_problem: deviceCodePage({
      ...form,
      user_code: 'WDJB-MJHT',
      problem: ({ device }) => device.wrong_code,
    }),
    device_confirm: deviceConfirmPage({
      ...form,
      user_code: 'WDJB-MJHT',
      client: { ...CLIENT, name: 'Acme TV' },
      account: ALICE,
      scopes,
      address_prefix: '203.0.113.0/24',
      user_agent: 'AcmeTV/4.2 (Linux; arm64)',
    }),
    device_done: deviceDonePage({ outcome: 'approved', client: { name: 'Acme TV' } }),
    device_denied: deviceDonePage({ outcome: 'denied', client: { name: 'Acme TV' } }),
    logout: logoutPage({ ...form, client: CLIENT, account: ALICE, parameters: { state: 'a-state' } }),
    signed_out: signedOutPage({ return_to: { href: 'https://photos.example/bye?state=s', client: CLIENT } }),
    signed_out_plain: signedOutPage({}),
    form_post: formPostPage({ redirect_uri: CALLBACK, parameters: { code: 'a-code', state: 'a-state' } }),
    interaction_gone: interactionGonePage({ client: CLIENT }),
    error_not_allowed: errorPage({ status: 403, description: 'csrf_token is not right', reference: 'k3j2-4f' }),
    error_not_found: errorPage({ status: 404, description: 'there is nothing here', reference: 'k3j2-4f' }),
    error_busy: errorPage({ status: 503, description: 'the server is busy', reference: 'k3j2-4f' }),
    error_malformed: errorPage({ status: 400, description: 'the request is malformed', reference: 'k3j2-4f' }),
    error_return: errorPage({
      status: 400,
      description: 'scope is not valid',
      reference: 'k3j2-4f',
      from_client: true,
      return_to: { href: CALLBACK, host: 'photos.example' },
    }),
    error: errorPage({ status: 500, description: 'not for people', reference: 'k3j2-4f' }),
    error_sign_out: errorPage({
      status: 400,
      description: 'post_logout_redirect_uri is not registered',
      reference: 'k3j2-4f',
      sign_out: { href: '/logout', mistake: 'address' },
    }),
    error_client: errorPage({
      status: 400,
      description: 'redirect_uri is not registered',
      reference: 'k3j2-4f',
      redirect_uri: {
        received: 'http://localhost:8080/callback',
        registered: redirectUriDifferences('http://localhost:8080/callback', [
          'http://127.0.0.1:3000/callback/',
          'https://photos.example/callback',
        ]),
      },
    }),
  }
}

/** Every page that shows what others wrote, with this in every place. */
export function hostilePages(text: string): Readonly<Record<string, Page>> {
  const client: ShownClient = {
    client_id: text,
    name: text,
    uri: text,
    policy_uri: 'javascript:alert(1)',
    tos_uri: `data:text/html,${text}`,
    self_registered: true,
  }
  const account: ShownAccount = { username: text, name: text }
  const hostile = { action: '/echo', csrf_token: text, interaction_id: text, form_action: [text] }
  const permissions = {
    scopes: [{ name: text, is_new: true }],
    claims: [text],
    resources: [text],
    authorization_details: [{ type: text, [text]: text, list: [text], object: { [text]: text } }],
  }
  return {
    login: loginPage({
      ...hostile,
      client,
      username: text,
      username_fixed: true,
      not_you_href: text,
      problem: () => text,
      can_cancel: true,
    }),
    signed_in: signedInPage({ account, logout_href: text }),
    select_account: selectAccountPage({ ...hostile, client, account }),
    consent: consentPage({ ...hostile, ...permissions, client, account, redirect_host: text }),
    device_code: deviceCodePage({ ...hostile, user_code: text, problem: () => text }),
    device_confirm: deviceConfirmPage({
      ...hostile,
      ...permissions,
      client,
      account,
      user_code: text,
      address_prefix: text,
      user_agent: text,
    }),
    device_done: deviceDonePage({ outcome: 'denied', client }),
    logout: logoutPage({ ...hostile, client, account, parameters: { state: text } }),
    signed_out: signedOutPage({ return_to: { href: text, client }, frontchannel_logout_uris: [text] }),
    form_post: formPostPage({ redirect_uri: text, parameters: { state: text } }),
    interaction_gone: interactionGonePage({ client }),
    error: errorPage({
      status: 400,
      description: text,
      reference: text,
      redirect_uri: { received: text, registered: [{ registered: text, differs: [text] }] },
    }),
    error_sign_out: errorPage({
      status: 400,
      description: text,
      reference: text,
      sign_out: { href: text, mistake: 'request' },
    }),
  }
}
