import { createHash } from 'node:crypto'
import t from 'tap'
import { basic, buildTestApp, claimsOf } from '../helpers/app.ts'
import { clientKey, dpopProof } from '../helpers/client_keys.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { API, forwarded, HTML, POLICY, PROXY, prepareForwardAuth as prepare } from '../helpers/forward_auth.ts'
import { seedSession } from '../helpers/session.ts'

const SECRET = 'a client secret of some length'

const challengeOf = ({ headers }: { headers: Record<string, unknown> }) => [headers['www-authenticate']].flat().join()

t.test('it is off until it is configured', async (t) => {
  const { inject } = await buildTestApp(t)
  for (const url of ['/forward-auth', '/forward-auth/callback', '/forward-auth/with/x/y']) {
    t.equal((await inject({ url })).statusCode, 404, url)
  }
})

t.test('a token lets in, and the answer tells the application whose it is', async (t) => {
  const { alice, tokenOf, withToken } = await prepare(t)
  const answer = await withToken(await tokenOf({}, 'read email'))
  t.equal(answer.statusCode, 200)
  t.equal(answer.body, '')
  t.match(answer.headers, {
    'x-auth-subject': alice.account_id,
    'x-auth-username': 'alice',
    'x-auth-email': '',
    'x-auth-roles': 'editor',
    'x-auth-scope': 'read email',
    'x-auth-client': 'web',
    'remote-user': 'alice',
    'cache-control': 'no-store',
  })
  t.notOk('access-control-allow-origin' in answer.headers)
  const stranger = await withToken(await tokenOf({ client_id: 'stranger', first_party: false }))
  t.match(stranger.headers, { 'x-auth-subject': alice.account_id, 'remote-user': '', 'x-auth-roles': '' })
})

