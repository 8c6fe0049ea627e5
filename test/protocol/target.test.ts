import t from 'tap'
import type { Account } from '../../server/protocol/account.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../../server/protocol/client.ts'
import type { Resource } from '../../server/protocol/resource.ts'
import { PERSON_SCOPES } from '../../server/protocol/scope.ts'
import { normalizeResource, resourcesAskedFor, selectTarget } from '../../server/protocol/target.ts'

const ISSUER = 'https://id.example.com'
const ADMIN = `${ISSUER}/admin/api`
const USERINFO = `${ISSUER}/userinfo`
const API = 'https://api.example.com'
const defaults = {
  default_resource: ISSUER,
  admin_resource: ADMIN,
  userinfo_resource: USERINFO,
  access_token_seconds: 300,
}

const client = (changes: Partial<Client> = {}): Client => ({
  client_id: 'service',
  ...CLIENT_DEFAULTS,
  ...MADE_BY_ADMIN,
  client_secret_digest: 'digest',
  grant_types: ['client_credentials'],
  token_endpoint_auth_method: 'client_secret_basic',
  scope: 'read write gatehouse:read',
  resources: [API],
  first_party: true,
  refresh_token_profile: 'standard',
  disabled_at: null,
  created_at: 0,
  updated_at: 0,
  ...changes,
})
const resource = (changes: Partial<Resource> = {}): Resource => ({
  resource: API,
  scopes: ['read', 'write', 'delete'],
  access_token_seconds: null,
  signing_alg: 'RS256',
  introspection_clients: [],
  authorization_details_types: [],
  claims: {},
  token_typ: 'at+jwt',
  created_at: 0,
  updated_at: 0,
  ...changes,
})
const known = [
  resource(),
  resource({ resource: ISSUER, scopes: null }),
  resource({ resource: ADMIN, scopes: ['gatehouse:read', 'gatehouse:write'] }),
  resource({ resource: USERINFO, scopes: PERSON_SCOPES }),
  resource({ resource: 'https://ec.example.com', signing_alg: 'ES256', access_token_seconds: 60 }),
]
const account = (roles: string[]): Account => ({
  account_id: 'alice',
  username: 'alice',
  email: null,
  email_verified_at: null,
  name: null,
  roles,
  profile: {},
  password_hash: null,
  disabled_at: null,
  created_at: 0,
  updated_at: 0,
  legacy_user_id: null,
})

interface Asked {
  client?: Client
  account?: Account | null
  resources?: string[]
  scope?: string
  granted?: { scope: string; resources: string[]; authorization_details?: { type: string }[] }
}
function select(asked: Asked) {
  const resources = asked.resources ?? [API]
  const found = resources.flatMap((name) => known.filter((row) => row.resource === name))
  const parties = { client: asked.client ?? client(), account: asked.account ?? null }
  return selectTarget(
    asked.granted === undefined ? parties : { ...parties, granted: { authorization_details: [], ...asked.granted } },
    { resources, found, scope: asked.scope },
    defaults,
  )
}

function refusalOf(asked: Asked): unknown {
  try {
    return select(asked)
  } catch (error) {
    return error
  }
}

t.test('RFC 8707 §2: a resource is an absolute URI without a fragment', async (t) => {
  t.equal(normalizeResource(API), API)
  t.equal(normalizeResource(`${API}/`), API, "an empty path's slash is the client's URL type speaking")
  t.equal(normalizeResource(`${API}/v1/`), `${API}/v1/`)
  t.equal(normalizeResource(`${API}/?a=1`), `${API}/?a=1`)
  t.equal(normalizeResource('urn:example:api'), 'urn:example:api')
  for (const bad of ['', 'api', '/api', `${API}#x`, `${API}#`, 'https://']) {
    t.throws(() => normalizeResource(bad), { code: 'invalid_target' }, bad)
  }
})

t.test('RFC 8707 §2.2: the named resource decides, else what was granted, else the default one', async (t) => {
  const ask = (resources: string[], scope?: string, granted?: string[]) =>
    resourcesAskedFor({ resource: resources, scope }, granted === undefined ? defaults : { ...defaults, granted })
  t.strictSame(ask([API, API]), [API])
  t.strictSame(ask([]), [ISSUER])
  t.strictSame(ask([], 'read'), [ISSUER])
  t.strictSame(ask([], undefined, [API]), [API])
  t.strictSame(ask([], 'gatehouse:read'), [ADMIN], "the admin API's scopes mean nothing elsewhere")
  t.strictSame(ask([], 'gatehouse:read read'), [ISSUER])
})

t.test('RFC 6749 §3.3: without a scope, all that the client has and the resource knows', async (t) => {
  t.match(select({}), { resources: [API], scope: 'read write', access_token_seconds: 300, signing_alg: 'RS256' })
  t.match(select({ resources: [ADMIN] }), { scope: 'gatehouse:read' })
  t.match(select({ resources: [ISSUER] }), { scope: 'read write' })
  t.match(select({ client: client({ scope: '*' }) }), { scope: 'read write delete' })
})

t.test(
  'RFC 6749 §3.3: a scope beyond the registration is refused, one unknown to the resource is left out',
  async (t) => {
    t.match(select({ scope: 'read' }), { scope: 'read' })
    t.match(select({ scope: 'read gatehouse:read' }), { scope: 'read' })
    for (const scope of ['delete', 'read delete', 'read "quoted"', 'gatehouse:write', 'gatehouse:read', '*']) {
      t.throws(() => select({ scope }), { code: 'invalid_scope' }, scope)
    }
  },
)

