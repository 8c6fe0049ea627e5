import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { OutboundError } from '../../server/outbound/outbound.ts'
import type { Client } from '../../server/protocol/client.ts'
import { basic, buildTestApp, NOW } from '../helpers/app.ts'
import { assertion, type ClientKey, clientKey } from '../helpers/client_keys.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const GRANT = { grant_type: 'client_credentials' }
const key = await clientKey()
const another = await clientKey()

type Options = Parameters<typeof buildTestApp>[1]

async function prepare(t: Test, changes: Partial<Client> = {}, options: Options = {}) {
  const server = await buildTestApp(t, options)
  const jwks = changes.jwks_uri === undefined ? { jwks: { keys: [key.public_jwk] } } : {}
  await server.createClient({ token_endpoint_auth_method: 'private_key_jwt', ...jwks, ...changes })
  const about = { client_id: 'service', audience: server.issuer, now: NOW }
  const sign = (claims = {}, header = {}, by: ClientKey = key) => assertion(by, about, claims, header)
  const send = (client_assertion: string, more: Record<string, string> = {}, url = '/token') =>
    server.postForm(url, { ...GRANT, client_assertion_type: TYPE, client_assertion, ...more })
  return { server, sign, send }
}

t.test('RFC 7523 §2.2: a signed assertion is proof, with or without a client_id beside it', async (t) => {
  const { sign, send } = await prepare(t)
  t.equal((await send(await sign())).statusCode, 200)
  t.equal((await send(await sign(), { client_id: 'service' })).statusCode, 200)
  t.equal((await send(await sign({}, { typ: 'client-authentication+jwt' }))).statusCode, 200)
  t.equal((await send(await sign({ exp: NOW + 3600 }))).statusCode, 200, 'for an hour, as Authlib makes them')
})

t.test('RFC 7523 §3: the issuer is the audience; the token endpoint and the endpoint called will do', async (t) => {
  const { server, sign, send } = await prepare(t)
  const { issuer } = server
  for (const aud of [[issuer], `${issuer}/token`, [issuer, `${issuer}/token`]]) {
    t.equal((await send(await sign({ aud }))).statusCode, 200, JSON.stringify(aud))
  }
  const token = { token: 'any' }
  t.equal((await send(await sign({ aud: `${issuer}/revoke` }), token, '/revoke')).statusCode, 200)
  t.equal((await send(await sign({ aud: `${issuer}/token` }), token, '/introspect')).statusCode, 200)
  for (const aud of [`${issuer}/revoke`, 'https://another.example', [issuer, 'https://another.example']]) {
    t.equal((await send(await sign({ aud }))).statusCode, 401, JSON.stringify(aud))
  }
})

t.test('RFC 7523 §3: whatever is wrong with an assertion, the answer is the same', async (t) => {
  const { server, sign, send } = await prepare(t, {}, { config: { throttle: { client_failures_per_minute: 1000 } } })
  const wrong: [string, string][] = [
    ['of another key', await sign({}, {}, another)],
    ['of another key that it brings along', await sign({}, { jwk: another.public_jwk }, another)],
    ['of another issuer', await sign({ iss: 'another' })],
    ['expired', await sign({ exp: NOW })],
    ['for more than an hour', await sign({ exp: NOW + 3611 })],
    ['without exp', await sign({ exp: undefined })],
    ['without jti', await sign({ jti: undefined })],
    ['without aud', await sign({ aud: undefined })],
    ['of another kind', await sign({}, { typ: 'at+jwt' })],
    ['of an unknown client', await sign({ iss: 'nobody', sub: 'nobody' })],
  ]
  for (const [title, jwt] of wrong) {
    const { statusCode, body } = await send(jwt)
    t.equal(statusCode, 401, title)
    t.same(JSON.parse(body), { error: 'invalid_client', error_description: 'client authentication failed' }, title)
  }
  t.match(server.logged.join(''), /the assertion: aud is missing/)
})

t.test('RFC 7521 §4.2: what cannot be read as an assertion says so', async (t) => {
  const { server, sign, send } = await prepare(t)
  const jwt = await sign()
  t.match((await send('nonsense')).json(), { error: 'invalid_client' })
  t.match((await send(await sign({ sub: undefined }))).json(), { error: 'invalid_client' })
  t.match((await send(jwt, { client_assertion_type: 'jwt' })).json(), { error: 'invalid_request' })
  t.match((await send(jwt, { client_id: 'another' })).json(), { error: 'invalid_request' })
  t.match((await server.postForm('/token', { ...GRANT, client_assertion: jwt })).json(), { error: 'invalid_request' })
  const without = await server.postForm('/token', { ...GRANT, client_assertion_type: TYPE })
  t.match(without.json(), { error: 'invalid_client' })
})

