import * as oauth from 'oauth4webapi'
import t from 'tap'
import { basic, buildTestApp, claimsOf } from '../helpers/app.ts'

const SECRET = 'a secret with % and + and é'
const API = 'https://api.example.com'
const api = {
  resource: API,
  scopes: ['read', 'write'],
  access_token_seconds: 120,
  signing_alg: 'RS256',
  introspection_clients: [],
  authorization_details_types: [],
  claims: {},
  token_typ: 'at+jwt',
  created_at: 0,
  updated_at: 0,
} as const

t.test('RFC 6749 §4.4: a confidential client gets a token in its own name, and no refresh token', async (t) => {
  const server = await buildTestApp(t)
  await server.deps.store.createResource(api, [])
  await server.createClient({ client_secret: SECRET, resources: [API] })
  const form = { grant_type: 'client_credentials', resource: API, scope: 'read' }
  const response = await server.postForm('/token', form, basic('service', SECRET))
  t.equal(response.statusCode, 200)
  t.match(response.json(), { token_type: 'Bearer', expires_in: 120, scope: 'read' })
  t.notOk('refresh_token' in response.json())
  t.equal(response.headers['cache-control'], 'no-store')
  const claims = claimsOf(response.json().access_token)
  t.match(claims, { sub: 'service', client_id: 'service', aud: API, scope: 'read', token_type: 'access' })
  for (const absent of ['user_id', 'sid', 'auth_time', 'grant_id']) t.notOk(absent in claims, absent)
  const plain = await server.postForm('/token', { grant_type: 'client_credentials' }, basic('service', SECRET))
  t.match(claimsOf(plain.json().access_token), { aud: server.issuer, scope: 'read write' })
})

t.test('RFC 6749 §4.4: a public client has no credentials grant', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient()
  const response = await server.postForm('/token', { grant_type: 'client_credentials', client_id: 'service' })
  t.equal(response.statusCode, 400)
  t.match(response.json(), { error: 'unauthorized_client' })
})

t.test('RFC 6749 §5.2: each refusal has its code', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient({ client_secret: SECRET, grant_types: ['client_credentials'] })
  const auth = basic('service', SECRET)
  const cases: [Record<string, string> | string, number, string][] = [
    [{}, 400, 'invalid_request'],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
    [{ grant_type: '__proto__' }, 400, 'unsupported_grant_type'],
    [{ grant_type: 'refresh_token', refresh_token: 'x' }, 400, 'unauthorized_client'],
    ['grant_type=client_credentials&grant_type=client_credentials', 400, 'invalid_request'],
    [{ grant_type: 'client_credentials', scope: 'admin' }, 400, 'invalid_scope'],
    [{ grant_type: 'client_credentials', resource: 'https://unknown.example' }, 400, 'invalid_target'],
    [{ grant_type: 'client_credentials', resource: 'not a URI' }, 400, 'invalid_target'],
    [{ grant_type: 'client_credentials', client_id: 'other' }, 400, 'invalid_request'],
    [{ grant_type: 'client_credentials', client_id: 'service', client_secret: SECRET }, 400, 'invalid_request'],
  ]
  for (const [form, status, error] of cases) {
    const response = await server.postForm('/token', form, auth)
    t.equal(response.statusCode, status)
    t.match(response.json(), { error, error_description: String }, JSON.stringify(form))
    t.equal(response.headers['cache-control'], 'no-store')
  }
})

t.test('RFC 6749 §2.3.1: a secret comes by Basic or in the body, encoded or as it is', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient({ client_secret: SECRET })
  const grant = { grant_type: 'client_credentials' }
  const raw = { authorization: `Basic ${Buffer.from(`service:${SECRET}`).toString('base64')}` }
  for (const headers of [basic('service', SECRET), raw]) {
    t.equal((await server.postForm('/token', grant, headers)).statusCode, 200)
    t.equal((await server.postForm('/token', { ...grant, client_id: 'service' }, headers)).statusCode, 200)
  }
  t.equal((await server.postForm('/token', { ...grant, client_id: 'service', client_secret: SECRET })).statusCode, 200)
})

