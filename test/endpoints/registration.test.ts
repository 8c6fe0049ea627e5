import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { mintCliToken } from '../../server/admin/cli_token.ts'
import { selfRegisteredMembers } from '../../server/protocol/client_self_registration.ts'
import { basic, buildTestApp, type TestApp } from '../helpers/app.ts'

const APP = { client_name: 'App', redirect_uris: ['https://app.example.com/callback'] }
const http = { max_event_loop_delay_milliseconds: 0 }
type Settings = NonNullable<NonNullable<Parameters<typeof buildTestApp>[1]>['config']>['registration']

const prepare = (t: Test, registration: Settings = {}) =>
  buildTestApp(t, { config: { http, registration: { mode: 'open', ...registration } } })

const register = (server: TestApp, document: unknown, token?: string) =>
  server.postJson('/register', document, token === undefined ? {} : { authorization: `Bearer ${token}` })

function manage(server: TestApp, method: 'GET' | 'PUT' | 'DELETE', uri: string, token?: string, payload?: object) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return server.inject({ method, url: new URL(uri).pathname, headers: authorization, ...(payload && { payload }) })
}

t.test('RFC 7591 §3: while registration is off there is nothing, and discovery names nothing', async (t) => {
  const server = await buildTestApp(t)
  t.equal((await register(server, APP)).statusCode, 404)
  const { body } = await server.inject({ url: '/.well-known/oauth-authorization-server' })
  t.notMatch(body, /registration_endpoint|client_id_metadata_document_supported/)
})

t.test('RFC 7591 §3.2.1: a client is registered, told all that was registered, and gets in', async (t) => {
  const server = await prepare(t, { scope: 'openid profile offline_access' })
  const discovery = await server.inject({ url: '/.well-known/oauth-authorization-server' })
  t.equal(discovery.json().registration_endpoint, `${server.issuer}/register`)
  const response = await register(server, {
    ...APP,
    nonsense: true,
    first_party: true,
    grant_types: ['authorization_code', 'implicit'],
  })
  t.equal(response.statusCode, 201, response.body)
  t.match(response.headers, { 'cache-control': 'no-store', 'content-type': /^application\/json/ })
  const client = response.json()
  t.match(client, {
    ...APP,
    client_id: /^[\w-]{22}$/,
    client_secret: /^gth_cs_/,
    client_secret_expires_at: 0,
    client_id_issued_at: server.clock.now(),
    registration_access_token: /^gth_rat_/,
    registration_client_uri: `${server.issuer}/register/${client.client_id}`,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    scope: 'openid profile offline_access',
  })
  t.notHas(client, 'nonsense')
  t.notHas(client, 'first_party')
  t.match(await server.deps.store.findClient(client.client_id), { origin: 'registered', first_party: false })
  const form = { grant_type: 'authorization_code', code: 'x', redirect_uri: 'x' }
  const known = await server.postForm('/token', form, basic(client.client_id, client.client_secret))
  t.not(known.json().error, 'invalid_client', 'it is authenticated')
  for (const secret of [client.client_secret, client.registration_access_token]) {
    t.notOk(
      server.logged.some((line) => line.includes(secret)),
      'no secret in the log',
    )
    t.notOk(JSON.stringify(await server.deps.store.listAudit({}, { limit: 9, cursor: null })).includes(secret))
  }
})

t.test('a stranger gets tokens from people only; who holds an initial access token, also as a service', async (t) => {
  const open = await prepare(t)
  const service = { grant_types: ['client_credentials'], client_name: 'Service' }
  t.match((await register(open, service)).json(), {
    error: 'invalid_client_metadata',
    error_description: /grant_types/,
  })
  const mixed = { ...APP, grant_types: ['authorization_code', 'client_credentials', 'refresh_token'] }
  const { client_id, client_secret, grant_types } = (await register(open, mixed)).json()
  t.strictSame(grant_types, ['authorization_code', 'refresh_token'])
  const refused = await open.postForm('/token', { grant_type: 'client_credentials' }, basic(client_id, client_secret))
  t.equal(refused.json().error, 'unauthorized_client')

  const vouched = await prepare(t, { mode: 'initial_access_token' })
  const authorization = `Bearer ${await mintCliToken(vouched.deps)}`
  const made = await vouched.postJson('/admin/api/initial-access-tokens', {}, { authorization })
  t.strictSame(
    (await register(vouched, service, made.json().initial_access_token)).json().grant_types,
    service.grant_types,
  )
})

