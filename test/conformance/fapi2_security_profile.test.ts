/**
 * The modules of the plan `fapi2-security-profile-final-test-plan`: plain_fapi, openid_connect, private_key_jwt, DPoP.
 *
 * @see [FAPI 2.0 Security Profile](https://openid.net/specs/fapi-security-profile-2_0-final.html)
 */
import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { assertion, clientKey } from '../helpers/client_keys.ts'
import { answerOf, UNHURRIED } from '../helpers/relying_party.ts'
import { createBrowser } from '../helpers/web_client.ts'
import { ath, REDIRECT_URI, suiteClient } from './fapi2_client.ts'

const server = await buildTestApp(t, { config: { profile: 'fapi2', ...UNHURRIED } })
const { issuer, clock } = server
const account = await server.createAccount({ email: 'alice@example.com' })
await server.deps.store.updateAccount({ ...account, name: 'Alice Adams' }, [])
const metadata = (await server.inject({ url: '/.well-known/openid-configuration' })).json()

const { party, dpop, sign, prove, proof } = await suiteClient(server, 'suite')
const second = await suiteClient(server, 'suite-2')
const another = await clientKey()

t.test('fapi2-security-profile-final-discovery-end-point-verification: what the profile needs is there', async (t) => {
  t.match(metadata, {
    response_types_supported: ['code'],
    authorization_response_iss_parameter_supported: true,
    require_pushed_authorization_requests: true,
    code_challenge_methods_supported: ['S256'],
  })
  t.equal(metadata.pushed_authorization_request_endpoint, `${issuer}/par`)
  t.ok(metadata.token_endpoint_auth_methods_supported.includes('private_key_jwt'))
  for (const name of ['none', 'client_secret_basic', 'client_secret_post']) {
    t.notOk(metadata.token_endpoint_auth_methods_supported.includes(name), name)
  }
  const lists = Object.entries(metadata).filter(([name]) => /(?<!resource)_signing_alg_values_supported$/.test(name))
  t.ok(lists.length > 5)
  for (const [name, list] of lists) t.strictSame([list].flat().filter(isWeak), [], name)
})

function isWeak(alg: unknown): boolean {
  return !['PS256', 'ES256', 'EdDSA', 'Ed25519'].includes(String(alg))
}

t.test('fapi2-security-profile-final-happy-flow: two clients, two redirect URIs, bound tokens', async (t) => {
  const { answer, tokens, claims, header } = await party.flow()
  t.match(answer, { code: String, state: 'the state', iss: issuer })
  t.match(tokens, { token_type: 'DPoP', access_token: String })
  t.match(claims, { aud: 'suite', nonce: 'the nonce' })
  t.equal(header.alg, 'PS256')
  t.match((await party.resource(tokens)).json(), { sub: claims.sub })
  const redirect_uri = `${REDIRECT_URI}?dummy1=lorem&dummy2=ipsum`
  const { code, ...rest } = await second.party.answer({ redirect_uri })
  t.match(rest, { dummy1: 'lorem', dummy2: 'ipsum', iss: issuer })
  t.equal((await second.party.exchange(code, { redirect_uri })).statusCode, 200)
})

t.test('fapi2-security-profile-final-user-rejects-authentication: access_denied, by either button', async (t) => {
  const denied = await party.authorize(await party.pushed({ prompt: 'consent' }), {}, { decision: 'deny' })
  t.match(answerOf(issuer, denied), { error: 'access_denied', state: 'the state', iss: issuer })
  const browser = createBrowser(server)
  const query = new URLSearchParams({ client_id: 'suite', request_uri: await party.pushed() }).toString()
  const page = await browser.open(`/authorize?${query}`)
  const cancelled = await browser.submit(page, { cancel: 'true' })
  t.match(answerOf(issuer, cancelled), { error: 'access_denied', state: 'the state' })
})

