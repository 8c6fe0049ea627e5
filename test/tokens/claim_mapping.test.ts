import { decodeProtectedHeader } from 'jose'
import t, { type Test } from 'tap'
import { mintCliToken } from '../../server/admin/cli_token.ts'
import type { Resource } from '../../server/protocol/resource.ts'
import { TOKEN_EXCHANGE_GRANT } from '../../server/protocol/token_exchange.ts'
import { basic, buildTestApp, claimsOf, PASSWORD } from '../helpers/app.ts'
import { sampleResource } from '../storage/samples.ts'

const SECRET = 'a client secret of some length'
const API = 'https://api.example.com'
const OTHER = 'https://other.example.com'

async function prepare(t: Test, changes: Partial<Resource> = {}, config = {}) {
  const server = await buildTestApp(t, { config })
  const { store } = server.deps
  const shared = { scopes: null, introspection_clients: ['service'] }
  await store.createResource(sampleResource({ ...shared, resource: API, ...changes }), [])
  await store.createResource(sampleResource({ ...shared, resource: OTHER, claims: { plan: 'free' } }), [])
  await server.createAccount({ roles: ['editor'] })
  await server.createClient({
    client_secret: SECRET,
    resources: [API, OTHER],
    grant_types: ['client_credentials', TOKEN_EXCHANGE_GRANT],
  })
  const headers = { authorization: `Bearer ${await mintCliToken(server.deps)}` }
  const admin = (method: 'GET' | 'POST' | 'PATCH', path: string, payload?: object) =>
    server.inject({ method, url: `/admin/api/${path}`, headers, ...(payload && { payload }) })
  return { server, admin }
}

const MAPPING = { role: 'authenticated', groups: '{{roles}}', who: '{{username}}' }

t.test('every way to a token for a resource gives its claims: sign-in, refresh, exchange, service', async (t) => {
  const { server } = await prepare(t, { claims: MAPPING })
  const mapped = { role: 'authenticated', groups: ['editor'], who: 'alice' }
  const { access, refresh } = await server.signIn('alice', { resource: API })
  t.match(claimsOf(access), { aud: API, ...mapped })
  t.match(claimsOf((await server.postJson('/api/token/refresh/', { refresh })).json().access), mapped)
  const exchanged = await server.postForm(
    '/token',
    {
      grant_type: TOKEN_EXCHANGE_GRANT,
      subject_token: access,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: OTHER,
    },
    basic('service', SECRET),
  )
  t.match(claimsOf(exchanged.json().access_token), { aud: OTHER, plan: 'free' })
  t.notHas(claimsOf(exchanged.json().access_token), mapped, 'those of its own resource, and no others')
  const own = await server.postForm(
    '/token',
    { grant_type: 'client_credentials', resource: API },
    basic('service', SECRET),
  )
  t.match(claimsOf(own.json().access_token), { role: 'authenticated', sub: 'service' })
  t.notHas(claimsOf(own.json().access_token), { groups: [], who: '' })
})

t.test(
  'RFC 8707 §2.2: resources that want different values under one claim, or another typ, need a token each',
  async (t) => {
    const { server } = await prepare(t, { claims: { plan: 'paid' } })
    const ask = (resources: string[]) =>
      server.postForm(
        '/token',
        `grant_type=client_credentials&${resources.map((r) => `resource=${encodeURIComponent(r)}`).join('&')}`,
        basic('service', SECRET),
      )
    t.match((await ask([API, OTHER])).json(), { error: 'invalid_target', error_description: /ask for one at a time/ })
    t.match(claimsOf((await ask([OTHER])).json().access_token), { plan: 'free' })
    const typed = await prepare(t, { token_typ: 'JWT' })
    const both = await typed.server.postForm(
      '/token',
      `grant_type=client_credentials&resource=${encodeURIComponent(API)}&resource=${encodeURIComponent(OTHER)}`,
      basic('service', SECRET),
    )
    t.match(both.json(), { error: 'invalid_target' })
  },
)

