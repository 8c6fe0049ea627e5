import t from 'tap'
import { auditedEvents, buildTestAdmin } from '../helpers/admin.ts'

const admin = await buildTestAdmin(t)
const { call, complaints, deps, issuer } = admin
const API = 'https://api.example.com'
const named = (resource: string) => `resources?resource=${encodeURIComponent(resource)}`

t.test('the admin API and the default resource are there unasked', async (t) => {
  const { items } = (await call('GET', 'resources')).json()
  t.match(items, [
    { resource: `${issuer}/admin/api`, built_in: true, scopes: ['gatehouse:read', 'gatehouse:write'] },
    { resource: issuer, built_in: true, scopes: null },
  ])
  t.equal((await call('PATCH', named(issuer), {})).statusCode, 409, 'to change it, register it')
  t.same(await complaints('POST', 'resources', { resource: `${issuer}/admin/api` }), ['resource'])
  t.equal((await call('PATCH', named(`${issuer}/admin/api`), {})).statusCode, 409)
})

t.test('a resource brings the key that it asks for', async (t) => {
  t.notOk(deps.keys.algorithms.includes('EdDSA'))
  const made = await call('POST', 'resources', { resource: `${API}/`, signing_alg: 'EdDSA', access_token_seconds: 60 })
  t.equal(made.statusCode, 201)
  t.match(made.json(), {
    resource: API,
    scopes: null,
    introspection_clients: [],
    authorization_details_types: [],
    claims: {},
    token_typ: 'at+jwt',
    built_in: false,
  })
  t.ok(deps.keys.algorithms.includes('EdDSA'))
  t.equal((await call('POST', 'resources', { resource: API })).statusCode, 409)
  t.same(await auditedEvents(admin, 1), ['admin.resource_created cli'])
})

t.test('a change keeps what it does not name', async (t) => {
  const changed = await call('PATCH', named(`${API}/`), {
    scopes: ['read', 'read', 'write'],
    access_token_seconds: null,
  })
  t.match(changed.json(), { scopes: ['read', 'write'], access_token_seconds: null, signing_alg: 'EdDSA' })
  t.same((await call('GET', named(API))).json().items, [changed.json()])
  t.equal((await call('PATCH', named('https://other.example'), {})).statusCode, 404)
  t.equal((await call('PATCH', 'resources', {})).statusCode, 400)
})

t.test('the default resource, once registered, is a resource like any other', async (t) => {
  t.equal((await call('POST', 'resources', { resource: issuer, access_token_seconds: 30 })).statusCode, 201)
  const { items } = (await call('GET', named(issuer))).json()
  t.match(items, [{ resource: issuer, built_in: false, access_token_seconds: 30 }])
  t.equal(items.length, 1)
})

t.test('RFC 8707 §2: a resource is an absolute URI without a fragment', async (t) => {
  for (const resource of ['api', '/api', 'https://api.example.com/#x', 'https://api.example.com#', '']) {
    t.same(await complaints('POST', 'resources', { resource }), ['resource'], resource)
  }
  t.equal((await call('POST', 'resources', { resource: 'urn:example:api' })).statusCode, 201)
})

t.test('what a resource cannot have is refused member by member', async (t) => {
  const refused: [string, object][] = [
    ['scopes', { scopes: ['two words'] }],
    ['scopes', { scopes: ['*'] }],
    ['scopes', { scopes: ['gatehouse:read'] }],
    ['scopes/0', { scopes: [''] }],
    ['access_token_seconds', { access_token_seconds: 9 }],
    ['access_token_seconds', { access_token_seconds: 86_401 }],
    ['access_token_seconds', { access_token_seconds: '60' }],
    ['signing_alg', { signing_alg: 'HS256' }],
    ['introspection_clients', { introspection_clients: 'a' }],
    ['authorization_details_types', { authorization_details_types: 'a' }],
  ]
  for (const [field, member] of refused) {
    t.ok((await complaints('POST', 'resources', { resource: 'https://x.example', ...member })).includes(field), field)
  }
})