t.test('RFC 6749 §5.2: a failed client authentication is a 401 with a challenge, and says no more', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient({ client_secret: SECRET })
  await server.createClient({ client_id: 'public' })
  await server.createClient({ client_id: 'disabled', client_secret: SECRET, disabled_at: 1 })
  const grant = { grant_type: 'client_credentials' }
  const bodies = new Set<string>()
  const attempts: [Record<string, string>, Record<string, string>][] = [
    [grant, basic('service', 'wrong')],
    [grant, basic('unknown', SECRET)],
    [grant, basic('disabled', SECRET)],
    [grant, basic('public', SECRET)],
    [{ ...grant, client_id: 'service' }, {}],
    [{ ...grant, client_id: 'service', client_secret: 'wrong' }, {}],
  ]
  for (const [form, headers] of attempts) {
    const response = await server.postForm('/token', form, headers)
    t.equal(response.statusCode, 401)
    t.match(response.headers['www-authenticate'], /^Basic realm=/)
    bodies.add(response.body)
  }
  t.strictSame(
    [...bodies].map((body) => JSON.parse(body).error),
    ['invalid_client'],
    'one answer for all of them',
  )
  for (const authorization of [
    'Basic',
    'Basic !!!',
    'Bearer x',
    `Basic ${Buffer.from('no colon').toString('base64')}`,
    'Basic /w==',
  ]) {
    t.match((await server.postForm('/token', grant, { authorization })).json(), { error: 'invalid_client' })
  }
  t.match((await server.postForm('/token', grant)).json(), { error: 'invalid_client' })
  t.match((await server.postForm('/token', { ...grant, client_id: 'é' })).json(), { error: 'invalid_client' })
})

t.test('RFC 6749 §2.3.1: wrong secrets are limited, and an honest client elsewhere is not kept out', async (t) => {
  const server = await buildTestApp(t, { config: { http: { trust_proxy: ['127.0.0.1'] } } })
  await server.createClient({ client_secret: SECRET })
  const grant = { grant_type: 'client_credentials' }
  const from = (address: string, secret: string) =>
    server.postForm('/token', grant, { ...basic('service', secret), 'x-forwarded-for': address })
  for (let i = 0; i < 20; i++) t.equal((await from('203.0.113.7', `wrong ${i}`)).statusCode, 401)
  const limited = await from('203.0.113.7', 'wrong again')
  t.equal(limited.statusCode, 429)
  t.match(limited.headers['retry-after'], /^\d+$/)
  t.equal((await from('203.0.113.7', SECRET)).statusCode, 429, 'nor is a right guess let in')
  t.equal((await from('203.0.113.8', SECRET)).statusCode, 200)
  server.clock.advance(61)
  t.equal((await from('203.0.113.7', SECRET)).statusCode, 200)
})

t.test('RFC 6749 §6: a refresh token is exchanged by its own client only', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  await server.createClient({ client_id: 'other' })
  const { refresh } = await server.signIn()
  const form = { grant_type: 'refresh_token', refresh_token: refresh }
  const stolen = await server.postForm('/token', { ...form, client_id: 'other' })
  t.equal(stolen.statusCode, 400)
  t.strictSame(stolen.json(), { error: 'invalid_grant', error_description: 'refresh token invalid' })
  const response = await server.postForm('/token', { ...form, client_id: 'gatehouse-login' })
  t.equal(response.statusCode, 200)
  t.match(response.json(), {
    token_type: 'Bearer',
    expires_in: 300,
    scope: 'openid profile email',
    refresh_token: /^gth_rt_/,
    refresh_token_expires_in: 86_400,
  })
})

t.test('RFC 6749 §6: a refresh may ask for less, and the grant keeps what it has', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  let { refresh } = await server.signIn()
  const exchange = async (more: Record<string, string>) => {
    const form = { grant_type: 'refresh_token', client_id: 'gatehouse-login', refresh_token: refresh, ...more }
    const response = await server.postForm('/token', form)
    refresh = response.json().refresh_token ?? refresh
    return response.json()
  }
  t.match(await exchange({ scope: 'openid' }), { scope: 'openid' })
  t.match(await exchange({}), { scope: 'openid profile email' })
  t.match(await exchange({ scope: 'openid read' }), { error: 'invalid_scope' })
  t.match(await exchange({ resource: 'https://other.example' }), { error: 'invalid_target' })
  t.match(await exchange({}), { scope: 'openid profile email' }, 'a refused request did not use the token up')
})

