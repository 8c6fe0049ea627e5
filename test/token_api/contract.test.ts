import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { buildTestApp, claimsOf, PASSWORD, type TestApp } from '../helpers/app.ts'

/** Every row of djangorestframework-simplejwt's contract. */

const NO_ACTIVE_ACCOUNT = { detail: 'No active account found with the given credentials' }
const invalid = (detail: string) => ({ detail, code: 'token_not_valid' })

/** A refusal to the letter; a 401 says how to authenticate (RFC 9110 §11.6.1). */
function refuses(t: Test, response: LightMyRequestResponse, status: number, body: object): void {
  t.equal(response.statusCode, status)
  t.strictSame(response.json(), body)
  t.equal(response.headers['www-authenticate'], status === 401 ? 'Bearer realm="api"' : undefined)
  t.equal(response.headers['cache-control'], 'no-store')
}

t.test('POST /api/token/ gives a pair, as JSON or form, with or without the slash', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const credentials = { username: 'alice', password: PASSWORD }
  for (const url of ['/api/token/', '/api/token']) {
    for (const response of [await server.postJson(url, credentials), await server.postForm(url, credentials)]) {
      t.equal(response.statusCode, 200)
      t.strictSame(Object.keys(response.json()).sort(), ['access', 'refresh'])
      t.equal(response.headers['cache-control'], 'no-store')
    }
  }
})

t.test('RFC 9068 §2.2 and simplejwt: an access token carries the claims of both worlds', async (t) => {
  const server = await buildTestApp(t)
  const { account_id } = await server.createAccount()
  const { access } = await server.signIn()
  const now = server.clock.now()
  t.match(claimsOf(access), {
    iss: server.issuer,
    sub: account_id,
    aud: server.issuer,
    client_id: 'gatehouse-login',
    scope: 'openid profile email',
    iat: now,
    exp: now + 300,
    auth_time: now,
    amr: ['pwd'],
    token_type: 'access',
    user_id: account_id,
  })
  t.notOk('nbf' in claimsOf(access), 'a slow clock must not refuse it')
  const header = JSON.parse(Buffer.from(access.split('.')[0] ?? '', 'base64url').toString())
  t.match(header, { alg: 'RS256', typ: 'at+jwt', kid: /^[\w-]{43}$/ })
})

t.test('aud is the default resource unless one is named', async (t) => {
  const server = await buildTestApp(t, { config: { tokens: { default_resource: 'https://api.example.com' } } })
  await server.createAccount({ roles: ['admin'] })
  const resource = {
    scopes: ['read'],
    access_token_seconds: 60,
    signing_alg: 'RS256',
    introspection_clients: [],
    authorization_details_types: [],
    claims: {},
    token_typ: 'at+jwt',
  } as const
  const named = { ...resource, resource: 'https://other.example.com', created_at: 0, updated_at: 0 }
  await server.deps.store.createResource(named, [])
  t.match(claimsOf((await server.signIn()).access), { aud: 'https://api.example.com' })
  const other = claimsOf((await server.signIn('alice', { resource: 'https://other.example.com' })).access)
  t.match(other, { aud: 'https://other.example.com', scope: 'read', exp: server.clock.now() + 60 })
  const both = { resource: ['https://other.example.com', 'https://api.example.com'] }
  t.strictSame(claimsOf((await server.signIn('alice', both)).access).aud, both.resource)
  const unknown = await server.postJson('/api/token/', {
    username: 'alice',
    password: PASSWORD,
    resource: 'https://evil.example',
  })
  refuses(t, unknown, 400, { resource: ['the resource is not available to this client'] })
})

t.test("the admin API's scopes go to administrators, at the admin API only", async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount({ username: 'root', roles: ['admin'] })
  await server.createAccount({ username: 'alice' })
  const resource = `${server.issuer}/admin/api`
  t.match(claimsOf((await server.signIn('root', { resource })).access), {
    aud: resource,
    scope: 'gatehouse:read gatehouse:write',
  })
  t.match(claimsOf((await server.signIn('root', { scope: 'gatehouse:read' })).access), { aud: resource })
  t.match(claimsOf((await server.signIn('root')).access), { aud: server.issuer, scope: 'openid profile email' })
  for (const more of [{ resource }, { scope: 'gatehouse:read' }, { scope: 'openid gatehouse:write' }]) {
    const refused = await server.postJson('/api/token/', { username: 'alice', password: PASSWORD, ...more })
    t.equal(refused.statusCode, 400)
  }
})

