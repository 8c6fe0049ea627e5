import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { newInitialAccessToken } from '../../server/clients/credentials.ts'
import { DEVICE_CODE_GRANT } from '../../server/protocol/device_code.ts'
import { LOGOUT_TOKEN_TYP, logoutTokenClaims } from '../../server/protocol/logout.ts'
import { SIGNAL_TYP, sessionRevoked } from '../../server/protocol/shared_signals.ts'
import { STATUS_LIST_TYP, statusListClaims } from '../../server/protocol/status_list.ts'
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../../server/protocol/token_exchange.ts'
import { basic, buildTestApp, NOW } from '../helpers/app.ts'
import { assertion, clientKey, dpopProof } from '../helpers/client_keys.ts'
import { codeFor, codeForm, VERIFIER } from '../helpers/code.ts'
import { decideAbout, startDevice } from '../helpers/device.ts'
import { seedSession } from '../helpers/session.ts'
import { authorizationUrl, WEB_CLIENT } from '../helpers/web_client.ts'
import { sampleResource } from '../storage/samples.ts'

/** Everything that the authorization server hands out or takes, presented wherever something else belongs. */

const SECRET = `gth_cs_${'s'.repeat(43)}`
const REDIRECT = WEB_CLIENT.redirect_uris[0]
const server = await buildTestApp(t, {
  config: {
    http: { max_event_loop_delay_milliseconds: 0 },
    throttle: { client_failures_per_minute: 100_000, address_attempts_per_minute: 100_000 },
    registration: { mode: 'initial_access_token' },
  },
})
const { issuer, deps } = server
const alice = await server.createAccount()
const key = await clientKey()
const grant_types = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  DEVICE_CODE_GRANT,
  TOKEN_EXCHANGE_GRANT,
]
/** Its access tokens have the `typ` of ID tokens, and ID tokens of a client of the same name have its `aud`. */
const TYPED = 'https://typed.example.com'
await deps.store.createResource(
  sampleResource({ resource: TYPED, scopes: null, token_typ: 'JWT', introspection_clients: ['web'] }),
  [],
)
const web = await server.createClient({ ...WEB_CLIENT, client_secret: SECRET, grant_types, resources: [TYPED] })
const namesake = await server.createClient({ ...WEB_CLIENT, client_id: TYPED, client_secret: SECRET })
const signs = { client_id: 'signs', token_endpoint_auth_method: 'private_key_jwt' } as const
await server.createClient({ ...signs, jwks: { keys: [key.public_jwk] } })
const WEB = basic('web', SECRET)

async function initialAccessToken(): Promise<string> {
  const { handle, digest } = newInitialAccessToken(deps)
  const token = { token_id: handle.slice(0, 20), digest, uses_left: 5, expires_at: NOW + 1000, created_at: NOW }
  await deps.store.createInitialAccessToken(token, [])
  return handle
}

const initial_access_token = await initialAccessToken()
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const registered = (
  await server.postJson('/register', { redirect_uris: [REDIRECT] }, bearer(initial_access_token))
).json()

const TYPED_TOKEN = 'access token with the typ JWT'

/** @returns an access token with the `typ` JWT */
async function typedToken(): Promise<string> {
  const form = codeForm(web, await codeFor(server, web, alice, { resources: [TYPED] }))
  return (await server.postForm('/token', form, WEB)).json().access_token
}

/** @returns an ID token whose `aud` is a resource with the `typ` JWT */
async function namesakeIdToken(): Promise<string> {
  const form = codeForm(namesake, await codeFor(server, namesake, alice))
  return (await server.postForm('/token', form, basic(TYPED, SECRET))).json().id_token
}

/** One of each. What is used once is made anew for each place. */
async function everyKind(): Promise<Record<string, string>> {
  const { session, handle } = await seedSession(deps, { account_id: alice.account_id })
  const form = codeForm(web, await codeFor(server, web, alice, { session }))
  const { access_token, refresh_token, id_token } = (await server.postForm('/token', form, WEB)).json()
  const device = await startDevice(server, { client_id: 'web' }, WEB)
  await decideAbout(server, alice.account_id, device.user_code)
  const { searchParams } = new URL(authorizationUrl(server, web, { prompt: 'none' }).url)
  const { request_uri } = (await server.postForm('/par', Object.fromEntries(searchParams), WEB)).json()
  const about = { iss: issuer, client_id: 'web', sub: alice.account_id, session_id: session.session_id }
  const logout = logoutTokenClaims({ ...about, jti: 'x', now: NOW })
  return {
    'access token': access_token,
    'refresh token': refresh_token,
    [TYPED_TOKEN]: await typedToken(),
    'ID token': id_token,
    'ID token for a resource with the typ JWT': await namesakeIdToken(),
    'logout token': await deps.keys.sign('RS256', LOGOUT_TOKEN_TYP, logout),
    'security event token': await deps.keys.sign(
      'RS256',
      SIGNAL_TYP,
      sessionRevoked({ iss: issuer, jti: 'x', aud: 'web', now: NOW }, alice.account_id, 's', NOW, 'signed_out'),
    ),
    'status list token': await deps.keys.sign('RS256', STATUS_LIST_TYP, statusListClaims(issuer, 0, 'x', NOW, 60)),
    code: await codeFor(server, web, alice),
    'device code': device.device_code,
    'user code': device.user_code,
    request_uri,
    'registration access token': registered.registration_access_token,
    'initial access token': initial_access_token,
    'DPoP proof': await dpopProof(key, { htu: `${issuer}/token`, now: NOW }),
    'client assertion': await assertion(key, { client_id: 'signs', audience: issuer, now: NOW }),
    'client secret': SECRET,
    'session cookie': handle,
    session_id: session.session_id,
    client_id: 'web',
    sub: alice.account_id,
  }
}

