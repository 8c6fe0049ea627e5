import t, { type Test } from 'tap'
import type { AuthorizationRequest } from '../../server/protocol/authorization_request.ts'
import type { Client } from '../../server/protocol/client.ts'
import { accessTokenHash } from '../../server/protocol/id_token.ts'
import { buildTestApp, claimsOf } from '../helpers/app.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { seedSession } from '../helpers/session.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'

const API = 'https://api.example.com'
const OTHER = 'https://other.example.com'

async function prepare(t: Test, changes: Partial<Client> = {}) {
  const server = await buildTestApp(t)
  const { store } = server.deps
  const account = await server.createAccount({ email: 'alice@example.com' })
  const client = await server.createClient({ ...WEB_CLIENT, scope: 'openid email offline_access read', ...changes })
  for (const resource of [API, OTHER]) {
    const rest = {
      access_token_seconds: null,
      claims: {},
      token_typ: 'at+jwt' as const,
      introspection_clients: [],
      created_at: 0,
      updated_at: 0,
    }
    const authorization_details_types = resource === API ? ['payment'] : []
    const row = { ...rest, resource, scopes: ['read'], signing_alg: 'RS256', authorization_details_types } as const
    await store.createResource(row, [])
  }
  const code = (request: Partial<AuthorizationRequest> = {}) => codeFor(server, client, account, request)
  const exchange = async (code: string, changes: Record<string, string | undefined> = {}) => {
    const given = Object.entries({ ...codeForm(client, code), ...changes }).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    )
    const response = await server.postForm('/token', new URLSearchParams(given).toString())
    return { status: response.statusCode, body: response.json() }
  }
  const events = async () => (await store.listAudit({}, { limit: 50, cursor: null })).items.map(({ event }) => event)
  return { server, account, client, code, exchange, events }
}

const GONE = { status: 400, body: { error: 'invalid_grant' } }

t.test('OpenID Connect Core §3.1.3.3: a code becomes an access token, a refresh token and an ID token', async (t) => {
  const { server, account, client, exchange } = await prepare(t)
  const { session } = await seedSession(server.deps, { account_id: account.account_id })
  server.clock.advance(5)
  const made = await codeFor(server, client, account, { session, nonce: 'the nonce', scope: 'openid email' })
  const { status, body } = await exchange(made)
  t.equal(status, 200)
  t.match(body, { token_type: 'Bearer', scope: 'openid email', expires_in: 300, refresh_token: /^gth_rt_/ })
  const now = server.clock.now()
  const id_token = claimsOf(body.id_token)
  t.match(id_token, {
    iss: server.issuer,
    sub: account.account_id,
    aud: 'web',
    nonce: 'the nonce',
    auth_time: now - 5,
    iat: now,
    acr: 'urn:gatehouse:pwd',
    amr: ['pwd'],
    sid: session.session_id,
    at_hash: accessTokenHash(body.access_token, 'RS256'),
  })
  t.notOk('email' in id_token, '§5.4: with an access token, the claims of a scope are at UserInfo')
  t.match(claimsOf(body.access_token), { sub: account.account_id, client_id: 'web', sid: session.session_id })
})

t.test('without openid there is no ID token, and without the grant type refresh_token none of those', async (t) => {
  const { code, exchange } = await prepare(t, { grant_types: ['authorization_code'] })
  const { body } = await exchange(await code({ scope: 'email' }))
  t.notOk('id_token' in body || 'refresh_token' in body)
  t.type(body.access_token, 'string')
})

t.test('RFC 6749 §4.1.2: a code is used once, and its second use ends what the first one got', async (t) => {
  const { server, code, exchange, events } = await prepare(t)
  const made = await code()
  const first = await exchange(made)
  t.equal(first.status, 200)
  t.match(await exchange(made), GONE)
  const refresh = { grant_type: 'refresh_token', client_id: 'web', refresh_token: first.body.refresh_token }
  t.match((await server.postForm('/token', refresh)).json(), { error: 'invalid_grant' })
  const { grant_id } = claimsOf(first.body.access_token)
  t.match(await server.deps.store.findGrant(String(grant_id)), { grant: { revoked_because: 'code_replayed' } })
  t.ok((await events()).includes('code.replayed'))
})

t.test('RFC 9700 §4.5: whoever finds a used code, and cannot use it, cannot end anything either', async (t) => {
  const { server, code, exchange } = await prepare(t)
  await server.createClient({ ...WEB_CLIENT, client_id: 'mallory', scope: 'openid' })
  const made = await code()
  const { body } = await exchange(made)
  for (const changes of [
    { client_id: 'mallory' },
    { code_verifier: 'w'.repeat(43) },
    { code_verifier: undefined },
    { redirect_uri: 'https://evil.example' },
  ]) {
    t.match(await exchange(made, changes), GONE)
  }
  const { grant_id } = claimsOf(body.access_token)
  t.match(await server.deps.store.findGrant(String(grant_id)), { grant: { revoked_at: null } })
})

