import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { compactDecrypt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import type { AuthorizationRequest } from '../../server/protocol/authorization_request.ts'
import type { Client } from '../../server/protocol/client.ts'
import { basic, buildTestApp, claimsOf } from '../helpers/app.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'

const ORIGIN = 'https://spa.example'
const CORS = { config: { http: { cors_origins: [ORIGIN] } } }

async function prepare(t: Test, changes: Partial<Client> = {}, options: Parameters<typeof buildTestApp>[1] = {}) {
  const server = await buildTestApp(t, options)
  const account = await server.createAccount({ email: 'alice@example.com' })
  const client = await server.createClient({ ...WEB_CLIENT, ...changes })
  const tokens = async (request: Partial<AuthorizationRequest> = {}) => {
    const code = await codeFor(server, client, account, request)
    const response = await server.postForm('/token', codeForm(client, code))
    if (response.statusCode !== 200) throw new Error(response.body)
    return response.json()
  }
  const ask = (access_token: string, headers: Record<string, string> = {}) =>
    server.inject({ url: '/userinfo', headers: { authorization: `Bearer ${access_token}`, ...headers } })
  return { server, account, client, tokens, ask }
}

t.test('OpenID Connect Core §5.3: it tells of the person what the scope allows, by GET and by POST', async (t) => {
  const { server, account, tokens, ask } = await prepare(t)
  const { access_token } = await tokens({ scope: 'openid email' })
  const answer = await ask(access_token)
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
  const person = { sub: account.account_id, email: 'alice@example.com', email_verified: false }
  t.strictSame(answer.json(), person)
  const posted = await server.postForm('/userinfo', '', { authorization: `Bearer ${access_token}` })
  t.strictSame(posted.json(), person)
  t.strictSame((await server.postForm('/userinfo', { access_token })).json(), person, 'RFC 6750 §2.2: in the body')
})

t.test('RFC 6750 §2.3: a token in the query is none at all', async (t) => {
  const { server, tokens } = await prepare(t)
  const { access_token } = await tokens()
  const answer = await server.inject({ url: `/userinfo?access_token=${access_token}` })
  t.equal(answer.statusCode, 401)
  const twice = await server.postForm('/userinfo', { access_token }, { authorization: `Bearer ${access_token}` })
  t.match([twice.statusCode, twice.json()], [400, { error: 'invalid_request' }])
})

t.test('RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1: a refusal is a challenge', async (t) => {
  const { server, ask } = await prepare(t)
  const metadata = `resource_metadata="${server.issuer}/.well-known/oauth-protected-resource/userinfo"`
  const bare = await server.inject({ url: '/userinfo' })
  t.equal(bare.statusCode, 401)
  const challenge = [bare.headers['www-authenticate']].flat().join(', ')
  t.match(challenge, 'Bearer realm="gatehouse"')
  t.match(challenge, 'DPoP algs="')
  t.match(challenge, metadata)
  t.notMatch(challenge, 'error', '§3.1: without any authentication information no error code')
  const wrong = await ask('garbage')
  t.equal(wrong.statusCode, 401)
  t.match([wrong.headers['www-authenticate']].flat().join(), 'error="invalid_token"')
})

t.test('RFC 6750 §3.1: a token without the scope openid is insufficient, one without a person invalid', async (t) => {
  const { server, tokens, ask } = await prepare(t)
  const { access_token } = await tokens({ scope: 'email' })
  const refused = await ask(access_token)
  t.equal(refused.statusCode, 403)
  t.match([refused.headers['www-authenticate']].flat().join(), /error="insufficient_scope".* scope="openid"/)
  const client_secret = 'a client secret of some length'
  await server.createClient({ client_secret, scope: 'openid' })
  const own = await server.postForm('/token', { grant_type: 'client_credentials' }, basic('service', client_secret))
  t.equal((await ask(own.json().access_token)).statusCode, 401)
})

t.test('RFC 6750 §3.1: expired, revoked, signed out, disabled: invalid_token at once', async (t) => {
  const { server, account, tokens, ask } = await prepare(t)
  const status = async (token: string) => (await ask(token)).statusCode
  const { store, clock } = server.deps
  const { access_token: expired } = await tokens()
  server.clock.advance(300)
  t.equal(await status(expired), 401)
  const { access_token: revoked } = await tokens()
  t.equal(await status(revoked), 200)
  await server.postForm('/revoke', { token: revoked, client_id: 'web' })
  t.equal(await status(revoked), 401)
  const { access_token: signed_out } = await tokens()
  await store.endSession(String(claimsOf(signed_out).sid), 'signed_out', clock.now(), [])
  t.equal(await status(signed_out), 401)
  const { access_token: disabled } = await tokens()
  await store.disableAccount(account.account_id, clock.now(), [])
  t.equal(await status(disabled), 401)
})

t.test('an ID token is no access token, and neither is a refresh token', async (t) => {
  const { tokens, ask } = await prepare(t)
  const { id_token, refresh_token } = await tokens()
  t.equal((await ask(id_token)).statusCode, 401)
  t.equal((await ask(refresh_token)).statusCode, 401)
})

t.test('RFC 9449 §7.1: by the scheme DPoP only a bound token is let in', async (t) => {
  const { server, tokens } = await prepare(t)
  const { access_token } = await tokens()
  const refused = await server.inject({ url: '/userinfo', headers: { authorization: `DPoP ${access_token}` } })
  t.equal(refused.statusCode, 401)
})

t.test('OpenID Connect Core §5.3.2: sub is that of the ID token, pairwise or public', async (t) => {
  const { account, tokens, ask } = await prepare(t, { subject_type: 'pairwise' })
  const { access_token, id_token } = await tokens()
  const { sub } = (await ask(access_token)).json()
  t.equal(sub, claimsOf(id_token).sub)
  t.not(sub, account.account_id)
})

t.test('OpenID Connect Core §5.5: claims asked for by name come, too', async (t) => {
  const { account, tokens, ask } = await prepare(t)
  const { access_token } = await tokens({ claims: { userinfo: { preferred_username: null, phone_number: null } } })
  t.strictSame((await ask(access_token)).json(), { preferred_username: 'alice', sub: account.account_id })
})

t.test('OpenID Connect Core §5.3.2: signed when its client is registered so, with iss and aud', async (t) => {
  const { server, account, tokens, ask } = await prepare(t, { userinfo_signed_response_alg: 'RS256' })
  const answer = await ask((await tokens()).access_token)
  t.match(answer.headers, { 'content-type': /^application\/jwt/ })
  const { payload } = await verify(server, answer.body)
  t.strictSame(payload, { sub: account.account_id, iss: server.issuer, aud: 'web' })
  t.equal((await ask(answer.body)).statusCode, 401, 'it passes for no token')
})

t.test(
  'OpenID Connect Core §5.3.2: encrypted when its client is registered so, around the signature if any',
  async (t) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'enc-1', use: 'enc' }
    const encrypted = {
      jwks: { keys: [jwk] },
      userinfo_encrypted_response_alg: 'RSA-OAEP-256',
      userinfo_encrypted_response_enc: 'A256GCM',
      id_token_encrypted_response_alg: 'RSA-OAEP-256',
    } as const
    const { server, account, tokens, ask } = await prepare(t, encrypted)
    const { access_token, id_token } = await tokens()
    const nested = await open(id_token, privateKey)
    t.match(nested.header, { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256', cty: 'JWT', kid: 'enc-1' })
    t.match((await verify(server, nested.text)).payload, { sub: account.account_id, aud: 'web' })
    const answer = await ask(access_token)
    t.match(answer.headers, { 'content-type': /^application\/jwt/ })
    const plain = await open(answer.body, privateKey)
    t.equal(plain.header.cty, undefined)
    t.match(plain.header, { enc: 'A256GCM' })
    t.strictSame(JSON.parse(plain.text), { sub: account.account_id })
  },
)

t.test('a client that is to be answered in secret, and has no key for it, gets no answer', async (t) => {
  const { tokens, ask } = await prepare(t, { jwks: { keys: [] }, userinfo_encrypted_response_alg: 'RSA-OAEP-256' })
  const answer = await ask((await tokens()).access_token)
  t.match([answer.statusCode, answer.json()], [400, { error: 'invalid_request' }])
})

t.test('nor does one whose key has the members of a key and is none: that is its fault, not ours', async (t) => {
  for (const [alg, jwk] of [
    ['ECDH-ES', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
    ['RSA-OAEP-256', { kty: 'RSA', n: 'wQ', e: 'AQAB' }],
  ] as const) {
    const { tokens, ask } = await prepare(t, { jwks: { keys: [jwk] }, userinfo_encrypted_response_alg: alg })
    const answer = await ask((await tokens()).access_token)
    t.match([answer.statusCode, answer.json()], [400, { error: 'invalid_request' }], alg)
  }
})

t.test('scripts of the configured origins may ask, and read why not', async (t) => {
  const { server } = await prepare(t, {}, CORS)
  const preflight = await server.inject({ method: 'OPTIONS', url: '/userinfo', headers: { origin: ORIGIN } })
  t.match(preflight.headers, {
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': /GET, POST/,
    'access-control-allow-headers': /authorization, dpop/,
  })
  const refused = await server.inject({ url: '/userinfo', headers: { origin: ORIGIN } })
  t.match(refused.headers, { 'access-control-expose-headers': 'www-authenticate, dpop-nonce' })
  const stranger = await server.inject({ url: '/userinfo', headers: { origin: 'https://evil.example' } })
  t.notOk('access-control-allow-origin' in stranger.headers)
})

type Server = Awaited<ReturnType<typeof buildTestApp>>

async function verify({ deps, clock }: Server, jwt: string): Promise<{ payload: JWTPayload }> {
  const { kid = '' } = decodeProtectedHeader(jwt)
  const found = deps.keys.verificationKey(kid)
  if (found === undefined) throw new Error(`${kid} is no key of ours`)
  return jwtVerify(jwt, found.key, { currentDate: new Date(clock.now() * 1000) })
}

async function open(jwe: string, key: KeyObject) {
  const { plaintext, protectedHeader: header } = await compactDecrypt(jwe, key)
  return { header, text: new TextDecoder().decode(plaintext) }
}