t.test('RFC 6750 §3.1: no token, a token for something else, garbage: 401 with a challenge', async (t) => {
  const { ask, issuer, signIn, tokenOf, withToken } = await prepare(t)
  const none = await ask(POLICY)
  t.equal(none.statusCode, 401)
  t.match(challengeOf(none), /^Bearer realm="gatehouse",DPoP algs="/)
  t.notMatch(challengeOf(none), /error|resource_metadata/, 'whether the resource describes itself is not ours to say')
  const refusals = {
    'another audience': await tokenOf({}, 'openid', [issuer]),
    garbage: 'garbage',
    'a changed one': `${(await tokenOf()).slice(0, -8)}AAAAAAAA`,
    'a refresh token': (await signIn()).refresh,
  }
  for (const [name, token] of Object.entries(refusals)) {
    const refused = await withToken(token)
    t.equal(refused.statusCode, 401, name)
    t.match(challengeOf(refused), 'error="invalid_token"', name)
    t.notOk(
      Object.keys(refused.headers).some((header) => /^(x-auth|remote)-/.test(header)),
      name,
    )
  }
  t.equal((await withToken(refusals['another audience'], '')).statusCode, 200, 'the default resource')
  t.equal((await ask(POLICY, { authorization: 'Basic YTpi' })).statusCode, 401, 'another scheme')
  const query = `${POLICY}&access_token=${await tokenOf()}`
  t.equal((await ask(query)).statusCode, 400, 'OAuth 2.1 §5.1.2: never in the query')
})

t.test('RFC 6750 §3.1: expired, revoked, signed out, disabled: refused at once', async (t) => {
  const { alice, clock, deps, postForm, tokenOf, withToken } = await prepare(t, { cache_seconds: 5 })
  const status = async (token: string) => (await withToken(token)).statusCode
  const expired = await tokenOf()
  t.equal(await status(expired), 200)
  clock.advance(300)
  t.equal(await status(expired), 401)
  const revoked = await tokenOf()
  await postForm('/revoke', { token: revoked, client_id: 'web' })
  t.equal(await status(revoked), 401)
  const signed_out = await tokenOf()
  await deps.store.endSession(String(claimsOf(signed_out).sid), 'signed_out', clock.now(), [])
  t.equal(await status(signed_out), 401)
  const disabled = await tokenOf()
  await deps.store.disableAccount(alice.account_id, clock.now(), [])
  t.equal(await status(disabled), 401)
})

t.test('RFC 6750 §3.1: without the scope or the role 403, and nobody is sent to sign in again', async (t) => {
  const { alice, createClient, deps, postForm, tokenOf, withToken, ask } = await prepare(t)
  const token = await tokenOf({}, 'read')
  t.equal((await withToken(token, `${POLICY}&scope=read`)).statusCode, 200)
  const refused = await withToken(token, `${POLICY}&scope=read+write`)
  t.equal(refused.statusCode, 403)
  t.match(challengeOf(refused), /error="insufficient_scope".* scope="read write"/)
  t.equal((await withToken(token, `${POLICY}&role=editor`)).statusCode, 200)
  t.equal((await withToken(token, `${POLICY}&role=admin&role=editor`)).statusCode, 200, 'any of them')
  t.equal((await withToken(token, `${POLICY}&role=admin`)).statusCode, 403)
  await createClient({ client_secret: SECRET, resources: ['*'] })
  const form = { grant_type: 'client_credentials', resource: API, scope: 'read' }
  const service = (await postForm('/token', form, basic('service', SECRET))).json().access_token
  t.match((await withToken(service)).headers, { 'x-auth-subject': 'service', 'remote-user': '' })
  t.equal((await withToken(service, `${POLICY}&role=editor`)).statusCode, 403, 'a service has no roles')
  const { handle } = await seedSession(deps, { account_id: alice.account_id })
  const page = { cookie: `gatehouse_session=${handle}`, accept: HTML }
  t.equal((await ask('role=admin&sign_in=redirect', page)).statusCode, 403)
})

t.test("the session of a browser lets in at this server's own origin, and nowhere else", async (t) => {
  const { alice, ask, clock, deps, issuer } = await prepare(t)
  const { handle, session } = await seedSession(deps, { account_id: alice.account_id })
  const cookie = `gatehouse_session=${handle}`
  const here = await ask('', { cookie, ...forwarded('/x', issuer) })
  t.equal(here.statusCode, 200)
  t.match(here.headers, { 'remote-user': 'alice', 'x-auth-scope': '', 'x-auth-client': '' })
  t.equal((await ask('', { cookie })).statusCode, 200, 'where no proxy tells another')
  t.equal((await ask('', { cookie, ...forwarded() })).statusCode, 401, 'at another origin')
  t.equal((await ask('scope=read', { cookie })).statusCode, 401, 'a session has no scope')
  t.equal((await ask('scope=read&accept=token+session', { cookie })).statusCode, 200, 'unless that is meant')
  t.equal((await ask('accept=token', { cookie })).statusCode, 401)
  const both = await ask('', { cookie, authorization: 'Bearer garbage' })
  t.equal(both.statusCode, 401, 'a token that was sent is what counts')
  t.equal((await ask('', { cookie: `gatehouse_session=${'a'.repeat(43)}` })).statusCode, 401)
  await deps.store.endSession(session.session_id, 'signed_out', clock.now(), [])
  t.equal((await ask('', { cookie })).statusCode, 401, 'signed out')
  const another = await seedSession(deps, { account_id: alice.account_id })
  await deps.store.disableAccount(alice.account_id, clock.now(), [])
  t.equal((await ask('', { cookie: `gatehouse_session=${another.handle}` })).statusCode, 401, 'disabled')
})

t.test('RFC 9470 §3: a sign-in that is too old or too weak is a challenge', async (t) => {
  const { alice, ask, clock, deps, tokenOf, withToken } = await prepare(t)
  const token = await tokenOf()
  const { handle } = await seedSession(deps, { account_id: alice.account_id })
  clock.advance(100)
  t.equal((await withToken(token, `${POLICY}&max_age=100`)).statusCode, 200)
  const old = await withToken(token, `${POLICY}&max_age=99`)
  t.equal(old.statusCode, 401)
  t.match(challengeOf(old), /error="insufficient_user_authentication".* max_age="99"/)
  const weak = await withToken(token, `${POLICY}&acr_values=urn:strong`)
  t.match([weak.statusCode, challengeOf(weak)], [401, /acr_values="urn:strong"/])
  t.equal((await ask('max_age=99', { cookie: `gatehouse_session=${handle}` })).statusCode, 401)
  t.equal((await ask('max_age=100', { cookie: `gatehouse_session=${handle}` })).statusCode, 200)
})

t.test('RFC 9449 §7.1: a bound token needs a proof for the address that a trusted proxy tells', async (t) => {
  const { ask, issuer, client, alice, clock, ...server } = await prepare(t, { cache_seconds: 5 })
  const key = await clientKey()
  const code = await codeFor({ ...server, issuer }, client, alice, { scope: 'read', resources: [API] })
  const at_token = { dpop: await dpopProof(key, { htu: `${issuer}/token`, now: clock.now() }) }
  const { access_token } = (await server.postForm('/token', codeForm(client, code), at_token)).json()
  const ath = createHash('sha256').update(access_token).digest('base64url')
  const proof = (htm: string, htu: string) => dpopProof(key, { htm, htu, now: clock.now() }, { ath })
  const send = async (dpop: string, headers: Record<string, string>, from = PROXY) =>
    ask(POLICY, { authorization: `DPoP ${access_token}`, dpop, ...headers }, from)
  const orders = forwarded('/orders?id=1', API, 'POST')
  const good = await proof('POST', `${API}/orders`)
  const passed = await send(good, orders)
  t.equal(passed.statusCode, 200)
  t.match(passed.headers, { 'cache-control': 'no-store', 'x-accel-expires': undefined })
  t.equal((await send(good, orders)).statusCode, 401, 'a proof is good once')
  t.equal((await send(await proof('GET', `${API}/orders`), orders)).statusCode, 401, 'another method')
  t.equal((await send(await proof('POST', `${API}/other`), orders)).statusCode, 401, 'another address')
  const spoofed = await send(await proof('POST', `${API}/orders`), orders, '192.0.2.1')
  t.equal(spoofed.statusCode, 401, 'the address is told by nobody who is believed')
  const contradicting = { ...orders, 'x-original-url': `${API}/other` }
  t.equal((await send(await proof('POST', `${API}/orders`), contradicting)).statusCode, 401)
  t.equal(
    (await ask(POLICY, { authorization: `Bearer ${access_token}`, ...orders })).statusCode,
    401,
    'as a bearer token',
  )
})

t.test('Envoy asks with any method, the policy before the path: what a client adds changes nothing', async (t) => {
  const { inject, tokenOf } = await prepare(t)
  const authorization = `Bearer ${await tokenOf()}`
  const envoy = (path: string, method: 'GET' | 'POST' | 'OPTIONS' = 'GET', headers = {}) =>
    inject({ method, url: `/forward-auth/with/${path}`, headers: { host: 'api.example', ...headers } })
  const passing = await envoy(`${POLICY}&scope=read/orders/7?scope=nothing&role=x`, 'GET', { authorization })
  t.equal(passing.statusCode, 200)
  const posted = { authorization, 'content-type': 'application/json', 'content-length': '0' }
  t.equal((await envoy(`${POLICY}&scope=read/`, 'POST', posted)).statusCode, 200)
  t.equal((await envoy(`${POLICY}&scope=write/a/with/scope=read/b?x`, 'GET', { authorization })).statusCode, 403)
  t.equal((await envoy(`${POLICY}/x`, 'OPTIONS')).statusCode, 401)
  t.equal((await envoy('scopes=read/x', 'GET', { authorization })).statusCode, 400)
  const bodies = { authorization, 'content-type': 'application/json', 'content-length': '5' }
  const body = { method: 'POST', url: `/forward-auth/with/${POLICY}/x`, headers: bodies, payload: '{"a":' } as const
  t.equal((await inject(body)).statusCode, 200, 'a body is not read')
})

t.test('a cache of nginx may keep what lets in, for as long as configured and as the token lives', async (t) => {
  const { ask, clock, tokenOf, withToken } = await prepare(t, { cache_seconds: 5 })
  const token = await tokenOf()
  const kept = await withToken(token)
  t.match(kept.headers, { 'x-accel-expires': '5', 'cache-control': 'private, no-cache' })
  const names = Object.keys(kept.headers)
  t.ok(names.indexOf('x-accel-expires') < names.indexOf('cache-control'), 'the order that old versions need')
  t.equal(kept.headers.vary, 'Authorization, Cookie, DPoP, Accept, Host')
  for (const refused of [await withToken('garbage'), await withToken(token, `${POLICY}&scope=write`), await ask('')]) {
    t.match(refused.headers, { 'cache-control': 'no-store', 'x-accel-expires': undefined }, 'refusals never')
  }
  clock.advance(297)
  t.equal((await withToken(token)).headers['x-accel-expires'], '3')
})

t.test('what the answer says of transport security is not said of the host of an application', async (t) => {
  const server = await buildTestApp(t, {
    config: { issuer: 'https://id.example', forward_auth: { enabled: true, origins: [], cache_seconds: 0 } },
  })
  t.notOk('strict-transport-security' in (await server.inject({ url: '/forward-auth' })).headers)
  t.ok('strict-transport-security' in (await server.inject({ url: '/userinfo' })).headers)
})
