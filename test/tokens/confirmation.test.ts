import t, { type Test } from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { formatRefreshToken } from '../../server/protocol/refresh_token.ts'
import { basic, buildTestApp, claimsOf, NOW } from '../helpers/app.ts'
import { clientKey, dpopProof } from '../helpers/client_keys.ts'
import { makeGrant } from '../helpers/grant.ts'

const GRANT = { grant_type: 'client_credentials' }
const SECRET = 'a secret'
const key = await clientKey()
const another = await clientKey()

type Options = Parameters<typeof buildTestApp>[1]

async function prepare(t: Test, changes: Partial<Client> = {}, options: Options = {}) {
  const server = await buildTestApp(t, options)
  await server.createClient({ client_secret: SECRET, ...changes })
  const about = { htu: `${server.issuer}/token`, now: NOW }
  const prove = (claims = {}, header = {}, by = key) => dpopProof(by, about, claims, header)
  const send = (dpop?: string, form: Record<string, string> = GRANT, auth = basic('service', SECRET)) =>
    server.postForm('/token', form, { ...auth, ...(dpop === undefined ? {} : { dpop }) })
  return { server, prove, send }
}

t.test('RFC 9449 §5: a token asked for with a proof is bound to its key, and says so', async (t) => {
  const { prove, send } = await prepare(t)
  for (const alg of ['ES256', 'RS256', 'EdDSA', 'Ed25519']) {
    const by = await clientKey(alg)
    const { token_type, access_token } = (await send(await prove({}, {}, by))).json()
    t.equal(token_type, 'DPoP', alg)
    t.same(claimsOf(access_token).cnf, { jkt: by.jkt }, alg)
  }
  const { token_type, access_token } = (await send()).json()
  t.equal(token_type, 'Bearer')
  t.notOk('cnf' in claimsOf(access_token))
})

t.test('RFC 9449 §4.3: a proof that is not right is refused, whatever is wrong with it', async (t) => {
  const { server, prove, send } = await prepare(t)
  const good = await prove()
  const { kid: _, ...stranger } = another.public_jwk
  const wrong: [string, string][] = [
    ['of another key than it shows', await prove({}, { jwk: stranger })],
    ['of another kind', await prove({}, { typ: 'JWT' })],
    ['for another method', await prove({ htm: 'GET' })],
    ['for another address', await prove({ htu: `${server.issuer}/introspect` })],
    ['old', await prove({ iat: NOW - 61 })],
    ['altered', `${good.slice(0, -8)}AAAAAAAA`],
    ['two of them', `${good}, ${await prove()}`],
    ['no JWT', 'nonsense'],
    ['too long', await prove({ padding: 'a'.repeat(8192) })],
  ]
  for (const [title, proof] of wrong) {
    const answer = await send(proof)
    t.equal(answer.statusCode, 400, title)
    t.match(answer.json(), { error: 'invalid_dpop_proof', error_description: 'the DPoP proof is invalid' }, title)
  }
  t.equal((await send(good)).statusCode, 200)
})

t.test('RFC 9449 §11.1: a proof is good once, whoever gets there first', async (t) => {
  const { prove, send } = await prepare(t)
  const proof = await prove()
  const answers = await Promise.all(Array.from({ length: 16 }, () => send(proof)))
  t.equal(answers.filter((answer) => answer.statusCode === 200).length, 1)
  t.ok(answers.every((answer) => answer.statusCode === 200 || answer.json().error === 'invalid_dpop_proof'))
})

t.test('RFC 9449 §11.1: the jti is counted by key, and only after the signature', async (t) => {
  const { prove, send } = await prepare(t)
  const { kid: _, ...jwk } = key.public_jwk
  t.equal((await send(await prove({ jti: 'same' }, { jwk }, another))).statusCode, 400, 'forged')
  t.equal((await send(await prove({ jti: 'same' }))).statusCode, 200)
  t.equal((await send(await prove({ jti: 'same' }, {}, another))).statusCode, 200, 'another key')
  t.equal((await send(await prove({ jti: 'same' }))).statusCode, 400)
})

