/**
 * The modules of the plan `oidcc-dynamic-certification-test-plan` with response_type=code: clients that register
 * themselves for private_key_jwt. Two things of that plan are not offered, on purpose: the implicit grant, and request
 * objects that are fetched; see `docs/conformance.md`.
 */
import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { type ClientKey, clientKey } from '../helpers/client_keys.ts'
import { answerOf, byAssertion, relyingParty, UNHURRIED } from '../helpers/relying_party.ts'

const REDIRECT_URI = 'https://suite.example/test/a/gatehouse/callback'
const SECTOR = 'https://suite.example/redirect_uris.json'
const JWKS_URI = 'https://suite.example/client1_jwks'

/** What the suite publishes, by address. */
const published = new Map<string, unknown>()
const server = await buildTestApp(t, {
  config: {
    registration: { mode: 'open', require_pkce: false, scope: 'openid profile email address phone offline_access' },
    ...UNHURRIED,
  },
  outbound: {
    getJson: async (url) => {
      if (!published.has(url)) throw new Error(`nothing at ${url}`)
      return { json: published.get(url), cache_control: undefined }
    },
    postSet: async () => ({ status: 202, text: '' }),
    postForm: async () => {},
  },
})
const { issuer, clock } = server
await server.createAccount()
const key = await clientKey('RS256')
const metadata = (await server.inject({ url: '/.well-known/openid-configuration' })).json()

const register = (changes: object = {}) =>
  server.postJson(new URL(metadata.registration_endpoint).pathname, {
    client_name: 'suite test client',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [REDIRECT_URI],
    jwks: { keys: [key.public_jwk] },
    token_endpoint_auth_method: 'private_key_jwt',
    contacts: ['certification@oidf.example'],
    ...changes,
  })

/** A client that has registered itself. */
async function registered(changes: object = {}, { keyOf = () => key as ClientKey, audience = `${issuer}/token` } = {}) {
  const response = await register(changes)
  if (response.statusCode !== 201) throw new Error(response.body)
  const client = response.json()
  const authenticate = byAssertion(server, client.client_id, keyOf, audience)
  return { client, party: relyingParty(server, client, authenticate, { nonce: 'the nonce' }) }
}

t.test('oidcc-server: a client that registered itself signs a person in', async (t) => {
  const { client, party } = await registered()
  t.match(client, { client_id: String, registration_access_token: String, registration_client_uri: String })
  const { claims, tokens } = await party.flow()
  t.match(claims, { aud: client.client_id, nonce: 'the nonce' })
  t.equal((await party.userinfo(tokens)).json().sub, claims.sub)
})

t.test('oidcc-idtoken-rs256: RS256 when registered so', async (t) => {
  const { party } = await registered({ id_token_signed_response_alg: 'RS256' })
  t.equal((await party.flow()).header.alg, 'RS256')
})

t.test('oidcc-idtoken-unsigned: none is not supported, so that the module is skipped', async (t) => {
  t.notOk(metadata.id_token_signing_alg_values_supported.includes('none'))
  t.match((await register({ id_token_signed_response_alg: 'none' })).json(), { error: 'invalid_client_metadata' })
})

t.test('oidcc-userinfo-rs256: UserInfo is a JWT when registered so', async (t) => {
  const { client, party } = await registered({ userinfo_signed_response_alg: 'RS256' })
  const { tokens, claims } = await party.flow()
  const told = await party.userinfo(tokens)
  t.match(told.headers['content-type'], /^application\/jwt/)
  const { payload, protectedHeader } = await party.verify(told.body)
  t.equal(protectedHeader.alg, 'RS256')
  t.match(payload, { iss: issuer, aud: client.client_id, sub: claims.sub })
})

t.test('oidcc-ensure-redirect-uri-in-authorization-request: of two, none is meant without a word', async (t) => {
  const { party } = await registered({ redirect_uris: [REDIRECT_URI, `${REDIRECT_URI}/two`] })
  const landing = await party.look({ redirect_uri: '' })
  t.match([landing.left, landing.statusCode], [false, 400])
  t.match(landing.body, 'redirect_uri is missing')
})

t.test('oidcc-redirect-uri-query-OK: a registered query is part of the address', async (t) => {
  const redirect_uri = `${REDIRECT_URI}?foo=bar`
  const { party } = await registered({ redirect_uris: [redirect_uri] })
  const { answer } = await party.flow({ redirect_uri })
  t.match(answer, { foo: 'bar', code: String, state: 'the state' })
})

t.test('oidcc-redirect-uri-query-mismatch, oidcc-redirect-uri-query-added: any other query is refused', async (t) => {
  for (const [registered_uri, sent] of [
    [`${REDIRECT_URI}?foo=bar`, `${REDIRECT_URI}?bar=foo`],
    [REDIRECT_URI, `${REDIRECT_URI}?foo=bar`],
  ] as const) {
    const { party } = await registered({ redirect_uris: [registered_uri] })
    const landing = await party.look({ redirect_uri: sent })
    t.match([landing.left, landing.statusCode], [false, 400])
    t.match(landing.body, 'redirect_uri is not registered')
  }
})

t.test('oidcc-redirect-uri-regfrag: a fragment is not registered', async (t) => {
  const response = await register({ redirect_uris: [`${REDIRECT_URI}#foobar`] })
  t.match([response.statusCode, response.json()], [400, { error: 'invalid_redirect_uri' }])
})

t.test('oidcc-discovery-endpoint-verification: it names the registration, and no implicit grant', async (t) => {
  t.equal(metadata.registration_endpoint, `${issuer}/register`)
  t.strictSame(metadata.response_types_supported, ['code'], 'the plan asks for id_token and id_token token as well')
  t.notOk(metadata.grant_types_supported.includes('implicit'), 'and for this one')
})