t.test('what is missing, blank, null or of the wrong type is named, all at once', async (t) => {
  const server = await buildTestApp(t)
  const cases: [unknown, object][] = [
    [{}, { username: ['This field is required.'], password: ['This field is required.'] }],
    [
      { username: '', password: '  ' },
      { username: ['This field may not be blank.'], password: ['This field may not be blank.'] },
    ],
    [{ username: null, password: 'x' }, { username: ['This field may not be null.'] }],
    [
      { username: 12, password: true },
      { username: ['Not a valid string.'], password: ['Not a valid string.'] },
    ],
    [
      { username: ['a'], password: { a: 1 } },
      { username: ['Not a valid string.'], password: ['Not a valid string.'] },
    ],
    [{ username: 'a\0b', password: 'x' }, { username: ['Null characters are not allowed.'] }],
    [{ username: 'a', password: 'x', scope: 1 }, { scope: ['Not a valid string.'] }],
    [{ username: 'a', password: 'x', resource: [1] }, { resource: ['Not a valid string.'] }],
    [['username'], { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] }],
    ['username', { non_field_errors: ['Invalid data. Expected a dictionary, but got str.'] }],
    [null, { non_field_errors: ['Invalid data. Expected a dictionary, but got NoneType.'] }],
  ]
  for (const [body, expected] of cases) refuses(t, await server.postJson('/api/token/', body), 400, expected)
  for (const [path, name] of [
    ['refresh', 'refresh'],
    ['verify', 'token'],
    ['blacklist', 'refresh'],
  ] as const) {
    refuses(t, await server.postJson(`/api/token/${path}/`, {}), 400, { [name]: ['This field is required.'] })
    refuses(t, await server.postJson(`/api/token/${path}/`, { [name]: null }), 400, {
      [name]: ['This field may not be null.'],
    })
    refuses(t, await server.postJson(`/api/token/${path}/`, { [name]: '' }), 400, {
      [name]: ['This field may not be blank.'],
    })
    refuses(t, await server.postJson(`/api/token/${path}/`, { [name]: 7 }), 400, { [name]: ['Not a valid string.'] })
  }
  const own = { __proto__: { username: 'alice' } }
  t.equal((await server.postJson('/api/token/', own)).statusCode, 400, 'only own members count')
})

t.test('the name of the account field is configurable', async (t) => {
  const server = await buildTestApp(t, { config: { token_api: { username_field: 'email' } } })
  await server.createAccount({ username: 'alice', email: 'Alice@Example.com' })
  t.equal((await server.postJson('/api/token/', { email: 'alice@example.com', password: PASSWORD })).statusCode, 200)
  refuses(t, await server.postJson('/api/token/', { username: 'alice', password: PASSWORD }), 400, {
    email: ['This field is required.'],
  })
})

t.test('malformed JSON is a 400, and quotes nothing of what was sent', async (t) => {
  const server = await buildTestApp(t)
  for (const payload of ['{"password":"hunter2', '{"a":1}x', Buffer.from([0x7b, 0xff, 0x7d])]) {
    const headers = { 'content-type': 'application/json' }
    const response = await server.inject({ method: 'POST', url: '/api/token/', payload, headers })
    t.equal(response.statusCode, 400)
    t.match(response.json(), { detail: /^JSON parse error - / })
    t.notMatch(response.body, /hunter2/)
  }
})

t.test('a wrong password, nobody by that name and a disabled account get one answer, without a code', async (t) => {
  const server = await buildTestApp(t)
  const { account_id } = await server.createAccount()
  const attempt = (username: string, password: string) => server.postJson('/api/token/', { username, password })
  refuses(t, await attempt('alice', 'a wrong passphrase'), 401, NO_ACTIVE_ACCOUNT)
  refuses(t, await attempt('mallory', PASSWORD), 401, NO_ACTIVE_ACCOUNT)
  await server.deps.store.disableAccount(account_id, server.clock.now(), [])
  refuses(t, await attempt('alice', PASSWORD), 401, NO_ACTIVE_ACCOUNT)
})

