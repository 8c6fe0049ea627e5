/** Every route, and an honest request to it. A route that is missing here fails `bad_input.test.ts`. */
import type { InjectOptions } from 'fastify'
import { mintCliToken } from '../../server/admin/cli_token.ts'
import { basic, PASSWORD, type TestApp } from '../helpers/app.ts'
import { DEVICE_CLIENT } from '../helpers/device.ts'
import { makeGrant } from '../helpers/grant.ts'
import { makeConsent } from '../helpers/interaction.ts'
import { seedSession } from '../helpers/session.ts'
import { authorizationTargets } from './authorization_targets.ts'
import { pageTargets } from './page_targets.ts'
import { furnishSignals, RECEIVER, signalTargets } from './signal_targets.ts'

/** The form that a refusal has there. */
export type ErrorForm = 'oauth' | 'token_api' | 'problem' | 'page'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Target {
  readonly method: Method
  /** As it is registered. */
  readonly route: string
  readonly refusal: ErrorForm
  /** How its body comes, if it reads one. */
  readonly body?: 'form' | 'json' | 'either'
  /** The status of the honest answer, when it is no 2xx. */
  readonly answers?: number
  /** A body without any of its members says something, too. */
  readonly all_optional?: boolean
  /** It has a password hashed, which takes its time. */
  readonly hashes?: boolean
  /** Another spelling of the one before, which has been attacked. */
  readonly alias?: boolean
  /** A request that succeeds, at any time and any number of times. `members`: of the body, else of the query. */
  honest(server: TestApp): Promise<Honest>
}

export interface Honest {
  readonly url: string
  readonly members: Readonly<Record<string, unknown>>
  readonly headers?: Record<string, string>
}

const SECRET = 'a client secret of some length'
export const CLIENT = basic('service', SECRET)
export const RESOURCE = 'https://api.example.com'

/** What the honest requests below need. */
export async function furnish(server: TestApp): Promise<void> {
  await server.createAccount({ username: 'alice', roles: ['admin'] })
  await server.createClient({ client_id: 'service', client_secret: SECRET })
  await furnishSignals(server)
  const audit = { created_at: 0, updated_at: 0 }
  await server.deps.store.createResource(
    {
      resource: RESOURCE,
      scopes: null,
      access_token_seconds: null,
      signing_alg: 'RS256',
      introspection_clients: [RECEIVER],
      authorization_details_types: [],
      claims: {},
      token_typ: 'at+jwt',
      ...audit,
    },
    [],
  )
}

let count = 0
const unique = (name: string) => `${name}${++count}`

const open = (route: string): Target => ({
  method: 'GET',
  route,
  refusal: 'oauth',
  honest: async () => ({ url: route, members: {} }),
})

const form = (route: string, members: Honest['members']): Target => ({
  method: 'POST',
  route,
  refusal: 'oauth',
  body: 'form',
  honest: async () => ({ url: route, members, headers: CLIENT }),
})

const forwardAuth = (route: string, url: string, members: Honest['members']): Target => ({
  ...open(route),
  honest: async (server) => ({
    url,
    members,
    headers: { authorization: `Bearer ${(await server.signIn()).access}` },
  }),
})

const tokenApi = (route: string, members: (server: TestApp) => Promise<Honest['members']>): Target => ({
  method: 'POST',
  route,
  refusal: 'token_api',
  body: 'either',
  honest: async (server) => ({ url: route, members: await members(server) }),
})

type Prepare = (server: TestApp, call: Call) => Promise<{ path?: string; members?: Honest['members'] }>
type Call = (method: Method, path: string, body?: object) => Promise<Record<string, string>>

/** @param prepare what makes the request one that succeeds: by default nothing. */
function admin(method: Method, route: string, prepare: Prepare = async () => ({})): Target {
  return {
    method,
    route: `/admin/api${route}`,
    refusal: 'problem',
    ...(method === 'POST' || method === 'PATCH' ? { body: 'json' } : {}),
    async honest(server) {
      const headers = { authorization: `Bearer ${await mintCliToken(server.deps)}` }
      const call: Call = async (method, path, payload) => {
        const response = await server.inject({
          method,
          url: `/admin/api${path}`,
          headers,
          ...(payload && { payload }),
        })
        if (response.statusCode >= 300) throw new Error(response.body)
        return response.json()
      }
      const { path = route, members = {} } = await prepare(server, call)
      return { url: `/admin/api${path}`, members, headers }
    },
  }
}