type Answer = { statusCode: number; body: string; headers: Record<string, unknown> }
const token = async (form: Record<string, string>, headers: Record<string, string> = WEB): Promise<Answer> =>
  server.postForm('/token', form, headers)
const ok = ({ statusCode }: Answer) => statusCode >= 200 && statusCode < 300
const credentials = { grant_type: 'client_credentials' }

interface Place {
  readonly takes: readonly string[]
  readonly present: (value: string) => Promise<boolean>
}

const places: Readonly<Record<string, Place>> = {
  code: {
    takes: ['code'],
    present: async (code) =>
      ok(await token({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER })),
  },
  refresh_token: {
    takes: ['refresh token'],
    present: async (refresh_token) => ok(await token({ grant_type: 'refresh_token', refresh_token })),
  },
  device_code: {
    takes: ['device code'],
    present: async (device_code) => ok(await token({ grant_type: DEVICE_CODE_GRANT, device_code })),
  },
  subject_token: {
    takes: ['access token', TYPED_TOKEN],
    present: async (subject_token) => {
      const form = { grant_type: TOKEN_EXCHANGE_GRANT, subject_token, subject_token_type: ACCESS_TOKEN_TYPE }
      return ok(await token(form))
    },
  },
  client_assertion: {
    takes: ['client assertion'],
    present: async (client_assertion) => {
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      return ok(await token({ ...credentials, client_assertion_type, client_assertion }, {}))
    },
  },
  client_secret: {
    takes: ['client secret'],
    present: async (secret) => ok(await token(credentials, basic('web', secret))),
  },
  'client_secret of a client that registered': {
    takes: [],
    present: async (secret) => {
      const answer = await token({ ...credentials }, basic(registered.client_id, secret))
      return answer.statusCode !== 401
    },
  },
  DPoP: {
    takes: ['DPoP proof'],
    present: async (dpop) => ok(await token(credentials, { ...WEB, dpop })),
  },
  'a bearer at UserInfo': {
    takes: ['access token', TYPED_TOKEN],
    present: async (value) => ok(await server.inject({ url: '/userinfo', headers: bearer(value) })),
  },
  'a bearer at the admin API': {
    takes: [],
    present: async (value) => ok(await server.inject({ url: '/admin/api/clients', headers: bearer(value) })),
  },
  'a bearer at registration': {
    takes: ['initial access token'],
    present: async (value) => ok(await server.postJson('/register', { redirect_uris: [REDIRECT] }, bearer(value))),
  },
  'a bearer at the registration of a client': {
    takes: ['registration access token'],
    present: async (value) =>
      ok(await server.inject({ url: `/register/${registered.client_id}`, headers: bearer(value) })),
  },
  introspection: {
    takes: ['access token', TYPED_TOKEN, 'refresh token'],
    present: async (value) => (await server.postForm('/introspect', { token: value }, WEB)).json().active === true,
  },
  request_uri: {
    takes: ['request_uri'],
    present: async (request_uri) => {
      const { handle } = await seedSession(deps, { account_id: alice.account_id })
      const query = new URLSearchParams({ client_id: 'web', request_uri })
      const headers = { cookie: `gatehouse_session=${handle}` }
      const answer = await server.inject({ url: `/authorize?${query.toString()}`, headers })
      return String(answer.headers.location).includes('code=')
    },
  },
  'request (object)': {
    takes: [],
    present: async (request) => ok(await server.postForm('/par', { request }, WEB)),
  },
  id_token_hint: {
    takes: ['ID token'],
    present: async (id_token_hint) => {
      const { searchParams } = new URL(authorizationUrl(server, web, { id_token_hint }).url)
      return ok(await server.postForm('/par', Object.fromEntries(searchParams), WEB))
    },
  },
  'the session cookie': {
    takes: ['session cookie'],
    present: async (value) => {
      const { body } = await server.inject({ url: '/login', headers: { cookie: `gatehouse_session=${value}` } })
      return body.includes('You are signed in')
    },
  },
  'refresh at the login API': {
    // It is a public client of its own, and this token a confidential one's.
    takes: [],
    present: async (refresh) => ok(await server.postJson('/api/token/refresh/', { refresh })),
  },
}

for (const [place, { takes, present }] of Object.entries(places)) {
  t.test(`${place}: only what belongs there`, async (t) => {
    for (const [kind, value] of Object.entries(await everyKind())) {
      t.equal(await present(value), takes.includes(kind), kind)
    }
  })
}

t.test('RFC 8725 §3.11: the two are what their kinds say they are', async (t) => {
  const kinds = await everyKind()
  const read = (value = '') => ({ header: decodeProtectedHeader(value), payload: decodeJwt(value) })
  t.match(read(kinds[TYPED_TOKEN]), { header: { typ: 'JWT' }, payload: { aud: TYPED, token_type: 'access' } })
  const id_token = read(kinds['ID token for a resource with the typ JWT'])
  t.match(id_token, { header: { typ: 'JWT' }, payload: { aud: TYPED, sub: String } })
  t.notHas(id_token.payload, { token_type: '' })
})