t.test('refresh rotates the pair; the same token again is a retry and gets the same successor', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const { refresh } = await server.signIn()
  const first = await server.postJson('/api/token/refresh/', { refresh })
  t.equal(first.statusCode, 200)
  t.not(first.json().refresh, refresh)
  server.clock.advance(29)
  const retry = await server.postJson('/api/token/refresh/', { refresh })
  t.equal(retry.json().refresh, first.json().refresh)
  t.equal(claimsOf(retry.json().access).exp, claimsOf(first.json().access).exp, 'it does not outlive the first')
})

t.test('garbage, a bad signature, another algorithm: Token is invalid', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const { access, refresh } = await server.signIn()
  const [header, payload, signature] = access.split('.')
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url')
  const bad = [
    'garbage',
    `${refresh}x`,
    `${none}.${payload}.`,
    `${header}.${payload}.${signature?.slice(1)}`,
    'a.b.c',
    'x'.repeat(8000),
  ]
  for (const token of bad) {
    refuses(t, await server.postJson('/api/token/refresh/', { refresh: token }), 401, invalid('Token is invalid'))
    refuses(t, await server.postJson('/api/token/verify/', { token }), 401, invalid('Token is invalid'))
    refuses(t, await server.postJson('/api/token/blacklist/', { refresh: token }), 401, invalid('Token is invalid'))
  }
})

t.test('an expired token of either kind: Token is expired', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const { access, refresh } = await server.signIn()
  server.clock.advance(300)
  refuses(t, await server.postJson('/api/token/verify/', { token: access }), 401, invalid('Token is expired'))
  refuses(t, await server.postJson('/api/token/refresh/', { refresh: access }), 401, invalid('Token is expired'))
  t.equal((await server.postJson('/api/token/verify/', { token: refresh })).statusCode, 200, 'this one lives for a day')
  server.clock.advance(86_400 - 300)
  for (const path of ['refresh', 'blacklist']) {
    refuses(t, await server.postJson(`/api/token/${path}/`, { refresh }), 401, invalid('Token is expired'))
  }
  refuses(t, await server.postJson('/api/token/verify/', { token: refresh }), 401, invalid('Token is expired'))
})

t.test('an access token where a refresh token belongs: Token has wrong type', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const { access } = await server.signIn()
  for (const path of ['refresh', 'blacklist']) {
    refuses(t, await server.postJson(`/api/token/${path}/`, { refresh: access }), 401, invalid('Token has wrong type'))
  }
})

t.test('verify knows both kinds and what became of them, and changes nothing', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const { access, refresh } = await server.signIn()
  for (const token of [access, refresh, refresh]) {
    const response = await server.postJson('/api/token/verify/', { token })
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), {})
  }
  t.equal((await server.postJson('/api/token/blacklist/', { refresh })).statusCode, 200)
  for (const token of [access, refresh]) {
    refuses(t, await server.postJson('/api/token/verify/', { token }), 400, {
      non_field_errors: ['Token is blacklisted'],
    })
  }
})

t.test('blacklist signs out: the token and its descendants are dead', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const { refresh } = await server.signIn()
  const other = await server.signIn()
  const response = await server.postJson('/api/token/blacklist/', { refresh })
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), {})
  for (const path of ['refresh', 'blacklist']) {
    refuses(t, await server.postJson(`/api/token/${path}/`, { refresh }), 401, invalid('Token is blacklisted'))
  }
  t.equal(
    (await server.postJson('/api/token/refresh/', { refresh: other.refresh })).statusCode,
    200,
    'the other device stays',
  )
})

t.test('a token rotated away is blacklisted, and sending it to blacklist ends the grant', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const { refresh } = await server.signIn()
  const next = (await server.postJson('/api/token/refresh/', { refresh })).json().refresh
  refuses(t, await server.postJson('/api/token/blacklist/', { refresh }), 401, invalid('Token is blacklisted'))
  refuses(t, await server.postJson('/api/token/refresh/', { refresh: next }), 401, invalid('Token is blacklisted'))
})