const newClient = () => ({ client_id: unique('c'), grant_types: ['client_credentials'], scope: 'read' })
const user = () => ({ username: unique('user'), name: 'Someone', roles: ['editor'], password: PASSWORD })
const resource = () => ({ resource: `https://${unique('r')}.example`, scopes: ['read'], access_token_seconds: 60 })

const anAccount: Prepare = async (_, call) => ({
  path: `/accounts/${(await call('POST', '/accounts', { username: unique('user') })).account_id}`,
})
const aClient: Prepare = async (_, call) => ({
  path: `/clients/${(await call('POST', '/clients', newClient())).client_id}`,
})
const aGrant: Prepare = async (server) => {
  await server.signIn('alice')
  const { items } = await server.deps.store.listGrants({}, { limit: 1, cursor: null })
  return { path: `/grants/${items[0]?.grant_id}` }
}
const alice = async ({ deps }: TestApp) => (await deps.store.findAccountByIdentifier('alice'))?.account_id ?? ''
const aSession: Prepare = async (server) => {
  const { session } = await seedSession(server.deps, { account_id: await alice(server) })
  return { path: `/sessions/${session.session_id}` }
}
const aConsent: Prepare = async (server) => {
  const consent = makeConsent({ account_id: await alice(server), client_id: 'service' })
  await server.deps.store.saveConsent({ consent, before: undefined }, [])
  return { path: '/consents?account=alice&client_id=service' }
}
const below =
  (prepare: Prepare, path: string): Prepare =>
  async (server, call) => {
    const made = await prepare(server, call)
    return { path: `${made.path}${path}` }
  }
const having =
  (prepare: Prepare, members: Honest['members']): Prepare =>
  async (server, call) => ({ ...(await prepare(server, call)), members })

const credentials = async () => ({ username: 'alice', password: PASSWORD, scope: 'openid', resource: RESOURCE })
const refresh = async (server: TestApp) => ({ refresh: (await server.signIn()).refresh })
const token = async (server: TestApp) => ({ token: (await server.signIn()).access })
const LOGOUT = { client_id: 'service', logout_hint: 'alice', ui_locales: 'en' }
// There is an administrator, so the honest answer of the set-up page is that it is gone.
const setUp = { route: '/setup', refusal: 'page', answers: 404 } as const