t.test(
  'fapi2-security-profile-final-ensure-authorization-request-without-state-success, fapi2-security-profile-final-ensure-authorization-request-without-nonce-success, fapi2-security-profile-final-ensure-authorization-request-with-64-char-nonce-success, fapi2-security-profile-final-ensure-authorization-request-with-long-nonce, fapi2-security-profile-final-ensure-authorization-request-with-long-state: as they were sent, or not at all',
  async (t) => {
    const without = await party.flow({ state: undefined, nonce: undefined })
    t.notOk('state' in without.answer)
    t.notOk('nonce' in without.claims)
    t.notOk('s_hash' in without.claims)
    for (const length of [64, 384]) {
      const nonce = 'n'.repeat(length)
      t.equal((await party.flow({ nonce })).claims.nonce, nonce)
    }
    const state = 's'.repeat(1000)
    t.equal((await party.answer({ state })).state, state)
  },
)

t.test('fapi2-security-profile-final-ensure-other-scope-order-succeeds: scopes have no order', async (t) => {
  const { tokens } = await party.flow({ scope: 'email openid' })
  t.match((await party.resource(tokens)).json(), { email: 'alice@example.com' })
})

t.test(
  'fapi2-security-profile-final-test-claims-parameter-identity-claims: all there are, and unknown ones',
  async (t) => {
    const asked = { name: null, email: { essential: true }, email_verified: null, unknown: { value: 1 } }
    const { claims, tokens } = await party.flow({ claims: JSON.stringify({ id_token: asked, userinfo: asked }) })
    const known = { name: 'Alice Adams', email: 'alice@example.com', email_verified: false }
    t.match(claims, known)
    const told = (await party.resource(tokens)).json()
    t.match(told, known)
    t.notOk('unknown' in told)
  },
)

t.test('fapi2-security-profile-final-access-token-type-header-case-sensitivity: a scheme has no case', async (t) => {
  const { tokens } = await party.flow()
  t.equal((await party.resource({ ...tokens, token_type: 'dpOp' })).statusCode, 200)
})

t.test(
  'fapi2-security-profile-final-check-dpop-proof-nbf-exp, fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds, fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds: such proofs are taken',
  async (t) => {
    const now = clock.now()
    for (const claims of [{ nbf: now, exp: now + 300 }, { iat: now - 10 }, { iat: now + 10 }]) {
      const pushed = await party.push({}, { form: await sign(), headers: await proof('/par', claims) })
      t.equal(pushed.statusCode, 201, pushed.body)
      const { code } = answerOf(issuer, await party.authorize(pushed.json().request_uri)) ?? {}
      const response = await party.exchange(code, {}, { form: await sign(), headers: await proof('/token', claims) })
      t.equal(response.statusCode, 200)
      const { access_token } = response.json()
      const headers = await proof('/userinfo', { ...claims, htm: 'GET', ...ath(access_token) })
      t.equal((await party.resource(response.json(), headers)).statusCode, 200)
    }
  },
)

t.test(
  'fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails, fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt, fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-jkt: one key from the request on',
  async (t) => {
    const mismatched = { form: await sign(), headers: await proof('/par') }
    t.match((await party.push({ dpop_jkt: another.jkt }, mismatched)).json(), { error: 'invalid_request' })
    const bound = await party.push({}, { form: await sign(), headers: await proof('/par', {}, another) })
    const { code: by_proof } = answerOf(issuer, await party.authorize(bound.json().request_uri)) ?? {}
    const { code: by_jkt } = await party.answer({ dpop_jkt: another.jkt })
    for (const code of [by_proof, by_jkt]) {
      const response = await party.exchange(code)
      t.match([response.statusCode, response.json()], [400, { error: /^invalid_(grant|dpop_proof)$/ }])
    }
  },
)

t.test(
  'fapi2-security-profile-final-ensure-dpopproof-at-par-endpoint-binding-success, fapi2-security-profile-final-ensure-dpop-auth-code-binding-success: the same key throughout',
  async (t) => {
    const bound = await party.push({}, { form: await sign(), headers: await proof('/par') })
    const { code } = answerOf(issuer, await party.authorize(bound.json().request_uri)) ?? {}
    t.equal((await party.exchange(code)).statusCode, 200)
    t.ok((await party.flow({ dpop_jkt: dpop.jkt })).claims.sub)
  },
)