t.test('a wildcard covers every scope but those of the admin API', async (t) => {
  const wild = client({ scope: '*', resources: ['*'] })
  t.match(select({ client: wild, scope: 'delete' }), { scope: 'delete' })
  t.throws(() => select({ client: wild, resources: [ADMIN] }), { code: 'invalid_target' })
  t.throws(() => select({ client: wild, scope: 'gatehouse:read' }), { code: 'invalid_scope' })
})

t.test("for an account, the admin API's scopes come with the role", async (t) => {
  t.match(select({ account: account(['admin']), resources: [ADMIN] }), { scope: 'gatehouse:read' })
  t.throws(() => select({ account: account(['editor']), resources: [ADMIN] }), { code: 'invalid_target' })
})

t.test('RFC 8707 §2: an unknown or foreign resource is an invalid_target', async (t) => {
  for (const name of ['https://unknown.example.com', 'https://ec.example.com']) {
    t.throws(() => select({ resources: [name] }), { code: 'invalid_target' }, name)
  }
  t.throws(() => select({ client: client({ resources: [] }) }), { code: 'invalid_target' })
})

t.test('the log learns why a resource or a scope is refused, and a stranger does not', async (t) => {
  const unavailable = 'the resource is not available to this client'
  const wild = client({ scope: '*', resources: ['*'] })
  const why: [Asked, string, RegExp][] = [
    [{ resources: ['https://unknown.example'] }, unavailable, /^https:\/\/unknown.example is not registered/],
    [{ client: client({ resources: [] }) }, unavailable, /is not among the resources of client service$/],
    [{ granted: { scope: 'read', resources: [ISSUER] } }, unavailable, /is not among what was granted: https:\/\/id/],
    [{ client: wild, resources: [ADMIN] }, unavailable, /client service has none that it may use$/],
    [{ account: account([]), resources: [ADMIN] }, unavailable, /by account alice, which needs the role admin$/],
    [
      { client: wild, resources: [USERINFO], scope: 'x' },
      'none of these scopes is known at the resource',
      /^1 unknown at .*o$/,
    ],
    [
      { client: client(), resources: [USERINFO] },
      unavailable,
      /^UserInfo needs the scope openid, which service lacks$/,
    ],
    [
      { scope: 'read delete' },
      'the scope exceeds what was granted to this client',
      /^1 of 2 are not among: read write gatehouse:read$/,
    ],
    [
      { client: wild, resources: [API, 'https://ec.example.com'] },
      'these resources cannot share a token; ask for one at a time',
      /example.com wants RS256, at\+jwt, .* wants ES256, at\+jwt$/,
    ],
  ]
  for (const [asked, description, detail] of why) t.match(refusalOf(asked), { description, detail })
})

t.test('RFC 6749 §6: a refresh narrows what was granted and never widens it', async (t) => {
  const granted = { scope: 'read write', resources: [API, ISSUER] }
  t.match(select({ granted, scope: 'read' }), { scope: 'read' })
  t.match(select({ granted, resources: [ISSUER] }), { resources: [ISSUER] })
  t.throws(() => select({ granted: { ...granted, scope: 'read' }, scope: 'write' }), { code: 'invalid_scope' })
  t.throws(() => select({ granted: { ...granted, resources: [ISSUER] } }), { code: 'invalid_target' })
  const narrowed = client({ scope: 'read' })
  t.match(select({ client: narrowed, granted }), { scope: 'read' }, 'what the client lost since is gone')
})

t.test('one token has one signature and the shortest of the lifetimes', async (t) => {
  const both = client({ resources: ['*'] })
  t.throws(() => select({ client: both, resources: [API, 'https://ec.example.com'] }), { code: 'invalid_target' })
  t.match(select({ client: both, resources: ['https://ec.example.com'] }), {
    signing_alg: 'ES256',
    access_token_seconds: 60,
  })
})

t.test('OpenID Connect Core §5.4: the scopes about a person mean the same at every resource', async (t) => {
  const relying = client({ scope: 'openid email read' })
  t.match(select({ client: relying, scope: 'openid email read' }), { scope: 'openid email read' })
  t.match(select({ client: relying, scope: 'openid' }), { scope: 'openid' })
  t.match(select({ client: relying, granted: { scope: 'openid read', resources: [API] } }), { scope: 'openid read' })
  t.match(select({ client: relying }), { scope: 'read' }, 'but none is granted without being asked for')
  t.throws(() => select({ client: relying, scope: 'openid phone' }), { code: 'invalid_scope' }, 'not registered for it')
})

t.test('UserInfo is a resource of every client that signs people in, and of no other', async (t) => {
  const relying = client({ scope: 'openid email read', resources: [] })
  t.match(select({ client: relying, resources: [USERINFO] }), { resources: [USERINFO], scope: 'openid email' })
  t.throws(() => select({ client: client({ scope: 'email' }), resources: [USERINFO] }), { code: 'invalid_target' })
})

t.test('RFC 9396 §9.1: authorization_details go to the resources that know their type', async (t) => {
  const granted = { scope: 'read', resources: [API, ISSUER], authorization_details: [{ type: 'payment' }] }
  t.match(select({ granted }), { authorization_details: [] })
  const paying = resource({ authorization_details_types: ['payment'] })
  const found = [paying, ...known.filter(({ resource }) => resource === ISSUER)]
  const parties = { client: client({ authorization_details_types: ['payment'] }), account: null, granted }
  const asked = (resources: string[]) => ({
    resources,
    found: found.filter((row) => resources.includes(row.resource)),
    scope: undefined,
  })
  t.strictSame(selectTarget(parties, asked([API]), defaults).authorization_details, [{ type: 'payment' }])
  t.strictSame(selectTarget(parties, asked([ISSUER]), defaults).authorization_details, [])
  const lost = { ...parties, client: client({ authorization_details_types: ['account'] }) }
  t.strictSame(selectTarget(lost, asked([API]), defaults).authorization_details, [], '§10: of a client that lost it')
})