t.test('RFC 9449 §5.2: a client registered for it gets no token without a proof', async (t) => {
  const { prove, send } = await prepare(t, { dpop_bound_access_tokens: true })
  t.match((await send()).json(), { error: 'invalid_dpop_proof', error_description: /has to send/ })
  t.equal((await send(await prove())).statusCode, 200)
})

t.test('RFC 9449 §8: with dpop.nonce, a proof without one is told the nonce that it needs', async (t) => {
  const { server, prove, send } = await prepare(t, {}, { config: { dpop: { nonce: true } } })
  const refused = await send(await prove())
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { error: 'use_dpop_nonce' })
  const nonce = String(refused.headers['dpop-nonce'])
  t.equal((await send(await prove({ nonce }))).statusCode, 200)
  t.match((await send(await prove({ nonce: `${nonce}x` }))).json(), { error: 'use_dpop_nonce' })
  server.clock.advance(360)
  const late = await send(await prove({ nonce, iat: NOW + 360 }))
  t.match(late.json(), { error: 'use_dpop_nonce' })
  t.not(late.headers['dpop-nonce'], nonce)
  t.equal((await send()).headers['dpop-nonce'], undefined, 'only who sends proofs is told')
})

t.test('RFC 9449 §8: without dpop.nonce, none is handed out and none is asked for', async (t) => {
  const { prove, send } = await prepare(t)
  const answer = await send(await prove({ nonce: 'of another server' }))
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['dpop-nonce'], undefined)
})

t.test("RFC 9449 §5: a public client's refresh token is worth nothing without its key", async (t) => {
  const { server, prove } = await prepare(t, { client_id: 'app', token_endpoint_auth_method: 'none' })
  const { account_id } = await server.createAccount()
  const grant = makeGrant({ grant_id: 'g'.repeat(22), account_id, client_id: 'app', cnf: { jkt: key.jkt } })
  await server.deps.store.createGrant({ ...grant, resources: [server.issuer] }, [], [])
  const token = { grant_id: grant.grant_id, generation: 0 }
  const refresh_token = formatRefreshToken(token, server.deps.vault.refreshTokenMacKey)
  const form = { grant_type: 'refresh_token', client_id: 'app', refresh_token }
  const refresh = (dpop?: string) => server.postForm('/token', form, dpop === undefined ? {} : { dpop })
  t.match((await refresh()).json(), { error: 'invalid_grant' })
  t.match((await refresh(await prove({}, {}, another))).json(), { error: 'invalid_grant' })
  const refreshed = (await refresh(await prove())).json()
  t.equal(refreshed.token_type, 'DPoP')
  t.same(claimsOf(refreshed.access_token).cnf, { jkt: key.jkt })
})

t.test('RFC 9449 §7.2: the admin API takes no DPoP-bound token as a bearer token', async (t) => {
  const server = await buildTestApp(t)
  const admin_resource = `${server.issuer}/admin/api`
  await server.createClient({ client_secret: SECRET, scope: 'gatehouse:read', resources: [admin_resource] })
  const ask = async (dpop?: string) => {
    const form = { ...GRANT, resource: admin_resource }
    const headers = { ...basic('service', SECRET), ...(dpop === undefined ? {} : { dpop }) }
    const { access_token } = (await server.postForm('/token', form, headers)).json()
    return server.inject({ url: '/admin/api/clients', headers: { authorization: `Bearer ${access_token}` } })
  }
  t.equal((await ask()).statusCode, 200)
  t.equal((await ask(await dpopProof(key, { htu: `${server.issuer}/token`, now: NOW }))).statusCode, 401)
})

t.test('RFC 9449 §5.1: discovery names the algorithms of proofs and assertions', async (t) => {
  const { server } = await prepare(t)
  const { body } = await server.inject({ url: '/.well-known/oauth-authorization-server' })
  t.match(JSON.parse(body), {
    dpop_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    tls_client_certificate_bound_access_tokens: false,
  })
})