t.test(
  'token_typ JWT is for verifiers that refuse at+jwt; this server takes such tokens as what they are',
  async (t) => {
    const { server } = await prepare(t, { token_typ: 'JWT' })
    const { access } = await server.signIn('alice', { resource: API, scope: 'openid profile' })
    t.match(decodeProtectedHeader(access), { typ: 'JWT', alg: 'RS256', kid: String })
    const introspect = async (token: string) =>
      (await server.postForm('/introspect', { token }, basic('service', SECRET))).json()
    t.match(await introspect(access), { active: true, token_use: 'access_token', aud: API })
    t.equal((await server.postJson('/api/token/verify/', { token: access })).statusCode, 200)
    t.equal((await server.postForm('/revoke', { token: access, client_id: 'gatehouse-login' })).statusCode, 200)
    t.match(await introspect(access), { active: false })
  },
)

t.test(
  'RFC 8725 §3.11: whatever typ a resource wants, an ID token is no access token, nor the other way round',
  async (t) => {
    const { server } = await prepare(t, { token_typ: 'JWT' })
    const { deps } = server
    const { access } = await server.signIn('alice', { resource: API })
    const { token_type: _, ...others } = claimsOf(access)
    for (const claims of [others, { ...others, token_type: 'id' }, { ...others, token_type: ['access'] }]) {
      const forged = await deps.keys.sign('RS256', 'JWT', claims)
      t.equal((await server.postJson('/api/token/verify/', { token: forged })).statusCode, 401)
      t.match((await server.postForm('/introspect', { token: forged }, basic('service', SECRET))).json(), {
        active: false,
      })
    }
    for (const typ of ['jwt', 'logout+jwt', 'dpop+jwt', 'statuslist+jwt', 'application/at+jwt', '']) {
      const token = await deps.keys.sign('RS256', typ, claimsOf(access))
      t.match(
        (await server.postForm('/introspect', { token }, basic('service', SECRET))).json(),
        { active: false },
        typ,
      )
    }
    const headers = { authorization: `Bearer ${access}` }
    t.equal((await server.inject({ url: '/admin/api/accounts', headers })).statusCode, 401)
  },
)

t.test(
  'an administrator registers claims, is told what is wrong with them, and sees the token that somebody would get',
  async (t) => {
    const { admin } = await prepare(t)
    const path = `resources?resource=${encodeURIComponent(API)}`
    t.match((await admin('PATCH', path, { claims: MAPPING, token_typ: 'JWT' })).json(), {
      claims: MAPPING,
      token_typ: 'JWT',
    })
    for (const [claims, problem] of [
      [{ iss: 'x' }, /every token has a meaning for/],
      [{ a: '{{password_hash}}' }, /is not known/],
      ['x', /./],
      [[], /./],
      [{ a: 'x'.repeat(5000) }, /longer than 4096/],
    ] as const) {
      const refused = await admin('PATCH', path, { claims })
      t.equal(refused.statusCode, 400, JSON.stringify(claims).slice(0, 40))
      t.match(refused.body, problem)
    }
    t.equal((await admin('PATCH', path, { token_typ: 'id+jwt' })).statusCode, 400)
    const preview = await admin(
      'GET',
      `resources/token-preview?resource=${encodeURIComponent(API)}&account=alice&client_id=gatehouse-login&scope=read`,
    )
    t.match(preview.json(), {
      header: { alg: 'RS256', typ: 'JWT' },
      claims: { aud: API, sub: String, scope: 'read', role: 'authenticated', groups: ['editor'], who: 'alice' },
      bytes: Number,
      warnings: [/only its claims tell it from an ID token/],
    })
    const own = await admin('GET', `resources/token-preview?resource=${encodeURIComponent(API)}&client_id=service`)
    t.match(own.json(), { claims: { sub: 'service', role: 'authenticated' } })
  },
)