t.test('RFC 6749 §2.3: one method a request, and the registered one', async (t) => {
  const { server, sign, send } = await prepare(t)
  t.match((await send(await sign(), { client_id: 'service', client_secret: 'x' })).json(), { error: 'invalid_request' })
  const both = await server.postForm(
    '/token',
    { ...GRANT, client_assertion_type: TYPE, client_assertion: await sign() },
    basic('service', 'x'),
  )
  t.match(both.json(), { error: 'invalid_request' })
  t.equal((await server.postForm('/token', { ...GRANT, client_id: 'service' })).statusCode, 401)
  t.equal((await server.postForm('/token', GRANT, basic('service', 'x'))).statusCode, 401)
  await server.createClient({ client_id: 'by_secret', client_secret: 'secret', jwks: { keys: [key.public_jwk] } })
  t.equal((await send(await sign({ iss: 'by_secret', sub: 'by_secret' }))).statusCode, 401)
})

t.test('RFC 7523 §3: an assertion is good once, whoever gets there first', async (t) => {
  const { sign, send } = await prepare(t)
  const jwt = await sign()
  const statuses = (await Promise.all(Array.from({ length: 16 }, () => send(jwt)))).map((answer) => answer.statusCode)
  t.equal(statuses.filter((status) => status === 200).length, 1)
  t.equal((await send(jwt)).statusCode === 200, false)
})

t.test('RFC 7523 §3: once also where its keys took longer to come than it had to live', async (t) => {
  const slow = Promise.withResolvers<void>()
  const outbound = {
    async getJson() {
      await slow.promise
      return { json: { keys: [key.public_jwk] }, cache_control: undefined }
    },
    postSet: async () => ({ status: 202, text: '' }),
    postForm: async () => {},
  }
  const { server, sign, send } = await prepare(t, { jwks_uri: 'https://client.example/jwks' }, { outbound })
  const jwt = await sign({ exp: NOW + 1 })
  const answers = Promise.all([send(jwt), send(jwt)])
  await setTimeout(50)
  server.clock.advance(2)
  slow.resolve()
  t.equal((await answers).filter(({ statusCode }) => statusCode === 200).length, 1)
})

t.test('RFC 7523 §3: a forged assertion does not use up the jti of a genuine one', async (t) => {
  const { sign, send } = await prepare(t)
  t.equal((await send(await sign({ jti: 'same' }, {}, another))).statusCode, 401)
  t.equal((await send(await sign({ jti: 'same' }))).statusCode, 200)
})

t.test('OpenID Connect Registration §2: token_endpoint_auth_signing_alg is the only one', async (t) => {
  const ps256 = await clientKey('PS256')
  const { sign, send } = await prepare(t, {
    jwks: { keys: [key.public_jwk, ps256.public_jwk] },
    token_endpoint_auth_signing_alg: 'PS256',
  })
  t.equal((await send(await sign({}, {}, ps256))).statusCode, 200)
  t.equal((await send(await sign())).statusCode, 401)
})

t.test('a jwks_uri is fetched once; when it fails the answer is a 401 and the log says why', async (t) => {
  let answer: unknown = { keys: [key.public_jwk] }
  let asked = 0
  const outbound = {
    async getJson() {
      asked += 1
      if (answer instanceof Error) throw answer
      return { json: answer, cache_control: undefined }
    },
    postSet: async () => ({ status: 202, text: '' }),
    postForm: async () => {},
  }
  const { server, sign, send } = await prepare(t, { jwks_uri: 'https://client.example/jwks' }, { outbound })
  for (let i = 0; i < 3; i++) t.equal((await send(await sign())).statusCode, 200)
  t.equal(asked, 1)
  answer = new OutboundError('answered with 500')
  server.clock.advance(3600)
  const late = { iat: NOW + 3600, exp: NOW + 3660 }
  t.equal((await send(await sign(late))).statusCode, 401)
  t.match(server.logged.join(''), /jwks_uri: answered with 500/)
})

t.test(
  'FAPI 2.0 Security Profile §5.3.2.1, §5.4.1: only the issuer as a string, no RS256, no other method',
  async (t) => {
    const rs256 = await clientKey('RS256')
    const jwks = { keys: [key.public_jwk, rs256.public_jwk] }
    const { server, sign, send } = await prepare(t, { jwks }, { config: { profile: 'fapi2' } })
    const { issuer } = server
    for (const jwt of [
      await sign({ aud: `${issuer}/token` }),
      await sign({ aud: [issuer] }),
      await sign({}, {}, rs256),
    ]) {
      t.match((await send(jwt)).json(), { error: 'invalid_client' })
    }
    t.match((await send(await sign())).json(), { error: 'invalid_request', error_description: /DPoP proof/ })
    await server.createClient({ client_id: 'by_secret', client_secret: 'secret' })
    t.equal((await server.postForm('/token', GRANT, basic('by_secret', 'secret'))).statusCode, 401)
  },
)
