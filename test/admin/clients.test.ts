import t from 'tap'
import { auditedEvents, buildTestAdmin } from '../helpers/admin.ts'
import { basic, PASSWORD } from '../helpers/app.ts'

const admin = await buildTestAdmin(t)
const { call, complaints, issuer } = admin
const SERVICE = { client_id: 'service', grant_types: ['client_credentials'], scope: 'read  write read' }
await call('POST', 'resources', { resource: 'https://api.example.com' })

async function authenticates(client_id: string, secret: string): Promise<boolean> {
  const response = await admin.postForm('/token', { grant_type: 'client_credentials' }, basic(client_id, secret))
  return response.statusCode === 200
}

t.test('RFC 7591 §3.2.1: a secret is made, shown once, and works', async (t) => {
  const made = await call('POST', 'clients', { ...SERVICE, request_uris: ['https://app.example.com'] })
  t.equal(made.statusCode, 201)
  t.same(await auditedEvents(admin, 1), ['admin.client_created cli'])
  const { client_secret, ...client } = made.json()
  t.match(client_secret, /^gth_cs_[\w-]{43}$/)
  t.match(client, {
    client_id: 'service',
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'read write',
    refresh_token_profile: 'standard',
    client_secret_expires_at: 0,
    ignored_members: ['request_uris'],
  })
  t.ok(await authenticates('service', client_secret))
  for (const path of ['clients', 'clients/service']) {
    const { body } = await call('GET', path)
    t.notMatch(body, client_secret)
    t.notMatch(body, /secret_digest|client_secret"/)
  }
  t.notOk(JSON.stringify(await admin.deps.store.listAudit({}, { limit: 9, cursor: null })).includes(client_secret))
  t.equal((await call('POST', 'clients', SERVICE)).statusCode, 409)
})

t.test('a client without a chosen name gets one', async (t) => {
  const { client_id } = (await call('POST', 'clients', { grant_types: ['client_credentials'] })).json()
  t.match(client_id, /^[\w-]{22}$/)
})

t.test('rotating the secret ends the old one', async (t) => {
  const { client_secret: first } = (await call('POST', 'clients/service/rotate-secret')).json()
  const { client_secret: second } = (await call('POST', 'clients/service/rotate-secret')).json()
  t.notOk(await authenticates('service', first))
  t.ok(await authenticates('service', second))
  t.equal((await call('POST', 'clients/gatehouse-login/rotate-secret')).statusCode, 409, 'a public client has none')
})

t.test('a change keeps what it does not name, and null takes an override away', async (t) => {
  const longer = { refresh_token_idle_seconds: 600, client_name: 'Service', first_party: true }
  t.match((await call('PATCH', 'clients/service', longer)).json(), { ...longer, scope: 'read write' })
  const without = (await call('PATCH', 'clients/service', { refresh_token_idle_seconds: null })).json()
  t.notHas(without, 'refresh_token_idle_seconds')
  t.notHas(without, 'client_secret')
  t.match(without, { client_name: 'Service' })
  t.same(await complaints('PATCH', 'clients/service', { client_id: 'other' }), ['client_id'])
})

t.test('a client that becomes confidential gets a secret; one that becomes public loses it', async (t) => {
  await call('POST', 'clients', {
    client_id: 'app',
    token_endpoint_auth_method: 'none',
    grant_types: ['refresh_token'],
  })
  const confidential = (await call('PATCH', 'clients/app', { token_endpoint_auth_method: 'client_secret_post' })).json()
  t.match(confidential.client_secret, /^gth_cs_/)
  await call('PATCH', 'clients/app', { token_endpoint_auth_method: 'none' })
  t.equal((await admin.deps.store.findClient('app'))?.client_secret_digest, null)
})

t.test('a deleted client is gone, and its name free again', async (t) => {
  t.equal((await call('DELETE', 'clients/app')).statusCode, 204)
  t.equal((await call('DELETE', 'clients/app')).statusCode, 404)
  t.equal((await call('GET', 'clients/app')).statusCode, 404)
})

t.test('what cannot be registered is refused member by member', async (t) => {
  const refused: [string[], object][] = [
    [['client_id'], { client_id: 'gatehouse-cli' }],
    [['client_id'], { client_id: 'with space' }],
    [['client_id'], { client_id: 'x'.repeat(256) }],
    [['client_secret'], { client_secret: 'short' }],
    [
      ['client_secret'],
      { token_endpoint_auth_method: 'none', grant_types: ['refresh_token'], client_secret: 'long enough' },
    ],
    [['grant_types'], { grant_types: [] }],
    [['grant_types'], { grant_types: ['password'] }],
    [['grant_types'], { token_endpoint_auth_method: 'none' }],
    [['token_endpoint_auth_method'], { token_endpoint_auth_method: 'client_secret_jwt' }],
    [['resources'], { resources: ['https://unknown.example'] }],
    [['resources'], { resources: ['no URI'] }],
    [['scope'], { scope: 'r"ead' }],
    [['scope'], { scope: 'gatehouse:everything' }],
    [['refresh_token_profile'], { refresh_token_profile: 'fixed' }],
    [['nonsense'], { nonsense: true }],
    [['first_party'], { first_party: 'yes' }],
  ]
  for (const [fields, member] of refused) {
    const wanted = { client_id: 'new', grant_types: ['client_credentials'], ...member }
    t.same(await complaints('POST', 'clients', wanted), fields, JSON.stringify(member).slice(0, 80))
  }
  const taken = { client_id: 'y'.repeat(255), client_secret: '8 chars.', grant_types: ['client_credentials'] }
  const resources = ['*', 'https://api.example.com/', issuer, `${issuer}/admin/api`]
  const made = await call('POST', 'clients', { ...taken, resources })
  t.equal(made.statusCode, 201, made.body)
  t.same(made.json().resources[1], 'https://api.example.com')
  t.equal((await call('GET', `clients/${taken.client_id}`)).statusCode, 200)
})

t.test('nobody grants what they lack: a client that may not read makes none that may', async (t) => {
  await admin.createClient({ client_id: 'writer', client_secret: 'long secret', scope: 'gatehouse:write' })
  await admin.createClient({ client_id: 'reader', client_secret: 'long secret', scope: 'gatehouse:read' })
  const form = { grant_type: 'client_credentials', resource: `${issuer}/admin/api` }
  const { access_token: token } = (await admin.postForm('/token', form, basic('writer', 'long secret'))).json()
  const as = (method: 'POST' | 'PATCH', path: string, body?: unknown) => call(method, path, body, { token })
  const wanted = { client_id: 'eve', grant_types: ['client_credentials'] }
  t.equal((await as('POST', 'clients', { ...wanted, scope: 'gatehouse:read' })).statusCode, 403)
  t.equal((await as('POST', 'clients', { ...wanted, scope: 'gatehouse:write' })).statusCode, 201)
  t.equal((await as('PATCH', 'clients/eve', { scope: 'gatehouse:read' })).statusCode, 403)
  t.equal((await as('POST', 'clients/reader/rotate-secret')).statusCode, 403, 'nor takes one over')
  t.equal((await as('PATCH', 'clients/reader', { client_secret: 'known to me' })).statusCode, 403)
})

t.test(
  'RFC 6749 §5.2: a disabled client is refused everywhere, and what it has is good for nothing until it is enabled',
  async (t) => {
    await admin.createClient({ client_id: 'agent', client_secret: 'long secret' })
    await admin.createClient({ client_id: 'watch', client_secret: 'long secret', scope: 'gatehouse:read' })
    const credentials = basic('agent', 'long secret')
    const asked = () => admin.postForm('/token', { grant_type: 'client_credentials' }, credentials)
    const { access_token: token } = (await asked()).json()
    const active = async () =>
      (await admin.postForm('/introspect', { token }, basic('watch', 'long secret'))).json().active
    t.equal(await active(), true)
    t.equal((await call('POST', 'clients/agent/disable')).statusCode, 204)
    t.equal((await call('POST', 'clients/agent/disable')).statusCode, 204, 'twice is as good as once')
    t.same(await auditedEvents(admin, 1), ['admin.client_disabled cli'])
    t.match((await asked()).json(), { error: 'invalid_client' })
    t.equal(await active(), false)
    const changed = await call('PATCH', 'clients/agent', { client_name: 'Agent' })
    t.match(changed.json(), { client_name: 'Agent', disabled_at: Number }, 'a change leaves it disabled')
    const { items } = (await call('GET', 'clients?limit=200')).json()
    t.match(
      items.find((item: { client_id: string }) => item.client_id === 'agent'),
      { disabled_at: Number },
    )
    t.equal((await call('POST', 'clients/agent/enable')).statusCode, 204)
    t.same(await auditedEvents(admin, 1), ['admin.client_enabled cli'])
    t.equal((await asked()).statusCode, 200)
    t.equal(await active(), true)
    for (const verb of ['disable', 'enable']) t.equal((await call('POST', `clients/none/${verb}`)).statusCode, 404)
  },
)

t.test('the login API refuses while its client is disabled', async (t) => {
  await admin.createAccount({ username: 'alice' })
  const { refresh } = await admin.signIn('alice')
  t.equal((await call('POST', 'clients/gatehouse-login/disable')).statusCode, 204)
  t.equal((await admin.postJson('/api/token/refresh/', { refresh })).statusCode, 401)
  t.equal((await admin.postJson('/api/token/verify/', { token: refresh })).statusCode, 400)
  const again = await admin.postJson('/api/token/', { username: 'alice', password: PASSWORD })
  t.match(again, { statusCode: 400, body: /the client is disabled/ })
  t.equal((await call('POST', 'clients/gatehouse-login/enable')).statusCode, 204)
  t.equal((await admin.postJson('/api/token/refresh/', { refresh })).statusCode, 200)
})

t.test('RFC 5789 §2: of changes in the same moment none undoes another', async (t) => {
  await call('POST', 'clients', { ...SERVICE, client_id: 'busy' })
  const changes = [{ client_name: 'Busy' }, { contacts: ['a@example.com'] }, { software_id: 'x' }, { scope: 'read' }]
  const answers = await Promise.all(changes.map((change) => call('PATCH', 'clients/busy', change)))
  t.same(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 200],
  )
  const merged = { client_name: 'Busy', contacts: ['a@example.com'], software_id: 'x', scope: 'read' }
  t.match((await call('GET', 'clients/busy')).json(), merged)
})