t.test('a preview says why there would be no token, and how long one is too long', async (t) => {
  const { admin, server } = await prepare(t, {}, { tokens: { access_token_budget_bytes: 1024 } })
  const at = (query: Record<string, string>) =>
    admin('GET', `resources/token-preview?${new URLSearchParams(query).toString()}`)
  t.match(await at({ resource: 'https://none.example', account: 'alice', client_id: 'service' }), {
    statusCode: 409,
    body: /not registered as a resource/,
  })
  t.equal((await at({ resource: API, account: 'nobody', client_id: 'service' })).statusCode, 404)
  t.equal((await at({ resource: API, client_id: 'nobody' })).statusCode, 404)
  t.equal((await at({ resource: API })).statusCode, 400)
  const path = `resources?resource=${encodeURIComponent(API)}`
  await admin('PATCH', path, { claims: { long: 'x'.repeat(2000) } })
  t.match((await at({ resource: API, account: 'alice', client_id: 'gatehouse-login' })).json(), {
    warnings: [/over its budget of 1024/],
  })
  server.logged.length = 0
  for (let times = 0; times < 3; times += 1) await server.signIn('alice', { resource: API })
  t.equal(server.logged.filter((line) => line.includes('over its budget')).length, 1, 'one line an hour')
})

t.test('the size of a preview is that of the token', async (t) => {
  const { admin, server } = await prepare(t, { claims: MAPPING })
  const query = new URLSearchParams({ resource: API, account: 'alice', client_id: 'gatehouse-login' })
  const { bytes } = (await admin('GET', `resources/token-preview?${query.toString()}`)).json()
  const { access } = await server.signIn('alice', { resource: API })
  t.ok(Math.abs(bytes - access.length) < 100, `${bytes} and ${access.length}`)
})

t.test(
  'a token that nobody could read is not issued, and nothing is used up: not the refresh token either',
  async (t) => {
    const { server, admin } = await prepare(t, { claims: {} })
    const { deps } = server
    const long = Array.from(
      { length: 32 },
      (_, index) => `role-of-some-length-and-more-${String(index).padStart(20, '0')}`,
    )
    const account = await deps.store.findAccountByIdentifier('alice')
    if (account === undefined) throw new Error('alice is there')
    const { refresh } = await server.signIn('alice', { resource: API })
    const patch = (path: string, body: object) => admin('PATCH', path, body)
    t.equal((await patch(`accounts/${account.account_id}`, { roles: long })).statusCode, 200)
    const mapping = { all: ['{{roles}}', '{{roles}}', '{{roles}}'] }
    t.equal((await patch(`resources?resource=${encodeURIComponent(API)}`, { claims: mapping })).statusCode, 200)

    const again = () => server.postJson('/api/token/refresh/', { refresh })
    t.equal((await again()).statusCode, 400)
    const form = { grant_type: 'refresh_token', refresh_token: refresh, client_id: 'gatehouse-login' }
    t.match((await server.postForm('/token', form)).json(), { error: 'invalid_target', error_description: /too long/ })
    t.ok(
      server.logged.some((line) => line.includes('come to') && line.includes(account.account_id)),
      'the log says why',
    )
    const query = new URLSearchParams({ resource: API, account: 'alice', client_id: 'gatehouse-login' })
    const preview = await admin('GET', `resources/token-preview?${query.toString()}`)
    t.match(preview, { statusCode: 409, body: /come to \d+ bytes for account/ })
    t.equal(
      (await server.postJson('/api/token/', { username: 'alice', password: PASSWORD, resource: API })).statusCode,
      400,
    )
    const service = { grant_type: 'client_credentials', resource: API }
    t.equal((await server.postForm('/token', service, basic('service', SECRET))).statusCode, 200, 'others go on')

    t.equal(
      (await patch(`resources?resource=${encodeURIComponent(API)}`, { claims: { all: '{{roles}}' } })).statusCode,
      200,
    )
    server.clock.advance(120)
    const answer = await again()
    t.equal(answer.statusCode, 200, 'beyond the window of a retry: it had not been rotated')
    t.match((await server.postJson('/api/token/verify/', { token: answer.json().access })).statusCode, 200)
  },
)