export const targets: readonly Target[] = [
  ...[
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/.well-known/oauth-protected-resource/userinfo',
    '/.well-known/oauth-protected-resource/admin/api',
    '/livez',
    '/readyz',
  ].map(open),
  {
    ...open('/userinfo'),
    honest: async (server) => ({
      url: '/userinfo',
      members: {},
      headers: { authorization: `Bearer ${(await server.signIn()).access}` },
    }),
  },
  {
    ...form('/userinfo', {}),
    honest: async (server) => ({ url: '/userinfo', members: { access_token: (await server.signIn()).access } }),
  },
  forwardAuth('/forward-auth', '/forward-auth', { accept: 'token', max_age: '600' }),
  forwardAuth('/forward-auth/with/:policy/*', '/forward-auth/with/accept=token/x', {}),
  { ...open('/forward-auth/callback'), answers: 400 },
  form('/token', { grant_type: 'client_credentials', scope: 'read' }),
  {
    ...form('/device_authorization', {}),
    honest: async (server) => {
      await server.createClient(DEVICE_CLIENT)
      return { url: '/device_authorization', members: { client_id: 'tv', scope: 'openid' } }
    },
  },
  form('/revoke', { token: 'x', token_type_hint: 'access_token' }),
  ...signalTargets,
  open('/.well-known/ssf-configuration'),
  open('/status-lists'),
  {
    ...open('/status-lists/:list'),
    async honest({ deps: { store } }) {
      const grant = makeGrant({ grant_id: unique('grant'), status_index: await store.allotStatusIndex() })
      await store.createGrant(grant, [], [])
      return { url: '/status-lists/0', members: {} }
    },
  },
  // To who may listen, the answer has no end: see test/endpoints/revocation_stream.test.ts.
  {
    ...open('/revocations/stream'),
    answers: 403,
    honest: async () => ({ url: '/revocations/stream', members: {}, headers: CLIENT }),
  },
  { ...form('/revocations/stream', { last_event_id: '1' }), answers: 403 },
  form('/introspect', { token: 'x', token_type_hint: 'access_token' }),
  ...['/', ''].flatMap((slash) =>
    [
      { ...tokenApi(`/api/token${slash}`, credentials), hashes: true },
      tokenApi(`/api/token/refresh${slash}`, refresh),
      tokenApi(`/api/token/verify${slash}`, token),
      tokenApi(`/api/token/blacklist${slash}`, refresh),
      { ...tokenApi(`/api-token-auth${slash}`, credentials), hashes: true },
      tokenApi(`/api-token-refresh${slash}`, token),
      tokenApi(`/api-token-verify${slash}`, token),
    ].map((target) => ({ ...target, alias: slash === '' })),
  ),
  { ...setUp, method: 'GET', honest: async () => ({ url: '/setup', members: { token: 'x' } }) },
  {
    ...setUp,
    method: 'POST',
    body: 'form',

    honest: async () => ({ url: '/setup', members: { token: 'x', username: 'root', email: '', password: PASSWORD } }),
  },
  { refusal: 'page', method: 'GET', route: '/demo', honest: async () => ({ url: '/demo', members: {} }) },
  // Without the cookie of a browser that has been there before.
  {
    refusal: 'page',
    method: 'POST',
    route: '/demo',
    body: 'form',
    answers: 403,
    honest: async () => ({ url: '/demo', members: { csrf_token: 'x', choice: 'sign_in' } }),
  },
  {
    refusal: 'page',
    method: 'GET',
    route: '/demo/callback',
    answers: 400,
    honest: async () => ({ url: '/demo/callback', members: { code: 'x', state: 'x', iss: RESOURCE } }),
  },
  { refusal: 'page', method: 'GET', route: '/logout', honest: async () => ({ url: '/logout', members: LOGOUT }) },
  {
    refusal: 'page',
    method: 'POST',
    route: '/logout',
    body: 'form',
    all_optional: true,
    // Without cookies it is sent on to the page of the same name.
    answers: 303,
    honest: async () => ({ url: '/logout', members: LOGOUT }),
  },
  { refusal: 'page', method: 'GET', route: '/setup/done', honest: async () => ({ url: '/setup/done', members: {} }) },
  ...authorizationTargets,
  ...pageTargets,
  admin('GET', '/openapi.json'),
  admin('GET', '/accounts', async () => ({ members: { limit: '1', username: 'alice' } })),
  { ...admin('POST', '/accounts', async () => ({ members: user() })), hashes: true },
  admin('POST', '/accounts/import', async () => ({
    members: { accounts: [{ username: unique('moved') }], on_conflict: 'skip', dry_run: false, allow_admins: false },
  })),
  admin('POST', '/accounts/export', async () => ({ members: { limit: 1 } })),
  admin('GET', '/accounts/:account', anAccount),
  admin('PATCH', '/accounts/:account', having(anAccount, { name: 'Another', roles: [], email: null })),
  admin('POST', '/accounts/:account/disable', below(anAccount, '/disable')),
  admin('POST', '/accounts/:account/enable', below(anAccount, '/enable')),
  admin('POST', '/accounts/:account/reset-throttle', below(anAccount, '/reset-throttle')),
  admin('GET', '/audit', async () => ({ members: { limit: '1', event: 'token.issued', account: 'alice' } })),
  admin('GET', '/audit/verify'),
  admin('POST', '/apply', async () => ({
    members: { resources: [resource()], clients: [{ ...newClient(), client_secret: SECRET }], users: [user()] },
  })),
  admin('GET', '/clients', async () => ({ members: { limit: '1' } })),
  admin('POST', '/clients', async () => ({ members: { ...newClient(), client_secret: SECRET } })),
  admin('GET', '/clients/:client_id', aClient),
  admin('PATCH', '/clients/:client_id', having(aClient, { scope: 'write', client_name: null, first_party: true })),
  admin('DELETE', '/clients/:client_id', aClient),
  admin('POST', '/clients/:client_id/rotate-secret', below(aClient, '/rotate-secret')),
  admin('POST', '/clients/:client_id/disable', below(aClient, '/disable')),
  admin('POST', '/clients/:client_id/enable', below(aClient, '/enable')),
  admin('GET', '/initial-access-tokens', async () => ({ members: { limit: '1' } })),
  admin('POST', '/initial-access-tokens', async () => ({ members: { uses: 1, expires_in: 60 } })),
  admin('DELETE', '/initial-access-tokens/:token_id', async (_, call) => ({
    path: `/initial-access-tokens/${(await call('POST', '/initial-access-tokens', {})).token_id}`,
  })),
  admin('GET', '/resources', async () => ({ members: { limit: '1', resource: RESOURCE } })),
  admin('GET', '/resources/token-preview', async (server) => {
    await server.signIn()
    return { members: { resource: server.issuer, account: 'alice', client_id: 'gatehouse-login', scope: 'openid' } }
  }),
  admin('POST', '/resources', async () => ({ members: resource() })),
  admin('PATCH', '/resources', async () => ({
    path: `/resources?resource=${encodeURIComponent(RESOURCE)}`,
    members: { scopes: null, access_token_seconds: 60 },
  })),
  admin('POST', '/revocations', async () => ({ members: { client_id: 'nobody', issued_before: 5 } })),
  admin('GET', '/keys'),
  admin('GET', '/keys/fetchers', async () => ({ members: { limit: '1' } })),
  admin('POST', '/keys/rotate', async () => ({ members: { alg: 'EdDSA', force: true, emergency: false } })),
  admin('POST', '/keys/rewrap'),
  admin('GET', '/grants', async () => ({ members: { limit: '1', account: 'alice' } })),
  admin('GET', '/grants/:grant_id', aGrant),
  admin('DELETE', '/grants/:grant_id', aGrant),
  admin('GET', '/sessions', async () => ({ members: { limit: '1', account: 'alice' } })),
  admin('GET', '/sessions/:session_id', aSession),
  admin('DELETE', '/sessions/:session_id', aSession),
  admin('POST', '/sessions/end', async () => ({ members: { account: 'alice', created_before: 5 } })),
  admin('GET', '/consents', async () => ({ members: { limit: '1', account: 'alice', client_id: 'service' } })),
  admin('DELETE', '/consents', aConsent),
  admin('GET', '/logout-deliveries', async () => ({ members: { limit: '1', client_id: 'service', session_id: 'x' } })),
  admin('GET', '/signal-streams', async () => ({ members: { limit: '1', client_id: 'service' } })),
  admin('GET', '/signals', async () => ({ members: { limit: '1', stream_id: 'x' } })),
  admin('POST', '/legacy-tokens/block', async () => ({ members: { tokens: [{ jti: unique('j'), expires_at: 5 }] } })),
  // There is an administrator already.
  { ...admin('POST', '/setup-links'), answers: 409 },
]

/** The request as it goes out. @param members in place of the honest ones */
export function requestOf(target: Target, honest: Honest, members = honest.members): InjectOptions {
  const { method } = target
  const { url, headers = {} } = honest
  if (target.body === undefined) {
    const query = formText(members)
    return { method, url: query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`, headers }
  }
  if (Object.keys(members).length === 0) return { method, url, headers }
  const asForm = target.body === 'form'
  const type = asForm ? 'application/x-www-form-urlencoded' : 'application/json'
  const payload = asForm ? formText(members) : JSON.stringify(members)
  return { method, url, headers: { ...headers, 'content-type': type }, payload }
}

export function formText(members: Honest['members']): string {
  const pairs = Object.entries(members).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]))
  return new URLSearchParams(pairs).toString()
}
