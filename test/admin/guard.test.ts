import { createHmac } from 'node:crypto'
import fastify from 'fastify'
import t from 'tap'
import { CLI_CLIENT_ID, mintCliToken } from '../../server/admin/cli_token.ts'
import { setGuard } from '../../server/admin/guard.ts'
import { buildTestAdmin, type TestAdmin } from '../helpers/admin.ts'
import { basic, claimsOf, NOW } from '../helpers/app.ts'

const admin = await buildTestAdmin(t)
const { deps, issuer, call } = admin
await admin.createAccount({ username: 'root', roles: ['admin'] })
await admin.createAccount({ username: 'alice' })

const sign = (claims: object, typ = 'at+jwt') => deps.keys.sign('RS256', typ, claims)
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const good = await mintCliToken(deps)
const claims = claimsOf(good)
const [header = '', payload = '', signature = ''] = good.split('.')
const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())

/** Signs in, asking for the admin API. */
async function tokenOf(username: string, scope = 'gatehouse:read gatehouse:write'): Promise<string> {
  return (await admin.signIn(username, { scope, resource: `${issuer}/admin/api` })).access
}

async function clientToken(test: TestAdmin, client_id: string, secret: string): Promise<string> {
  const form = { grant_type: 'client_credentials', resource: `${issuer}/admin/api` }
  return (await test.postForm('/token', form, basic(client_id, secret))).json().access_token
}

t.test('RFC 6750 §3.1: without a token, 401 and a challenge without an error code', async (t) => {
  const challenges = [undefined, 'Basic YTpi', 'DPoP x', '']
  for (const authorization of challenges) {
    const headers = authorization === undefined ? {} : { authorization }
    const response = await admin.inject({ url: '/admin/api/accounts', headers })
    t.equal(response.statusCode, 401)
    // RFC 9728 §5.1
    const metadata = `${issuer}/.well-known/oauth-protected-resource/admin/api`
    t.equal(response.headers['www-authenticate'], `Bearer realm="gatehouse", resource_metadata="${metadata}"`)
    t.match(response.headers['content-type'], /^application\/problem\+json/)
    t.match(response.json(), { status: 401, title: 'Unauthorized' })
  }
})

t.test('RFC 6750 §2: a token in the query or the body does not count', async (t) => {
  const query = await admin.inject({ url: `/admin/api/accounts?access_token=${good}` })
  t.equal(query.statusCode, 401)
  const body = await admin.postJson('/admin/api/revocations', { access_token: good, issued_before: 1 })
  t.equal(body.statusCode, 401)
})

