/** The modules of the plan `oidcc-rp-initiated-logout-certification-test-plan`. */
import t, { type Test } from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { clientKey, signAs } from '../helpers/client_keys.ts'
import { answerOf, byBasic, type Flow, relyingParty, UNHURRIED } from '../helpers/relying_party.ts'

const SECRET = 'the secret of the suite, long enough'
const BASE = 'https://suite.example/test/a/gatehouse'
const BYE = `${BASE}/post_logout_redirect`
const STATE = 's'.repeat(128)

const server = await buildTestApp(t, { config: UNHURRIED })
const { issuer } = server
await server.createAccount()
const client = await server.createClient({
  client_id: 'suite',
  client_secret: SECRET,
  redirect_uris: [`${BASE}/callback`],
  post_logout_redirect_uris: [BYE],
  response_types: ['code'],
  grant_types: ['authorization_code'],
  scope: 'openid',
  require_pkce: false,
})
const party = relyingParty(server, client, byBasic('suite', SECRET))

/** Signs in, and goes to the end_session_endpoint with what `parametersOf` makes of the ID token. */
async function leave(parametersOf: (flow: Flow) => Record<string, string>) {
  const flow = await party.flow()
  const landing = await flow.browser.open(`/logout?${new URLSearchParams(parametersOf(flow)).toString()}`)
  return { ...flow, landing }
}

/** What the module ends with: prompt=none has to be an error. */
async function isSignedOut(t: Test, { browser }: Pick<Flow, 'browser'>, expected = true): Promise<void> {
  const answer = answerOf(issuer, await party.look({ prompt: 'none' }, browser))
  t.equal(answer?.error, expected ? 'login_required' : undefined)
}

t.test('oidcc-rp-initiated-logout-discovery-endpoint-verification: end_session_endpoint', async (t) => {
  const metadata = (await server.inject({ url: '/.well-known/openid-configuration' })).json()
  t.equal(metadata.end_session_endpoint, `${issuer}/logout`)
})

t.test('oidcc-rp-initiated-logout: back to the client with its state, and signed out', async (t) => {
  const left = await leave(({ tokens }) => ({
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: BYE,
    state: STATE,
  }))
  t.equal(left.landing.url.href, `${BYE}?state=${STATE}`)
  await isSignedOut(t, left)
})

t.test('oidcc-rp-initiated-logout-no-state: back to the client without any', async (t) => {
  const left = await leave(({ tokens }) => ({ id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE }))
  t.equal(left.landing.url.href, BYE)
  await isSignedOut(t, left)
})

t.test(
  'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri, oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri: a page, and nobody is redirected',
  async (t) => {
    for (const post_logout_redirect_uri of [`${BASE}/bad`, `${BYE}?foo=bar`]) {
      const left = await leave(({ tokens }) => ({ id_token_hint: tokens.id_token, post_logout_redirect_uri }))
      t.match([left.landing.left, left.landing.statusCode], [false, 400])
      t.match(left.landing.body, 'post_logout_redirect_uri is not registered')
      await isSignedOut(t, left, false)
    }
  },
)

t.test(
  'oidcc-rp-initiated-logout-modified-id-token-hint, oidcc-rp-initiated-logout-bad-id-token-hint: a page, and nobody is redirected',
  async (t) => {
    const key = await clientKey('RS256')
    const forgeries: ((flow: Flow) => Promise<string>)[] = [
      async ({ tokens }) => {
        const [, payload = ''] = tokens.id_token.split('.')
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
      },
      ({ claims }) => signAs(key, claims),
    ]
    for (const forge of forgeries) {
      const flow = await party.flow()
      const parameters = { id_token_hint: await forge(flow), post_logout_redirect_uri: BYE, state: STATE }
      const landing = await flow.browser.open(`/logout?${new URLSearchParams(parameters).toString()}`)
      t.match([landing.left, landing.statusCode], [false, 400])
      t.match(landing.body, 'id_token_hint is not valid')
      await isSignedOut(t, flow, false)
    }
  },
)

t.test('oidcc-rp-initiated-logout-no-id-token-hint: a page, and nobody is redirected', async (t) => {
  const { landing } = await leave(() => ({ post_logout_redirect_uri: BYE, state: STATE }))
  t.match([landing.left, landing.statusCode], [false, 400])
  t.match(landing.body, 'post_logout_redirect_uri needs id_token_hint or client_id')
})

t.test(
  'oidcc-rp-initiated-logout-no-params, oidcc-rp-initiated-logout-only-state: the person is asked, and signed out here',
  async (t) => {
    for (const parameters of [{}, { state: STATE }] as Record<string, string>[]) {
      const left = await leave(() => parameters)
      t.match(left.landing.body, 'id="logout-confirm"')
      const done = await left.browser.submit(left.landing, { decision: 'confirm' })
      t.match([done.left, done.statusCode], [false, 200])
      t.match(done.body, 'You have signed out')
      await isSignedOut(t, left)
    }
  },
)

t.test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri: signed out, on a page of ours', async (t) => {
  const left = await leave(({ tokens }) => ({ id_token_hint: tokens.id_token, state: STATE }))
  t.match([left.landing.left, left.landing.statusCode], [false, 200])
  t.match(left.landing.body, 'You have signed out')
  await isSignedOut(t, left)
})
