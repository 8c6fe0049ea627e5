import t from 'tap'
import { auditedEvents, buildTestAdmin } from '../helpers/admin.ts'
import { basic, PASSWORD } from '../helpers/app.ts'

const admin = await buildTestAdmin(t)
const { call, complaints, deps } = admin
const API = 'https://api.example.com'
const PHC = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

const document = {
  resources: [{ resource: API, scopes: ['read', 'write'], access_token_seconds: 300 }],
  clients: [
    {
      client_id: 'service',
      client_secret: 'a secret of the file',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'read gatehouse:read gatehouse:write',
      resources: [API],
      first_party: true,
      refresh_token_profile: 'standard',
      request_uris: ['ops@example.com'],
    },
  ],
  users: [
    {
      username: 'alice',
      email: 'alice@example.com',
      email_verified: true,
      name: 'Alice',
      password: PASSWORD,
      roles: ['admin'],
    },
  ],
}
type Document = typeof document
const [resource] = document.resources
const [client] = document.clients
const [user] = document.users

/** What a document changes: `update client service: scope client_secret`. */
async function apply(body: unknown, query = ''): Promise<string[]> {
  const response = await call('POST', `apply${query}`, body)
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${response.body}`)
  interface Change {
    kind: string
    id: string
    action: string
    members: { member: string }[]
  }
  const { changes }: { changes: Change[] } = response.json()
  return changes.map(
    ({ action, kind, id, members }) => `${action} ${kind} ${id}: ${members.map(({ member }) => member).join(' ')}`,
  )
}

t.test('a dry run tells everything and changes nothing', async (t) => {
  const response = await call('POST', 'apply?dry_run=true', document)
  t.match(response.json(), { dry_run: true, unchanged: 0, ignored: ['clients/0/request_uris'] })
  const { changes } = response.json()
  t.same(
    changes.map(({ kind, id, action }: Record<string, string>) => [kind, id, action]),
    [
      ['resource', API, 'create'],
      ['client', 'service', 'create'],
      ['user', 'alice', 'create'],
    ],
  )
  t.match(response.body, '{"member":"client_secret","before":null,"after":"(set)"}')
  t.match(response.body, '{"member":"password_hash","before":null,"after":"(set)"}')
  t.notMatch(response.body, /a secret of the file|passphrase|argon2/)
  t.equal(await deps.store.findClient('service'), undefined)
  t.equal((await call('GET', 'accounts/alice')).statusCode, 404)
})

t.test('applied once, it is there and works; twice, it changes nothing', async (t) => {
  t.equal((await apply(document)).length, 3)
  t.same(await auditedEvents(admin, 3), [
    'admin.account_created cli',
    'admin.client_created cli',
    'admin.resource_created cli',
  ])
  const form = { grant_type: 'client_credentials', resource: API }
  t.equal((await admin.postForm('/token', form, basic('service', 'a secret of the file'))).statusCode, 200)
  await t.resolves(admin.signIn('alice'))
  const before = await auditedEvents(admin, 1)
  t.same(await apply(document), [])
  t.same(await auditedEvents(admin, 1), before)
  t.equal((await call('POST', 'apply', document)).json().unchanged, 3)
})

t.test('only what differs is changed, member by member', async (t) => {
  const changed = {
    resources: [{ ...resource, scopes: ['read'] }],
    clients: [{ ...client, scope: 'read', client_secret: 'another secret' }],
    users: [
      { ...user, name: 'Alice B.', email: 'b@example.com', roles: ['admin', 'staff'], password: 'is not looked at' },
    ],
  }
  t.same(await apply(changed), [
    `update resource ${API}: scopes`,
    'update client service: scope client_secret',
    'update user alice: email name roles',
  ])
  t.match((await deps.store.findClient('service'))?.scope, 'read')
  const secretOnly = await call('POST', 'apply', { clients: [{ ...client, scope: 'read' }] })
  t.same(secretOnly.json().changes[0].members, [{ member: 'client_secret', before: '(set)', after: '(changed)' }])
  await t.resolves(admin.signIn('alice'), 'with the password that it was created with')
})

t.test('what the file leaves out stays: members, items and sections', async (t) => {
  t.same(await apply({}), [])
  t.same(await apply({ clients: [{ client_id: 'service' }], users: [{ username: 'ALICE' }] }), [])
  t.ok(await deps.store.findClient('service'))
})

t.test('a password hash is taken, and replaced when it differs', async (t) => {
  const imported = { users: [{ username: 'imported', password_hash: PHC }] }
  t.equal((await apply(imported)).length, 1)
  t.same(await apply(imported), [])
  const other = { users: [{ username: 'imported', password_hash: PHC.replace('c2Fs', 'c2Ft') }] }
  const response = await call('POST', 'apply', other)
  t.same(response.json().changes[0].members, [{ member: 'password_hash', before: '(set)', after: '(changed)' }])
  t.same(await auditedEvents(admin, 1), ['admin.password_hash_replaced cli'])
  t.same(await apply(other), [])
})

t.test('a client may name a resource of the same file', async (t) => {
  const together = {
    clients: [{ ...client, client_id: 'second', resources: ['https://second.example'] }],
    resources: [{ resource: 'https://second.example/' }],
  }
  t.equal((await apply(together)).length, 2)
  t.same(await apply(together), [])
})

t.test('everything wrong is said at once, and then nothing is changed', async (t) => {
  const wrong = {
    resources: [{ resource: 'https://good.example' }, { resource: 'nowhere' }, { resource: 'https://good.example/' }],
    clients: [
      { client_id: 'gatehouse-cli', client_secret: 'long enough', grant_types: ['client_credentials'] },
      { client_id: 'nosecret', grant_types: ['client_credentials'] },
      { client_id: 'unknown', client_secret: 'long enough', grant_types: ['client_credentials'], resources: ['urn:x'] },
    ],
    users: [
      { username: 'bob', password: 'short' },
      { username: 'b@example.com' },
      { username: 'BOB' },
      { username: 'carol', email: 'B@example.com' },
    ],
  }
  t.same((await complaints('POST', 'apply', wrong)).sort(), [
    'clients/0/client_id',
    'clients/1/client_secret',
    'clients/2/resources',
    'resources/1/resource',
    'resources/2/resource',
    'users/0/password',
    'users/1/username',
    'users/2/username',
    'users/3/email',
    'users/3/username',
  ])
  t.same(await deps.store.findResources(['https://good.example']), [])
  t.same((await complaints('POST', 'apply', { clients: [{ client_id: 5 }, {}], user: [] })).sort(), [
    'clients/0/client_id',
    'clients/1/client_id',
    'user',
  ])
})

t.test('a body of up to 1 MiB is taken, and no more', async (t) => {
  const users = (count: number) => ({
    users: Array.from({ length: count }, (_, n) => ({ username: `u${n}`, roles: 5 })),
  })
  t.equal((await call('POST', 'apply', users(9000))).statusCode, 400)
  t.equal((await call('POST', 'apply', { users: [{ username: 'x'.repeat(1_048_576) }] })).statusCode, 413)
})

t.test('dry_run is true or false', async (t) => {
  t.equal((await call('POST', 'apply?dry_run=maybe', document satisfies Document)).statusCode, 400)
  t.equal((await call('POST', 'apply?dryrun=true', document)).statusCode, 400)
  t.equal((await call('POST', 'apply?dry_run=false', {})).json().dry_run, false)
})
