import t, { type Test } from 'tap'
import type { Config } from '../../config/schema.ts'
import type { Client } from '../../server/protocol/client.ts'
import { JWT_BEARER_GRANT } from '../../server/protocol/jwt_bearer.ts'
import { basic, buildTestApp, claimsOf, NOW } from '../helpers/app.ts'
import { clientKey, dpopProof } from '../helpers/client_keys.ts'
import { type Claims, makeSigningKey, signToken, startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const SECRET = 'a client secret of some length'
const API = 'https://api.example'
const ID_JAG = { typ: 'oauth-id-jag+jwt' }
const REFUSED = { status: 400, body: { error: 'invalid_grant', error_description: 'the assertion is not valid' } }

async function prepare(t: Test, changes: Partial<Client> = {}, subject: Config['jwt_bearer']['subject'] = 'username') {
  const idp = await startStandInIssuer(t)
  const server = await buildTestApp(t, {
    config: { jwt_bearer: { issuers: [idp.issuer], subject }, outbound: { allow: [new URL(idp.issuer).host] } },
  })
  const account = await server.createAccount({ email: 'alice@example.com' })
  const rest = {
    access_token_seconds: null,
    claims: {},
    token_typ: 'at+jwt' as const,
    introspection_clients: [],
    authorization_details_types: [],
  }
  const row = { ...rest, resource: API, scopes: ['read', 'write'], signing_alg: 'RS256', created_at: 0, updated_at: 0 }
  await server.deps.store.createResource({ ...row, signing_alg: 'RS256' }, [])
  const grant_types = [JWT_BEARER_GRANT, 'refresh_token']
  await server.createClient({
    client_id: 'agent',
    client_secret: SECRET,
    grant_types,
    scope: 'openid read',
    resources: [API],
    ...changes,
  })

  let made = 0
  const assertion = (claims: Claims = {}, header: Claims = {}, key = idp.keys[0]) => {
    const now = server.clock.now()
    const jti = `assertion-${made++}`
    const right = { iss: idp.issuer, sub: 'alice', aud: server.issuer, iat: now, exp: now + 300, jti }
    return signToken(key, { ...right, ...claims }, { typ: 'JWT', ...header })
  }
  const exchange = async (jwt: string, more: Record<string, string> = {}, headers: Record<string, string> = {}) => {
    const form = { grant_type: JWT_BEARER_GRANT, assertion: jwt, ...more }
    const response = await server.postForm('/token', form, { ...basic('agent', SECRET), ...headers })
    return { status: response.statusCode, body: response.json() }
  }
  return { idp, server, account, assertion, exchange }
}

t.test('RFC 7523 §2.1: an assertion becomes an access token for the person that it names', async (t) => {
  const { server, account, assertion, exchange } = await prepare(t)
  const { status, body } = await exchange(await assertion({ auth_time: NOW - 100 }), {
    scope: 'openid read',
    resource: API,
  })
  t.equal(status, 200)
  t.match(body, { token_type: 'Bearer', expires_in: 300, scope: 'openid read' })
  t.notOk('refresh_token' in body || 'id_token' in body, 'RFC 7521 §4.1: the issuer stays in charge')
  const claims = claimsOf(body.access_token)
  t.match(claims, { sub: account.account_id, client_id: 'agent', aud: API, auth_time: NOW - 100 })
  const silent = await exchange(await assertion({}))
  t.equal(claimsOf(silent.body.access_token).auth_time, 0, 'RFC 9470 §4: unknown is not lately')
  t.match(await server.deps.store.findGrant(String(claims.grant_id)), {
    grant: { client_id: 'agent', absolute_expires_at: NOW + 300 },
  })
})

t.test('§3: what is wrong with an assertion is nobody’s business but the log’s', async (t) => {
  const { idp, server, assertion, exchange } = await prepare(t)
  const stranger = await makeSigningKey(idp.keys[0].kid)
  const bad: [string, Promise<string> | string][] = [
    ['no JWT', 'x'],
    ['of an unknown issuer', assertion({ iss: 'https://evil.example' })],
    ['without an issuer', assertion({ iss: undefined })],
    ['signed by somebody else', assertion({}, {}, stranger)],
    ['with a key that the issuer does not have', assertion({}, { kid: 'unknown' })],
    ['for another server', assertion({ aud: 'https://other.example' })],
    ['for others as well', assertion({ aud: [server.issuer, 'https://other.example'] })],
    ['expired', assertion({ exp: NOW })],
    ['without an end', assertion({ exp: undefined })],
    ['for a day', assertion({ exp: NOW + 86_400 })],
    ['from the future', assertion({ iat: NOW + 60 })],
    ['not yet good', assertion({ nbf: NOW + 60 })],
    ['without jti', assertion({ jti: undefined })],
    ['without sub', assertion({ sub: undefined })],
    ['whose sub is a number', assertion({ sub: 7 })],
    ['about nobody', assertion({ sub: 'bob' })],
    ['an access token', assertion({}, { typ: 'at+jwt' })],
    ['unsigned', assertion().then((jwt) => `${jwt.split('.').slice(0, 2).join('.')}.`)],
    ['for another client', assertion({ client_id: 'web' })],
  ]
  for (const [title, jwt] of bad) t.match(await exchange(await jwt), REFUSED, title)
  for (const aud of [server.issuer, `${server.issuer}/token`, [server.issuer]]) {
    t.match(await exchange(await assertion({ aud })), { status: 200 }, String(aud))
  }
})

t.test('§3 point 7: an assertion is good once, and a wrong attempt does not use it up', async (t) => {
  const { server, assertion, exchange } = await prepare(t)
  const jwt = await assertion()
  t.match(await exchange(jwt, { scope: 'admin' }), { body: { error: 'invalid_scope' } })
  const answers = await Promise.all(Array.from({ length: 64 }, () => exchange(jwt)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.match(await exchange(jwt), REFUSED)
  t.match(await exchange(await assertion({ jti: 'another' })), { status: 200 })
  server.clock.advance(300)
  t.match(await exchange(jwt), REFUSED, 'nor when its jti may be forgotten')
})

t.test('only confidential clients that are registered for the grant type', async (t) => {
  const { server, assertion } = await prepare(t)
  await server.createClient({ client_id: 'spa', grant_types: [JWT_BEARER_GRANT] })
  await server.createClient({ client_id: 'other', grant_types: ['refresh_token'] })
  for (const client_id of ['spa', 'other']) {
    const form = { grant_type: JWT_BEARER_GRANT, assertion: await assertion(), client_id }
    t.match((await server.postForm('/token', form)).json(), { error: 'unauthorized_client' }, client_id)
  }
})

t.test('a client that registered itself brings what was made for it, and nothing that it found', async (t) => {
  const { assertion, exchange } = await prepare(t, { origin: 'registered' })
  t.match(await exchange(await assertion()), REFUSED)
  t.match(await exchange(await assertion({ client_id: 'agent' })), { status: 200 })
})

t.test('without trusted issuers the grant type is not there', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient({ client_id: 'agent', client_secret: SECRET, grant_types: [JWT_BEARER_GRANT] })
  const form = { grant_type: JWT_BEARER_GRANT, assertion: 'x' }
  t.match((await server.postForm('/token', form, basic('agent', SECRET))).json(), { error: 'unsupported_grant_type' })
})

t.test('ID-JAG: client_id, iat and the issuer as audience are required', async (t) => {
  const { server, assertion, exchange } = await prepare(t)
  const right = { client_id: 'agent', resource: API, scope: 'read' }
  for (const wrong of [
    { client_id: undefined },
    { client_id: 'web' },
    { iat: undefined },
    { aud: `${server.issuer}/token` },
    { scope: 7 },
    { resource: [7] },
  ]) {
    t.match(await exchange(await assertion({ ...right, ...wrong }, ID_JAG)), REFUSED, JSON.stringify(wrong))
  }
  const { body } = await exchange(await assertion(right, ID_JAG))
  t.match(claimsOf(body.access_token), { aud: API, scope: 'read' }, 'nothing asked: what the assertion allows')
})

t.test('ID-JAG: its scope and resource are the most that it gives', async (t) => {
  const { assertion, exchange } = await prepare(t, { scope: 'openid read write' })
  const made = () => assertion({ client_id: 'agent', resource: [API], scope: 'read admin' }, ID_JAG)
  t.match(await exchange(await made(), { scope: 'write' }), { status: 400, body: { error: 'invalid_scope' } })
  t.match(await exchange(await made(), { resource: 'https://other.example' }), { body: { error: 'invalid_target' } })
  t.match(
    await exchange(await made(), { scope: 'admin' }),
    { body: { error: 'invalid_scope' } },
    'nor past its registration',
  )
  t.match(await exchange(await made(), { scope: 'read', resource: `${API}/` }), {
    status: 200,
    body: { scope: 'read' },
  })
  t.match(await exchange(await made()), { body: { scope: 'read' } }, 'what is in both')
})

t.test('RFC 7800 §3: an assertion that is bound to a key comes with proof of it', async (t) => {
  const { server, assertion, exchange } = await prepare(t)
  const [key, other] = [await clientKey(), await clientKey()]
  const shown = async (by: typeof key) => ({
    dpop: await dpopProof(by, { htu: `${server.issuer}/token`, now: server.clock.now() }),
  })
  const cnf = { jkt: key.jkt }
  t.match(await exchange(await assertion({ cnf })), REFUSED)
  t.match(await exchange(await assertion({ cnf }), {}, await shown(other)), REFUSED)
  t.match(await exchange(await assertion({ cnf: { kid: 'x' } }), {}, await shown(key)), REFUSED)
  const { body } = await exchange(await assertion({ cnf }), {}, await shown(key))
  t.match(body, { token_type: 'DPoP' })
  t.match(claimsOf(body.access_token), { cnf })
})

t.test('jwt_bearer.subject: a sub names the account in the one way that is configured', async (t) => {
  const by_email = await prepare(t, {}, 'email')
  t.match(await by_email.exchange(await by_email.assertion({ sub: 'alice@example.com' })), REFUSED, 'not verified')
  const { store } = by_email.server.deps
  await store.updateAccount({ ...by_email.account, email_verified_at: NOW }, [])
  t.match(await by_email.exchange(await by_email.assertion({ sub: 'Alice@example.com' })), { status: 200 })
  t.match(await by_email.exchange(await by_email.assertion({ sub: 'alice' })), REFUSED, 'a user name is no address')

  const by_name = await prepare(t)
  t.match(await by_name.exchange(await by_name.assertion({ sub: 'alice@example.com' })), REFUSED)
  const by_id = await prepare(t, {}, 'account_id')
  t.match(await by_id.exchange(await by_id.assertion({ sub: 'alice' })), REFUSED)
  t.match(await by_id.exchange(await by_id.assertion({ sub: by_id.account.account_id })), { status: 200 })
})

t.test('an issuer that cannot be reached is no fault of the assertion: 503, and later it works', async (t) => {
  const { idp, server, assertion, exchange } = await prepare(t)
  const jwt = await assertion()
  await idp.down()
  t.match(await exchange(jwt), { status: 503, body: { error: 'temporarily_unavailable' } })
  await idp.up()
  server.clock.advance(10)
  t.match(await exchange(jwt), { status: 200 })
})

t.test('RFC 8414 §3.3: metadata that names another issuer is not used', async (t) => {
  const { idp, server } = await prepare(t)
  const alias = idp.issuer.replace('127.0.0.1', 'localhost')
  await t.rejects(server.deps.remoteKeys.findOfIssuer(alias, (keys) => keys[0]))
  t.match(await server.deps.remoteKeys.findOfIssuer(idp.issuer, (keys) => keys[0]), { kid: idp.keys[0].kid })
})

t.test('the account is disabled: its tokens end, and there are no more', async (t) => {
  const { server, account, assertion, exchange } = await prepare(t)
  const { body } = await exchange(await assertion())
  const active = async () =>
    (await server.postForm('/introspect', { token: body.access_token }, basic('agent', SECRET))).json().active
  t.equal(await active(), true)
  await server.deps.store.disableAccount(account.account_id, NOW, [])
  t.equal(await active(), false)
  t.match(await exchange(await assertion()), { status: 400, body: { error: 'invalid_grant' } })
})