const hs256 = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid })}.${payload}`
const publicKey = deps.keys.verificationKey(kid)?.pem ?? ''
const hostile: [string, string | Promise<string>][] = [
  ['RFC 8725 §3.2: alg none', `${base64url({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.`],
  [
    'RFC 8725 §3.2: alg none over a signature',
    `${base64url({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.${signature}`,
  ],
  ['RFC 8725 §3.2: no signature', `${header}.${payload}.`],
  [
    'RFC 8725 §2.1: HS256 keyed with the public key',
    `${hs256}.${createHmac('sha256', publicKey).update(hs256).digest('base64url')}`,
  ],
  ['RFC 7515 §6: other claims under the signature', `${header}.${base64url({ ...claims, sub: 'x' })}.${signature}`],
  ['an unknown kid', `${base64url({ alg: 'RS256', typ: 'at+jwt', kid: 'x' })}.${payload}.${signature}`],
  ['no kid', `${base64url({ alg: 'RS256', typ: 'at+jwt' })}.${payload}.${signature}`],
  ['a kid that is no text', `${base64url({ alg: 'RS256', typ: 'at+jwt', kid: {} })}.${payload}.${signature}`],
  ['RFC 9068 §4: another audience', sign({ ...claims, aud: issuer })],
  ['RFC 9068 §4: no audience', sign({ ...claims, aud: undefined })],
  ['RFC 9068 §4: another issuer', sign({ ...claims, iss: 'https://other.example' })],
  ['RFC 7519 §4.1.4: expired', sign({ ...claims, exp: NOW - 1 })],
  ['RFC 7519 §4.1.4: on its expiry', sign({ ...claims, exp: NOW })],
  ['RFC 7519 §4.1.4: exp is no number', sign({ ...claims, exp: 'never' })],
  ['RFC 7519 §4.1.4: no exp', sign({ ...claims, exp: undefined })],
  ['RFC 7519 §4.1.5: not yet', sign({ ...claims, nbf: NOW + 60 })],
  ['RFC 9068 §2.2: no jti', sign({ ...claims, jti: undefined })],
  ['RFC 8725 §3.11: an ID token', sign(claims, 'JWT')],
  ['RFC 8725 §3.11: a logout token', sign(claims, 'logout+jwt')],
  ['RFC 8725 §3.11: no access token by its claim', sign({ ...claims, token_type: 'refresh' })],
  [
    'RFC 7515 §4.1.11: an unknown crit',
    `${base64url({ alg: 'RS256', kid, crit: ['x'], x: 1 })}.${payload}.${signature}`,
  ],
  ['another key of ours than RS256', deps.keys.sign('ES256', 'at+jwt', claims)],
  ['a client that nobody registered', sign({ ...claims, client_id: 'nobody', sub: 'nobody' })],
  ["the command line's client_id with another subject", sign({ ...claims, sub: CLI_CLIENT_ID })],
  ["the command line's client_id for an account", sign({ ...claims, user_id: 'root' })],
  ['a grant that is not there', sign({ ...claims, client_id: 'x', grant_id: 'none' })],
  ['RFC 6749 §1.5: a refresh token', admin.signIn('root').then(({ refresh }) => refresh)],
  ['garbage', 'garbage'],
  ['garbage of three parts', 'e30.e30.e30'],
  ['two tokens', `${good} ${good}`],
  ['no token', ''],
  ['more than 8 KiB', `${header}.${'A'.repeat(8192)}.${signature}`],
]
for (const [title, made] of hostile) {
  t.test(`401 invalid_token: ${title}`, async (t) => {
    const response = await call('GET', 'accounts', undefined, { token: await made })
    t.equal(response.statusCode, 401, response.body)
    t.match(
      response.headers['www-authenticate'],
      /^Bearer realm="gatehouse", error="invalid_token", error_description="/,
    )
    t.match(response.json(), { status: 401, error: 'invalid_token' })
  })
}

t.test('RFC 7515 §5.2: a token altered at any place is refused', async (t) => {
  const step = 7
  // The last character of 256 bytes holds four bits that mean nothing.
  for (let at = 0; at < good.length - 1; at += step) {
    const token = `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`
    const { statusCode } = await call('GET', 'keys', undefined, { token })
    if (statusCode !== 401) t.fail(`altered at ${at}: ${statusCode}`)
  }
  t.equal((await call('GET', 'keys', undefined, { token: good })).statusCode, 200, 'and the honest one works')
})

t.test('an administrator is let in, and only while the role lasts', async (t) => {
  const token = await tokenOf('root')
  t.equal((await call('GET', 'accounts', undefined, { token })).statusCode, 200)
  t.equal((await call('PATCH', 'accounts/root', { roles: [] })).statusCode, 200)
  const refused = await call('GET', 'accounts', undefined, { token })
  t.equal(refused.statusCode, 403)
  t.match(refused.headers['www-authenticate'], /error="insufficient_scope".* scope="gatehouse:read"/)
  await call('PATCH', 'accounts/root', { roles: ['admin'] })
})

t.test('whoever lacks the role gets no token for this API', async (t) => {
  await t.rejects(tokenOf('alice'))
})

t.test('a revoked token opens nothing', async (t) => {
  const token = await tokenOf('root')
  const { grant_id } = claimsOf(token)
  t.equal((await call('DELETE', `grants/${String(grant_id)}`)).statusCode, 204)
  t.equal((await call('GET', 'accounts', undefined, { token })).statusCode, 401)
})

t.test('RFC 6750 §3.1: a token for reading does not write', async (t) => {
  const token = await tokenOf('root', 'gatehouse:read')
  t.equal((await call('GET', 'clients', undefined, { token })).statusCode, 200)
  const refused = await call('POST', 'setup-links', undefined, { token })
  t.equal(refused.statusCode, 403)
  t.match(refused.headers['www-authenticate'], /error="insufficient_scope".* scope="gatehouse:write"/)
})

t.test('a client with the scopes is let in, as long as it has them', async (t) => {
  await admin.createClient({ client_id: 'ops', client_secret: 'long secret', scope: 'gatehouse:read' })
  const token = await clientToken(admin, 'ops', 'long secret')
  t.equal((await call('GET', 'clients', undefined, { token })).statusCode, 200)
  t.equal((await call('POST', 'setup-links', undefined, { token })).statusCode, 403)
  await call('PATCH', 'clients/ops', { scope: 'read' })
  t.equal((await call('GET', 'clients', undefined, { token })).statusCode, 403)
  await call('DELETE', 'clients/ops')
  t.equal((await call('GET', 'clients', undefined, { token })).statusCode, 401)
})

t.test('every route declares the scope that it needs', async (t) => {
  const undeclared = fastify()
  await setGuard(undeclared, deps)
  t.throws(() => undeclared.get('/open', async () => ({})), /GET \/open does not declare/)
  t.throws(() => undeclared.post('/weak', { config: { scope: 'gatehouse:read' } }, async () => ({})), /POST \/weak/)
  t.doesNotThrow(() => undeclared.get('/told', { config: { scope: 'gatehouse:read' } }, async () => ({})))
})

t.test("the command line's token lives a minute", async (t) => {
  const token = await mintCliToken(deps)
  admin.clock.advance(59)
  t.equal((await call('GET', 'keys', undefined, { token })).statusCode, 200)
  admin.clock.advance(1)
  t.equal((await call('GET', 'keys', undefined, { token })).statusCode, 401)
})

t.test('RFC 9470 §3: a change of credentials takes a sign-in of the last five minutes', async (t) => {
  const test = await buildTestAdmin(t)
  await test.createAccount({ username: 'root', roles: ['admin'] })
  await test.createClient({ client_id: 'app', client_secret: 'a client secret of some length' })
  const signedIn = await test.signIn('root', {
    scope: 'gatehouse:read gatehouse:write',
    resource: `${issuer}/admin/api`,
  })
  const url = '/admin/api/clients/app/rotate-secret'
  const rotate = (token: string) => test.inject({ method: 'POST', url, headers: { authorization: `Bearer ${token}` } })
  t.equal((await rotate(signedIn.access)).statusCode, 200)
  test.clock.advance(301)
  const { access } = (await test.postJson('/api/token/refresh/', { refresh: signedIn.refresh })).json()
  const refused = await rotate(access)
  t.equal(refused.statusCode, 401)
  t.match(refused.headers['www-authenticate'], /error="insufficient_user_authentication".* max_age="300"/)
  t.equal((await rotate(await mintCliToken(test.deps))).statusCode, 200, 'the command line never signed in')
  const headers = { authorization: `Bearer ${access}` }
  t.equal((await test.inject({ url: '/admin/api/clients/app', headers })).statusCode, 200, 'the rest goes on')
})
