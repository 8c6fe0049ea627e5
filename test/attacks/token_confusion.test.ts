import t from 'tap'
import { createSetupLink } from '../../server/accounts/setup_link.ts'
import { mintCliToken } from '../../server/admin/cli_token.ts'
import { basic, buildTestApp, PASSWORD } from '../helpers/app.ts'

/** Everything that this server hands out, presented wherever something else belongs. */

const SECRET = `gth_cs_${'s'.repeat(43)}`
const server = await buildTestApp(t, {
  config: { http: { max_event_loop_delay_milliseconds: 0 }, throttle: { client_failures_per_minute: 100_000 } },
})
const service = basic('service', SECRET)
await server.createAccount()
await server.createAccount({ username: 'root', roles: ['admin'] })
await server.createClient({ client_secret: SECRET, scope: 'read gatehouse:read gatehouse:write' })
await server.createClient({ client_id: 'app', scope: 'read' })

async function ofClient(resource: string): Promise<string> {
  const form = { grant_type: 'client_credentials', resource }
  return (await server.postForm('/token', form, service)).json().access_token
}

/** A set-up token is made while there is no administrator, and so in a server of its own with the same secrets. */
async function setupToken(): Promise<string> {
  const other = await buildTestApp(t)
  const link = await createSetupLink(other.deps)
  return link === 'administrator_exists' ? '' : (new URL(link.setup_url).searchParams.get('token') ?? '')
}

const admin_resource = `${server.issuer}/admin/api`
const user = await server.signIn()
const root = await server.signIn('root', { resource: admin_resource, scope: 'gatehouse:read gatehouse:write' })
const { items } = await server.deps.store.listGrants({}, { limit: 1, cursor: null })
const refreshKinds = ['refresh token', "an administrator's refresh token"]
const adminKinds = ["an administrator's access token", "a client's access token for the admin API", 'CLI token']
const accessKinds = ['access token', "a client's access token", ...adminKinds]
const tokens: Readonly<Record<string, string>> = {
  'access token': user.access,
  'refresh token': user.refresh,
  "an administrator's access token": root.access,
  "an administrator's refresh token": root.refresh,
  "a client's access token": await ofClient(server.issuer),
  "a client's access token for the admin API": await ofClient(admin_resource),
  'CLI token': await mintCliToken(server.deps),
  'set-up token': await setupToken(),
  'client secret': SECRET,
  password: PASSWORD,
  grant_id: items[0]?.grant_id ?? '',
  session_id: items[0]?.session_id ?? '',
  client_id: 'service',
}

interface Place {
  readonly name: string
  /** What belongs there, and what else a client may be told of without harm. */
  readonly takes: readonly string[]
  readonly present: (token: string) => Promise<boolean>
}

const active = async (token: string) =>
  (await server.postForm('/introspect', { token }, service)).json().active === true