t.test('RFC 8252 §7.3: a native client without a secret, as agents register themselves', async (t) => {
  const server = await prepare(t)
  const agent = { redirect_uris: ['http://localhost:33418/callback'], token_endpoint_auth_method: 'none' }
  const { statusCode, ...response } = await register(server, {
    ...agent,
    grant_types: ['authorization_code', 'refresh_token'],
  })
  t.equal(statusCode, 201)
  t.match(response.json(), { application_type: 'native', ...agent })
  t.notHas(response.json(), 'client_secret')
})

t.test('RFC 7591 §3.2.2: what cannot be registered is refused with the reason', async (t) => {
  const server = await prepare(t, { max_per_address_per_hour: 100 })
  const refused: [string, unknown, RegExp][] = [
    ['invalid_redirect_uri', {}, /redirect_uris needs at least one/],
    ['invalid_redirect_uri', { redirect_uris: ['javascript:alert(1)'] }, /scheme javascript/],
    ['invalid_redirect_uri', { redirect_uris: ['http://app.example.com/'] }, /is http/],
    ['invalid_redirect_uri', { redirect_uris: 'https://app.example.com/' }, /redirect_uris must be array/],
    ['invalid_client_metadata', { ...APP, logo_uri: 'javascript:alert(1)' }, /logo_uri is not an https URL/],
    ['invalid_client_metadata', { ...APP, client_name: 'a\u202eb' }, /client_name/],
    ['invalid_client_metadata', { ...APP, client_name: 'a\u0000b' }, /JSON/],
    ['invalid_client_metadata', { ...APP, scope: 'gatehouse:write' }, /scope has nothing of what is offered/],
    ['invalid_client_metadata', { ...APP, id_token_signed_response_alg: 'none' }, /id_token_signed_response_alg/],
    ['invalid_client_metadata', { ...APP, token_endpoint_auth_method: 'private_key_jwt' }, /needs jwks or jwks_uri/],
    ['invalid_client_metadata', { ...APP, sector_identifier_uri: 'https://localhost/' }, /could not be fetched/],
    ['invalid_client_metadata', { ...APP, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, /jwks has a key/],
    ['invalid_client_metadata', [APP], /not a JSON object/],
    ['invalid_client_metadata', 'text', /not a JSON object/],
  ]
  for (const [error, document, description] of refused) {
    const response = await register(server, document)
    t.equal(response.statusCode, 400, JSON.stringify(document))
    t.match(response.json(), { error, error_description: description }, JSON.stringify(document))
    t.match(response.json().error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, 'RFC 6749 §5.2: its characters')
  }
  const headers = { 'content-type': 'application/json' }
  t.equal((await server.inject({ method: 'POST', url: '/register', headers, payload: '{' })).statusCode, 400)
  t.equal((await server.postForm('/register', { a: 'b' })).statusCode, 415)
  t.equal((await server.inject({ method: 'GET', url: '/register' })).statusCode, 405)
})

t.test('no value of any member is a fault of ours', async (t) => {
  const server = await prepare(t, { max_per_hour: 10_000, max_per_address_per_hour: 10_000 })
  const odd = [1e308, '', '\ud800', 'x'.repeat(5000), [null], ['']]
  const objects = [{ keys: [null] }, { keys: [{ kty: 'RSA', n: 5, e: [] }] }]
  for (const name of [...Object.keys(selfRegisteredMembers), 'software_statement', '__proto__', 'constructor']) {
    for (const value of [...odd, ...objects]) {
      const { statusCode, body } = await register(server, { ...APP, [name]: value })
      if (statusCode !== 201 && statusCode !== 400) t.fail(`${name} ${JSON.stringify(value)}: ${statusCode} ${body}`)
    }
  }
  t.equal((await register(server, APP)).statusCode, 201, 'the next honest request works')
})

t.test('scope and resources are at most what is configured, and never the admin API', async (t) => {
  const server = await prepare(t, { scope: 'openid read gatehouse:write', resources: [] })
  t.equal((await register(server, APP)).json().scope, 'openid read')
  const asked = { ...APP, scope: 'read write gatehouse:write', resources: [`${server.issuer}/admin/api`] }
  t.match((await register(server, asked)).json(), { scope: 'read', resources: [] })
})

t.test('open registration has a limit for each address, and one for all', async (t) => {
  const server = await prepare(t, { max_per_hour: 3, max_per_address_per_hour: 2 })
  const from = (remoteAddress: string) =>
    server.inject({ method: 'POST', url: '/register', remoteAddress, payload: APP })
  t.equal((await from('192.0.2.1')).statusCode, 201)
  t.equal((await from('192.0.2.1')).statusCode, 201)
  const refused = await from('192.0.2.1')
  t.equal(refused.statusCode, 429)
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.equal((await from('192.0.2.2')).statusCode, 201)
  t.equal((await from('192.0.2.3')).statusCode, 429)
  server.clock.advance(3600)
  t.equal((await from('192.0.2.3')).statusCode, 201)
})

t.test('RFC 7591 §3: an initial access token opens registration as often as it says', async (t) => {
  const server = await prepare(t, { mode: 'initial_access_token' })
  const headers = { authorization: `Bearer ${await mintCliToken(server.deps)}` }
  const make = async (body: object) => (await server.postJson('/admin/api/initial-access-tokens', body, headers)).json()
  const { initial_access_token, token_id } = await make({ uses: 2, expires_in: 600 })
  t.match(initial_access_token, /^gth_iat_/)
  for (const token of [undefined, 'gth_iat_wrong']) {
    const { statusCode, headers, body } = await register(server, APP, token)
    t.equal(statusCode, 401)
    t.match(headers['www-authenticate'], /^Bearer .*invalid_token/)
    t.match(JSON.parse(body), { error: 'invalid_token' })
  }
  t.equal((await register(server, {}, initial_access_token)).statusCode, 400, 'a mistake uses nothing up')
  t.equal((await register(server, APP, initial_access_token)).statusCode, 201)
  t.equal((await register(server, APP, initial_access_token)).statusCode, 201)
  t.equal((await register(server, APP, initial_access_token)).statusCode, 401)
  const url = '/admin/api/initial-access-tokens'
  const listed = (await server.inject({ url, headers })).body
  t.match(listed, token_id)
  t.notMatch(listed, /gth_iat_|digest/)
  const deleted = await make({})
  t.equal((await server.inject({ method: 'DELETE', url: `${url}/${deleted.token_id}`, headers })).statusCode, 204)
  t.equal((await register(server, APP, deleted.initial_access_token)).statusCode, 401, 'deleted')
  const unlimited = await make({ uses: null, expires_in: 60 })
  t.equal((await register(server, APP, unlimited.initial_access_token)).statusCode, 201)
  server.clock.advance(60)
  t.equal((await register(server, APP, unlimited.initial_access_token)).statusCode, 401, 'expired')
})

t.test('of many that use the last of an initial access token, one registers', async (t) => {
  const server = await prepare(t, { mode: 'initial_access_token' })
  const headers = { authorization: `Bearer ${await mintCliToken(server.deps)}` }
  const { initial_access_token } = (await server.postJson('/admin/api/initial-access-tokens', {}, headers)).json()
  const all = await Promise.all(Array.from({ length: 64 }, () => register(server, APP, initial_access_token)))
  const statuses = all.map(({ statusCode }) => statusCode)
  t.equal(statuses.filter((status) => status === 201).length, 1)
  t.equal(statuses.filter((status) => status === 401).length, 63)
})

t.test('RFC 7592 §2: a client reads, replaces and deletes its registration', async (t) => {
  const server = await prepare(t)
  const made = (await register(server, { ...APP, contacts: ['a@example.com'] })).json()
  const { registration_client_uri: uri, registration_access_token: token, client_id, client_secret } = made
  const read = await manage(server, 'GET', uri, token)
  const { client_secret: _, client_secret_expires_at: _1, ...known } = made
  t.strictSame(read.json(), known)
  const redirect_uris = ['https://app.example.com/other']
  const put = await manage(server, 'PUT', uri, token, { client_id, client_secret, redirect_uris, client_name: null })
  t.equal(put.statusCode, 200, put.body)
  t.match(put.json(), { client_id, redirect_uris, registration_access_token: token })
  t.notHas(put.json(), 'contacts', 'what is left out is gone')
  t.notHas(put.json(), 'client_secret', 'it keeps the one it has')
  const wrong: [object, RegExp][] = [
    [{ redirect_uris }, /client_id/],
    [{ client_id: 'other', redirect_uris }, /client_id/],
    [{ client_id, client_secret: 'guessed', redirect_uris }, /client_secret/],
    [{ client_id, registration_access_token: token, redirect_uris }, /registration_access_token/],
    [{ client_id, redirect_uris: [] }, /redirect_uris/],
  ]
  for (const [document, description] of wrong) {
    const response = await manage(server, 'PUT', uri, token, document)
    t.equal(response.statusCode, 400)
    t.match(response.json().error_description, description)
  }
  t.equal((await manage(server, 'DELETE', uri, token)).statusCode, 204)
  for (const method of ['GET', 'DELETE'] as const) t.equal((await manage(server, method, uri, token)).statusCode, 401)
  t.equal((await server.postForm('/token', { grant_type: 'x' }, basic(client_id, client_secret))).statusCode, 401)
})

t.test('RFC 7592 §2.1: anybody else, and any other token, is a 401', async (t) => {
  const server = await prepare(t)
  const [one, two] = [(await register(server, APP)).json(), (await register(server, APP)).json()]
  await server.createClient({ client_id: 'made-by-admin' })
  const uri = one.registration_client_uri
  for (const token of [undefined, two.registration_access_token, one.client_secret, 'x']) {
    t.equal((await manage(server, 'GET', uri, token)).statusCode, 401)
    t.equal((await manage(server, 'DELETE', uri, token)).statusCode, 401)
  }
  const other = `${server.issuer}/register/made-by-admin`
  t.equal((await manage(server, 'GET', other, one.registration_access_token)).statusCode, 401)
  t.equal(await server.deps.store.disableClient(one.client_id, 1, []), 'disabled')
  t.equal((await manage(server, 'GET', uri, one.registration_access_token)).statusCode, 401, 'disabled')
})

t.test('Fetch §4.8: any origin may register and manage', async (t) => {
  const origin = 'https://inspector.example'
  const server = await buildTestApp(t, { config: { http, registration: { mode: 'open' } } })
  const preflight = (url: string) => server.inject({ method: 'OPTIONS', url, headers: { origin } })
  t.match((await preflight('/register')).headers, { 'access-control-allow-methods': 'POST' })
  t.match((await preflight('/register/x')).headers, {
    'access-control-allow-methods': 'GET, PUT, DELETE',
    'access-control-allow-origin': '*',
  })
})

t.test(
  'RFC 7591 §2.3: a software statement is believed of its issuer, and goes before what the client says',
  async (t) => {
    const issuer = 'https://directory.example'
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const server = await buildTestApp(t, {
      config: { http, registration: { mode: 'open', software_statement_issuers: [issuer] } },
      outbound: {
        async getJson(url) {
          const jwks_uri = `${issuer}/jwks`
          if (url === jwks_uri)
            return { json: { keys: [publicKey.export({ format: 'jwk' })] }, cache_control: undefined }
          t.equal(url, `${issuer}/.well-known/oauth-authorization-server`)
          return { json: { issuer, jwks_uri }, cache_control: undefined }
        },
        postSet: async () => ({ status: 202, text: '' }),
        postForm: async () => undefined,
      },
    })
    const sign = (claims: object, key = privateKey, alg = 'ES256') =>
      new SignJWT({ iss: issuer, ...claims }).setProtectedHeader({ alg }).sign(key)
    const software_statement = await sign({ client_name: 'Vouched for', software_id: 'app' })
    const response = await register(server, { ...APP, software_statement })
    t.equal(response.statusCode, 201, response.body)
    t.match(response.json(), { client_name: 'Vouched for', software_id: 'app', software_statement })
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const refused: [string, unknown][] = [
      ['unapproved_software_statement', await sign({ iss: 'https://other.example' })],
      ['invalid_software_statement', await sign({}, other.privateKey)],
      ['invalid_software_statement', await sign({ exp: server.clock.now() })],
      ['invalid_software_statement', 'text'],
      ['invalid_software_statement', 5],
    ]
    for (const [error, statement] of refused) {
      t.match((await register(server, { ...APP, software_statement: statement })).json(), { error })
    }
  },
)