t.test('oidcc-registration-policy-uri, oidcc-registration-tos-uri: the login page links to them', async (t) => {
  const [policy_uri, tos_uri] = ['https://suite.example/policy', 'https://suite.example/tos']
  const { client, party } = await registered({ policy_uri, tos_uri })
  t.match(client, { policy_uri, tos_uri })
  const { body } = await party.look()
  t.match(body, 'id="login-submit"')
  t.match(body, `href="${policy_uri}"`)
  t.match(body, `href="${tos_uri}"`)
})

t.test('oidcc-registration-logo-uri: it is registered; the login page names the client instead of it', async (t) => {
  const logo_uri = 'https://suite.example/logo.png'
  const { client, party } = await registered({ logo_uri })
  t.equal(client.logo_uri, logo_uri)
  const { body } = await party.look()
  t.match(body, 'suite test client')
  t.notMatch(body, logo_uri)
})

t.test('oidcc-registration-jwks-uri: keys by reference', async (t) => {
  published.set(JWKS_URI, { keys: [key.public_jwk] })
  const { party } = await registered({ jwks: undefined, jwks_uri: JWKS_URI })
  t.ok((await party.flow()).claims.sub)
})

t.test(
  'oidcc-registration-sector-uri, oidcc-registration-sector-bad: a sector that names the redirect URIs',
  async (t) => {
    published.set(SECTOR, [REDIRECT_URI])
    const pairwise = { subject_type: 'pairwise', sector_identifier_uri: SECTOR }
    t.equal((await register(pairwise)).statusCode, 201)
    const bad = await register({ ...pairwise, redirect_uris: [`${REDIRECT_URI}/other`] })
    t.match([bad.statusCode, bad.json()], [400, { error: 'invalid_client_metadata' }])
  },
)

t.test('oidcc-server-rotate-keys: a new key is there beside the old one', async (t) => {
  const kids = async () => {
    const { keys } = (await server.inject({ url: '/.well-known/jwks.json' })).json()
    return keys.map(({ kid }: { kid: string }) => kid)
  }
  const before = await kids()
  const { deps } = server
  clock.advance(deps.config.keys.publish_ahead_seconds)
  const rotated = await deps.keys.rotate({ alg: 'RS256', emergency: false, force: false, actor: 'system' })
  t.equal(rotated.outcome, 'rotated')
  const after = await kids()
  t.ok(after.some((kid: string) => !before.includes(kid)))
  for (const kid of before) t.ok(after.includes(kid))
})

t.test('oidcc-refresh-token-rp-key-rotation: the client signs with its next key', async (t) => {
  let current: ClientKey = key
  published.set(JWKS_URI, { keys: [key.public_jwk] })
  const { party } = await registered(
    { jwks: undefined, jwks_uri: JWKS_URI, grant_types: ['authorization_code', 'refresh_token'] },
    { keyOf: () => current },
  )
  const { tokens } = await party.flow({ scope: 'openid offline_access', prompt: 'consent' })
  current = await clientKey('RS256')
  published.set(JWKS_URI, { keys: [current.public_jwk] })
  clock.advance(60)
  const renewed = await party.token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' })
  t.equal(renewed.statusCode, 200, renewed.body)
  t.equal((await party.userinfo(renewed.json())).statusCode, 200)
})

t.test(
  'oidcc-request-uri-unsigned, oidcc-request-uri-signed-rs256, oidcc-ensure-request-object-with-redirect-uri: nothing is fetched, and discovery says so',
  async (t) => {
    const request_uri = 'https://suite.example/requesturi/x#hash'
    const { party } = await registered({ request_uris: [request_uri], request_object_signing_alg: 'RS256' })
    t.match(
      (await party.look({ request_uri })).body,
      /error=request_uri_not_supported/,
      'on a page: nobody is signed in',
    )
    t.match(answerOf(issuer, await party.look({ request_uri, prompt: 'none' })), { error: 'request_uri_not_supported' })
    t.equal(metadata.request_uri_parameter_supported, false)
    t.notOk(metadata.request_object_signing_alg_values_supported.includes('none'))
  },
)

t.test('oidcc-refresh-token: it works for its client, and for no other', async (t) => {
  const { party } = await registered({ grant_types: ['authorization_code', 'refresh_token'] })
  const { party: other } = await registered({ grant_types: ['authorization_code', 'refresh_token'] })
  const { tokens, claims } = await party.flow({ scope: 'openid offline_access', prompt: 'consent' })
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  t.match((await other.token(form)).json(), { error: 'invalid_grant' })
  const renewed = await party.token(form)
  t.equal(renewed.statusCode, 200)
  t.equal((await party.verify(renewed.json().id_token)).payload.sub, claims.sub)
})

t.test('oidcc-ensure-client-assertion-with-iss-aud-succeeds: the issuer as the audience', async (t) => {
  const { party } = await registered({}, { audience: issuer })
  t.ok((await party.flow()).claims.sub)
})

t.test('registration.require_pkce: by default the plan would fail, since its clients send no PKCE', async (t) => {
  const strict = await buildTestApp(t, { config: { ...UNHURRIED, registration: { mode: 'open' } } })
  const document = { redirect_uris: [REDIRECT_URI], jwks: { keys: [key.public_jwk] } }
  const client = (await strict.postJson('/register', document)).json()
  t.equal(client.require_pkce, true)
  const party = relyingParty(strict, client, async () => ({}))
  t.match((await party.look()).body, /code_challenge is missing/)
})