const places: readonly Place[] = [
  {
    name: 'a bearer at the admin API',
    takes: adminKinds,
    present: async (token) => {
      const { statusCode } = await server.inject({
        url: '/admin/api/accounts',
        headers: { authorization: `Bearer ${token}` },
      })
      if (statusCode !== 200 && statusCode !== 401) t.fail(`${statusCode}`)
      return statusCode === 200
    },
  },
  {
    name: 'an access token at introspection',
    // The command line's token is for its own call only.
    takes: [...accessKinds.filter((kind) => kind !== 'CLI token'), ...refreshKinds],
    present: active,
  },
  {
    name: 'refresh at the login API',
    takes: refreshKinds,
    present: async (refresh) => (await server.postJson('/api/token/refresh/', { refresh })).statusCode === 200,
  },
  {
    name: 'refresh_token of another client',
    takes: [],
    present: async (refresh_token) => {
      const form = { grant_type: 'refresh_token', refresh_token, client_id: 'app' }
      return (await server.postForm('/token', form)).statusCode === 200
    },
  },
  {
    name: 'refresh_token of a confidential client',
    takes: [],
    present: async (refresh_token) =>
      (await server.postForm('/token', { grant_type: 'refresh_token', refresh_token }, service)).statusCode === 200,
  },
  {
    name: 'a client secret by Basic',
    takes: ['client secret'],
    present: async (secret) =>
      (await server.postForm('/token', { grant_type: 'client_credentials' }, basic('service', secret))).statusCode ===
      200,
  },
  {
    name: 'a client secret in the body',
    takes: ['client secret'],
    present: async (client_secret) => {
      const form = { grant_type: 'client_credentials', client_id: 'service', client_secret }
      return (await server.postForm('/token', form)).statusCode === 200
    },
  },
  {
    name: 'a bearer in place of client authentication',
    takes: [],
    present: async (token) => {
      const form = { grant_type: 'client_credentials', client_id: 'service' }
      return (await server.postForm('/token', form, { authorization: `Bearer ${token}` })).statusCode === 200
    },
  },
  {
    name: 'an authorization code',
    takes: [],
    present: async (code) =>
      (await server.postForm('/token', { grant_type: 'authorization_code', code, client_id: 'app' })).statusCode ===
      200,
  },
  {
    name: 'a password',
    takes: ['password'],
    present: async (password) => {
      server.clock.advance(61)
      return (await server.postJson('/api/token/', { username: 'alice', password })).statusCode === 200
    },
  },
  {
    name: 'the token of a set-up link',
    takes: [],
    present: async (token) => {
      const form = { token, username: 'mallory', password: PASSWORD }
      return (await server.postForm('/setup', form)).statusCode < 400
    },
  },
  {
    name: 'a grant_id in the path of the admin API',
    takes: ['grant_id'],
    present: async (token) => {
      const headers = { authorization: `Bearer ${await mintCliToken(server.deps)}` }
      const url = `/admin/api/grants/${encodeURIComponent(token)}`
      return (await server.inject({ url, headers })).statusCode === 200
    },
  },
]

for (const { name, takes, present } of places) {
  t.test(`${name}: only what belongs there`, async (t) => {
    for (const [kind, token] of Object.entries(tokens)) t.equal(await present(token), takes.includes(kind), kind)
  })
}

t.test('RFC 7009 §2.1: revoking what is not of this client, or no token, changes nothing', async (t) => {
  const later = await server.signIn()
  const mine = await ofClient(server.issuer)
  for (const token of [later.access, later.refresh, SECRET, PASSWORD, 'service', tokens.grant_id ?? '']) {
    t.ok((await server.postForm('/revoke', { token }, service)).statusCode <= 400)
    await server.postForm('/revoke', { token, client_id: 'app' })
  }
  await server.postForm('/revoke', { token: mine, client_id: 'app' })
  for (const token of [later.access, later.refresh, mine]) t.equal(await active(token), true)
})

t.test('only a refresh token of the login API signs out there', async (t) => {
  const { access, refresh } = await server.signIn()
  for (const token of [access, await ofClient(server.issuer), SECRET, tokens['set-up token']]) {
    t.equal((await server.postJson('/api/token/blacklist/', { refresh: token })).statusCode, 401)
  }
  t.equal(await active(refresh), true)
})

t.test("a client's own token is nobody's session", async (t) => {
  const token = await ofClient(admin_resource)
  const { items } = await server.deps.store.listGrants({ client_id: 'service' }, { limit: 1, cursor: null })
  t.strictSame(items, [], 'RFC 6749 §4.4.3: it hangs on no grant')
  const described = (await server.postForm('/introspect', { token }, service)).json()
  t.equal(described.username, undefined)
  t.equal(described.sid, undefined)
  t.equal(described.sub, 'service')
})

t.test('a client that is called like an account does not become it', async (t) => {
  const { account_id } = await server.createAccount({ username: 'twin', roles: ['admin'] })
  await server.createClient({ client_id: account_id, client_secret: SECRET, scope: 'read' })
  const form = { grant_type: 'client_credentials', resource: admin_resource, scope: 'gatehouse:read' }
  const refused = await server.postForm('/token', form, basic(account_id, SECRET))
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { error: /invalid_target|invalid_scope/ })
})