t.test(
  'fapi2-security-profile-final-ensure-different-nonce-inside-and-outside-request-object, fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object, fapi2-security-profile-final-state-only-outside-request-object-not-used, fapi2-security-profile-final-par-without-duplicate-parameters: only what was pushed counts',
  async (t) => {
    const landing = await party.authorize(await party.pushed(), { nonce: 'outside', state: 'outside' })
    const answer = answerOf(issuer, landing)
    t.equal(answer?.state, 'the state')
    const { id_token } = (await party.exchange(answer?.code)).json()
    t.match(JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url').toString()), { nonce: 'the nonce' })
    const stateless = await party.authorize(await party.pushed({ state: undefined }), { state: 'outside' })
    t.notOk('state' in (answerOf(issuer, stateless) ?? {}))
  },
)

t.test(
  'fapi2-security-profile-final-ensure-client-id-in-token-endpoint, fapi2-security-profile-final-ensure-authorization-code-is-bound-to-client: a code is for its client',
  async (t) => {
    const { code } = await party.answer()
    const form = await sign({ iss: 'suite-2', sub: 'suite-2' })
    const posing = await party.exchange(code, {}, { form, headers: await proof('/token') })
    t.match([posing.statusCode, posing.json()], [401, { error: 'invalid_client' }])
    const stolen = await second.party.exchange(code)
    t.match([stolen.statusCode, stolen.json()], [400, { error: 'invalid_grant' }])
  },
)

t.test('fapi2-security-profile-final-ensure-holder-of-key-required: no tokens without a proof', async (t) => {
  const { code } = await party.answer()
  const response = await party.exchange(code, {}, { form: await sign() })
  t.match([response.statusCode, response.json()], [400, { error: 'invalid_dpop_proof' }])
})

t.test(
  'fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second: invalid_grant, and the access token is revoked',
  async (t) => {
    const { answer, tokens } = await party.flow()
    clock.advance(1)
    const again = await party.exchange(answer.code)
    t.match([again.statusCode, again.json()], [400, { error: 'invalid_grant' }])
    t.equal((await party.resource(tokens)).statusCode, 401)
  },
)

t.test(
  'fapi2-security-profile-final-ensure-token-endpoint-fails-with-expired-auth-code: after 60 seconds',
  async (t) => {
    const { code } = await party.answer()
    clock.advance(60)
    const response = await party.exchange(code)
    t.match([response.statusCode, response.json()], [400, { error: 'invalid_grant' }])
  },
)

t.test(
  'fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails, fapi2-security-profile-final-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails, fapi2-security-profile-final-ensure-client-assertion-with-wrong-aud-fails, fapi2-security-profile-final-ensure-client-assertion-with-no-sub-fails, fapi2-security-profile-final-ensure-client-assertion-in-token-endpoint: invalid_client',
  async (t) => {
    const rs256 = await clientKey('RS256')
    const client_id = 'suite-rs256'
    await server.createClient({ ...second.client, client_id, jwks: { keys: [rs256.public_jwk] } })
    const now = clock.now()
    const by_rs256 = await assertion(rs256, { client_id, audience: issuer, now })
    for (const [title, form] of [
      ['RS256', { ...(await sign()), client_assertion: by_rs256 }],
      ['expired', await sign({ iat: now - 360, exp: now - 300 })],
      ['wrong aud', await sign({ aud: 'https://other.example' })],
      ['no sub', await sign({ sub: undefined })],
      ['none', { client_id: 'suite' }],
    ] as const) {
      const response = await party.exchange('any', {}, { form, headers: await proof('/token') })
      t.match([response.statusCode, response.json()], [401, { error: 'invalid_client' }], title)
    }
  },
)

t.test(
  'fapi2-security-profile-final-dpop-negative-tests: whatever is wrong with a proof, the answer is 401',
  async (t) => {
    const { tokens } = await party.flow()
    const now = clock.now()
    const right = { htm: 'GET', ...ath(tokens.access_token) }
    const at = async (claims: object = {}, by = dpop, header: object = {}) =>
      prove('/userinfo', { ...right, ...claims }, by, header)
    const good = await at()
    const [head = '', payload = '', signature = ''] = good.split('.')
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const jwk = await crypto.subtle.exportKey('jwk', dpop.private_key)
    const wrong: Record<string, string> = {
      'more than one': `${await at()}, ${await at()}`,
      'not a JWT': 'not.a.jwt',
      'no typ': await at({}, dpop, { typ: undefined }),
      'another typ': await at({}, dpop, { typ: 'JWT' }),
      'no alg': `${encode({ typ: 'dpop+jwt', jwk: dpop.public_jwk })}.${payload}.${signature}`,
      'alg none': `${encode({ typ: 'dpop+jwt', alg: 'none', jwk: dpop.public_jwk })}.${payload}.`,
      'no jwk': await at({}, dpop, { jwk: undefined }),
      'a private jwk': await at({}, dpop, { jwk }),
      'no jti': await at({ jti: undefined }),
      'no htm': await at({ htm: undefined }),
      'no htu': await at({ htu: undefined }),
      'no iat': await at({ iat: undefined }),
      'no ath': await at({ ath: undefined }),
      'another ath': await at(ath('another token')),
      RS256: await at({}, await clientKey('RS256')),
      'another signature': `${head}.${payload}.${(await at()).split('.')[2]}`,
      'another htm': await at({ htm: 'PUT' }),
      'another htu': await at({ htu: 'https://other.example/userinfo' }),
      'an hour ahead': await at({ iat: now + 3600 }),
      'an hour ago': await at({ iat: now - 3600 }),
      'another key': await at({}, another),
    }
    for (const [title, dpop] of Object.entries(wrong)) {
      t.equal((await party.resource(tokens, { dpop })).statusCode, 401, title)
    }
    t.equal((await party.resource(tokens, {})).statusCode, 401, 'no proof')
    t.equal((await party.resource({ ...tokens, token_type: 'Bearer' }, {})).statusCode, 401, 'as a bearer token')
    const once = { dpop: await at() }
    for (const [title, headers] of Object.entries({
      'a query and a fragment': { dpop: await at({ htu: `${issuer}/userinfo?a=1#b` }) },
      'upper case': { dpop: await at({ htu: `${issuer.toUpperCase()}/userinfo` }) },
      'more members': { dpop: await at({ extra: 1 }, dpop, { extra: 1 }) },
      once: once,
    })) {
      t.equal((await party.resource(tokens, headers)).statusCode, 200, title)
    }
    t.equal((await party.resource(tokens, once)).statusCode, 401, 'twice')
    t.equal((await party.resource(tokens)).statusCode, 200, 'a right one after all that')
  },
)

t.test(
  'fapi2-security-profile-final-refresh-token: bound to its client and a key, and not rotated (§5.3.2.1)',
  async (t) => {
    const { tokens, claims } = await party.flow({ scope: 'openid offline_access', prompt: 'consent' })
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
    const renewed = await party.token(form)
    t.equal(renewed.statusCode, 200, renewed.body)
    t.match(renewed.json(), { token_type: 'DPoP', refresh_token: tokens.refresh_token })
    t.match((await party.resource(renewed.json())).json(), { sub: claims.sub })
    clock.advance(30)
    t.equal((await party.token(form)).statusCode, 200)
    const unauthenticated = await party.token(form, { headers: await proof('/token') })
    t.match([unauthenticated.statusCode, unauthenticated.json()], [401, { error: 'invalid_client' }])
    t.match((await party.token(form, { form: await sign() })).json(), { error: 'invalid_dpop_proof' })
    t.match((await second.party.token(form)).json(), { error: 'invalid_grant' })
  },
)