t.test(
  'RFC 9700 §4.14.2: a reused refresh token is blacklisted, and so is its grant, but no other device',
  async (t) => {
    const server = await buildTestApp(t)
    await server.createAccount()
    const { refresh } = await server.signIn()
    const other = await server.signIn()
    const next = (await server.postJson('/api/token/refresh/', { refresh })).json().refresh
    server.clock.advance(31)
    refuses(t, await server.postJson('/api/token/refresh/', { refresh }), 401, invalid('Token is blacklisted'))
    refuses(t, await server.postJson('/api/token/refresh/', { refresh: next }), 401, invalid('Token is blacklisted'))
    t.equal((await server.postJson('/api/token/refresh/', { refresh: other.refresh })).statusCode, 200)
  },
)

t.test('an account that is gone or disabled cannot refresh', async (t) => {
  const server = await buildTestApp(t)
  const { account_id } = await server.createAccount()
  const { refresh } = await server.signIn()
  await server.deps.store.disableAccount(account_id, server.clock.now(), [])
  const detail = 'No active account found for the given token.'
  refuses(t, await server.postJson('/api/token/refresh/', { refresh }), 401, { detail })
  await server.deps.store.enableAccount(account_id, server.clock.now(), [])
  refuses(t, await server.postJson('/api/token/refresh/', { refresh }), 401, invalid('Token is blacklisted'))
})

t.test('another method is a 405, another media type a 415, a large body a 413', async (t) => {
  const server = await buildTestApp(t)
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const) {
    const response = await server.inject({ method, url: '/api/token/' })
    refuses(t, response, 405, { detail: `Method "${method}" not allowed.` })
    t.equal(response.headers.allow, 'POST, OPTIONS')
  }
  const headers = { 'content-type': 'text/plain' }
  refuses(t, await server.inject({ method: 'POST', url: '/api/token/', payload: 'x', headers }), 415, {
    detail: 'Unsupported media type "text/plain" in request.',
  })
  t.equal((await server.postJson('/api/token/', { username: 'x'.repeat(1_000_000) })).statusCode, 413)
})

t.test('too many attempts are a 429 with Retry-After, and another account goes on', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  await server.createAccount({ username: 'bob' })
  const wrong = { username: 'alice', password: 'a wrong passphrase' }
  for (let i = 0; i < 5; i++) refuses(t, await server.postJson('/api/token/', wrong), 401, NO_ACTIVE_ACCOUNT)
  const response = await server.postJson('/api/token/', { username: 'alice', password: PASSWORD })
  t.equal(response.statusCode, 429)
  t.equal(response.headers['retry-after'], '60')
  t.strictSame(response.json(), { detail: 'Request was throttled. Expected available in 60 seconds.' })
  await server.signIn('bob')
  server.clock.advance(61)
  await server.signIn('alice')
})

t.test('honest sign-ins are never throttled', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  for (let i = 0; i < 12; i++) await server.signIn()
  t.pass('twelve in the same second')
})

t.test('the switch turns the whole API off', async (t) => {
  const server = await buildTestApp(t, { config: { token_api: { enabled: false } } })
  for (const path of ['', 'refresh/', 'verify/', 'blacklist/']) {
    t.equal((await server.postJson(`/api/token/${path}`, {})).statusCode, 404)
  }
})

t.test('sign-in, refusal, refresh, reuse and sign-out are in the audit trail, without a secret', async (t) => {
  const server: TestApp = await buildTestApp(t)
  await server.createAccount()
  await server.postJson('/api/token/', { username: 'alice', password: 'a wrong passphrase' })
  const { refresh } = await server.signIn()
  await server.postJson('/api/token/refresh/', { refresh })
  server.clock.advance(31)
  await server.postJson('/api/token/refresh/', { refresh })
  await server.postJson('/api/token/blacklist/', { refresh: (await server.signIn()).refresh })
  const { items } = await server.deps.store.listAudit({}, { limit: 100, cursor: null })
  const events = items.map(({ event }) => event)
  for (const event of ['sign_in.refused', 'sign_in.succeeded', 'refresh.rotated', 'refresh.reused', 'grant.revoked']) {
    t.ok(events.includes(event), event)
  }
  const text = JSON.stringify(items) + server.logged.join('')
  for (const secret of ['gth_rt_', 'eyJ', PASSWORD, 'a wrong passphrase']) t.notOk(text.includes(secret))
})