t.test('RFC 6749 §5.2: invalid_grant says why, when the token is the client’s own', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  const exchange = async (refresh_token: string) => {
    const form = { grant_type: 'refresh_token', client_id: 'gatehouse-login', refresh_token }
    return (await server.postForm('/token', form)).json()
  }
  const { refresh: idle } = await server.signIn()
  const { refresh: revoked } = await server.signIn()
  const { refresh: reused } = await server.signIn()
  await server.postForm('/revoke', { client_id: 'gatehouse-login', token: revoked })
  t.match(await exchange(revoked), { error: 'invalid_grant', error_description: 'revoked' })
  await exchange(reused)
  server.clock.advance(31)
  t.match(await exchange(reused), { error: 'invalid_grant', error_description: 'refresh token reused' })
  t.match(await exchange(reused), { error: 'invalid_grant', error_description: 'revoked' })
  t.match(await exchange('garbage'), { error: 'invalid_grant', error_description: 'refresh token invalid' })
  server.clock.advance(86_400)
  t.match(await exchange(idle), { error: 'invalid_grant', error_description: 'expired (idle)' })
})

t.test('a wrong media type, method or size is answered in the form of RFC 6749 §5.2', async (t) => {
  const server = await buildTestApp(t)
  const json = await server.postJson('/token', { grant_type: 'client_credentials' })
  t.equal(json.statusCode, 415)
  t.match(json.json(), { error: 'invalid_request' })
  const get = await server.inject({ method: 'GET', url: '/token?grant_type=client_credentials' })
  t.equal(get.statusCode, 405)
  t.equal(get.headers.allow, 'POST')
  t.match(get.json(), { error: 'invalid_request' })
  const large = await server.postForm('/token', `a=${'x'.repeat(1_000_000)}`)
  t.equal(large.statusCode, 413)
  t.match(large.json(), { error: 'invalid_request' })
})

t.test('oauth4webapi: discovery, client_credentials, refresh_token, introspection and revocation', async (t) => {
  const server = await buildTestApp(t)
  await server.createAccount()
  await server.createClient({ client_secret: SECRET, scope: 'read gatehouse:read' })
  const address = await server.app.listen({ port: 0, host: '127.0.0.1' })
  const options = {
    [oauth.allowInsecureRequests]: true as const,
    [oauth.customFetch]: (url: string, init: object) => fetch(url.replace(server.issuer, address), init),
  }
  const issuer = new URL(server.issuer)
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    const found = await oauth.discoveryRequest(issuer, { algorithm, ...options })
    t.equal((await oauth.processDiscoveryResponse(issuer, found)).issuer, server.issuer)
  }
  const as = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }),
  )
  const client = { client_id: 'service' }
  const own = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(SECRET), {}, options)
  const { access_token } = await oauth.processClientCredentialsResponse(as, client, own)
  t.match(claimsOf(access_token), { sub: 'service' })

  const login = { client_id: 'gatehouse-login' }
  const { refresh } = await server.signIn()
  const refreshed = await oauth.processRefreshTokenResponse(
    as,
    login,
    await oauth.refreshTokenGrantRequest(as, login, oauth.None(), refresh, options),
  )
  t.not(refreshed.refresh_token, refresh)

  const introspect = async (token: string) =>
    oauth.processIntrospectionResponse(
      as,
      client,
      await oauth.introspectionRequest(as, client, oauth.ClientSecretPost(SECRET), token, options),
    )
  t.match(await introspect(refreshed.access_token), { active: true, username: 'alice' })
  const revoked = await oauth.revocationRequest(as, login, oauth.None(), refreshed.refresh_token ?? '', options)
  t.equal(await oauth.processRevocationResponse(revoked), undefined)
  t.match(await introspect(refreshed.access_token), { active: false })
})