t.test('a wrong attempt does not use a code up', async (t) => {
  const { code, exchange } = await prepare(t)
  const made = await code()
  t.match(await exchange(made, { code_verifier: 'w'.repeat(43) }), GONE)
  t.match(await exchange(made, { resource: 'https://unknown.example' }), { body: { error: 'invalid_target' } })
  t.match(await exchange(made), { status: 200 })
})

t.test('of many who exchange a code at once, one gets an answer', async (t) => {
  const { code, exchange } = await prepare(t)
  const made = await code()
  const answers = await Promise.all(Array.from({ length: 16 }, () => exchange(made)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.ok(answers.every(({ status, body }) => status === 200 || body.error === 'invalid_grant'))
})

t.test('RFC 6749 §4.1.2: a code expires', async (t) => {
  const { server, code, exchange } = await prepare(t)
  const made = await code()
  server.clock.advance(60)
  t.match(await exchange(made), GONE)
})

t.test('a session that ends takes its unused codes along', async (t) => {
  const { server, account, client, exchange } = await prepare(t)
  const { session } = await seedSession(server.deps, { account_id: account.account_id })
  const made = await codeFor(server, client, account, { session })
  await server.deps.store.endSession(session.session_id, 'signed_out', server.clock.now(), [])
  t.match(await exchange(made), GONE)
})

t.test('RFC 8707 §2.2: a token request narrows the resources, and the scope to what is known there', async (t) => {
  const { code, exchange, client, server } = await prepare(t, { resources: [API, OTHER] })
  const made = await code({ resources: [API, server.issuer], scope: 'openid read' })
  const { body } = await exchange(made, { resource: API })
  t.match(claimsOf(body.access_token), { aud: API, scope: 'openid read' })
  const refresh = { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: body.refresh_token }
  const other = await server.postForm('/token', { ...refresh, resource: server.issuer })
  t.match(claimsOf(other.json().access_token), { aud: server.issuer }, 'the grant holds all of them')
  t.match(await exchange(await code({ resources: [API] }), { resource: OTHER }), { body: { error: 'invalid_target' } })
})

t.test('RFC 9396 §7, §9: authorization_details are in the response and in the token', async (t) => {
  const { server, code, exchange } = await prepare(t, { resources: [API], authorization_details_types: ['payment'] })
  const details = [
    { type: 'payment', amount: '1' },
    { type: 'payment', amount: '2' },
  ]
  const made = await code({ resources: [API, server.issuer], authorization_details: details })
  const { body } = await exchange(made, { resource: API, authorization_details: '[{"amount":"2","type":"payment"}]' })
  t.strictSame(body.authorization_details, [details[1]])
  t.strictSame(claimsOf(body.access_token).authorization_details, [details[1]])
  const refresh = { grant_type: 'refresh_token', client_id: 'web', refresh_token: body.refresh_token }
  const elsewhere = (await server.postForm('/token', { ...refresh, resource: server.issuer })).json()
  t.equal(elsewhere.authorization_details, undefined, 'they mean nothing at another resource')
  const more = { resource: API, authorization_details: '[{"type":"payment","amount":"3"}]' }
  const refused = await exchange(await code({ resources: [API], authorization_details: details }), more)
  t.match(refused.body, { error: 'invalid_authorization_details' })
})

t.test('OpenID Connect Core §12.2: a refresh brings an ID token of the same sign-in, without a nonce', async (t) => {
  const { server, code, exchange } = await prepare(t)
  const first = await exchange(await code({ nonce: 'the nonce' }))
  server.clock.advance(100)
  const refresh = { grant_type: 'refresh_token', client_id: 'web', refresh_token: first.body.refresh_token }
  const second = claimsOf((await server.postForm('/token', refresh)).json().id_token)
  const { iss, sub, aud, auth_time, sid } = claimsOf(first.body.id_token)
  t.match(second, { iss, sub, aud, auth_time, sid, iat: server.clock.now() })
  t.notOk('nonce' in second)
})

t.test('OpenID Connect Core §5.5: claims asked for by name are in the ID token', async (t) => {
  const { code, exchange } = await prepare(t)
  const claims = { id_token: { email: { essential: true }, given_name: null } }
  const { body } = await exchange(await code({ claims }))
  t.match(claimsOf(body.id_token), { email: 'alice@example.com', email_verified: undefined, given_name: undefined })
})

t.test('OpenID Connect Registration §2: an ID token is signed as its client is registered', async (t) => {
  const { code, exchange } = await prepare(t, { id_token_signed_response_alg: 'ES256' })
  const { body } = await exchange(await code())
  const header = JSON.parse(Buffer.from(body.id_token.split('.')[0], 'base64url').toString())
  t.match(header, { alg: 'ES256', typ: 'JWT', kid: String })
})

t.test('OpenID Connect Core §8.1: a client with pairwise subjects learns no other name of the account', async (t) => {
  const { account, code, exchange } = await prepare(t, { subject_type: 'pairwise' })
  const { body } = await exchange(await code())
  const { sub } = claimsOf(body.id_token)
  t.not(sub, account.account_id)
  t.equal(claimsOf(body.access_token).sub, sub)
  t.notMatch(JSON.stringify([claimsOf(body.id_token), claimsOf(body.access_token)]), account.account_id)
})
