/** The modules of the plan `fapi2-security-profile-final-test-plan` that are about pushed requests and PKCE. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { VERIFIER } from '../helpers/code.ts'
import { answerOf, UNHURRIED } from '../helpers/relying_party.ts'
import { createBrowser } from '../helpers/web_client.ts'
import { REDIRECT_URI, suiteClient } from './fapi2_client.ts'

const server = await buildTestApp(t, { config: { profile: 'fapi2', ...UNHURRIED } })
const { issuer, clock } = server
await server.createAccount()
const { party, sign } = await suiteClient(server, 'suite')
const second = await suiteClient(server, 'suite-2')

t.test(
  'fapi2-security-profile-final-ensure-registered-redirect-uri, fapi2-security-profile-final-plain-fapi-tolerate-unregistered-redirect-uri, fapi2-security-profile-final-ensure-redirect-uri-in-authorization-request, fapi2-security-profile-final-ensure-request-object-without-redirect-uri-fails: invalid_request when it is pushed',
  async (t) => {
    for (const redirect_uri of [`${REDIRECT_URI}/other`, undefined]) {
      const response = await party.push({ redirect_uri })
      t.match([response.statusCode, response.json()], [400, { error: 'invalid_request' }])
    }
  },
)

t.test(
  'fapi2-security-profile-final-ensure-unsigned-authorization-request-without-using-par-fails: pushed or not at all',
  async (t) => {
    const query = new URLSearchParams({
      client_id: 'suite',
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      state: 'the state',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
    })
    const landing = await createBrowser(server).open(`/authorize?${query.toString()}`)
    t.match(answerOf(issuer, landing), { error: 'invalid_request', state: 'the state', iss: issuer })
    t.equal(landing.statusCode, 303, '§5.3.2.2: never 307')
  },
)

t.test(
  'fapi2-security-profile-final-ensure-response-type-code-idtoken-fails, fapi2-security-profile-final-ensure-response-type-token-fails: unsupported_response_type',
  async (t) => {
    for (const response_type of ['code id_token', 'token']) {
      t.match((await party.push({ response_type })).json(), { error: 'unsupported_response_type' })
    }
  },
)

t.test(
  'fapi2-security-profile-final-par-attempt-reuse-request_uri, fapi2-security-profile-final-par-attempt-to-use-expired-request_uri, fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client, fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds: good once, for its client, for a minute',
  async (t) => {
    const gone = 'the request_uri is unknown, expired or used'
    const used = await party.pushed()
    await party.authorize(used)
    t.match((await party.authorize(used)).body, gone)
    const foreign = await party.pushed()
    t.match((await second.party.authorize(foreign)).body, gone)
    const { request_uri, expires_in } = (await party.push()).json()
    t.ok(expires_in < 600, '§5.3.2.2')
    clock.advance(expires_in)
    t.match((await party.authorize(request_uri)).body, gone)
  },
)

t.test(
  'fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted, fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails: clocks differ by seconds',
  async (t) => {
    const ahead = (seconds: number) => {
      const instant = clock.now() + seconds
      return sign({ iat: instant, nbf: instant, exp: instant + 60 })
    }
    t.equal((await party.push({}, { form: await ahead(8) })).statusCode, 201)
    t.equal((await party.push({}, { form: await ahead(10) })).statusCode, 201)
    t.match((await party.push({}, { form: await ahead(61) })).json(), { error: 'invalid_client' })
  },
)

t.test(
  'fapi2-security-profile-final-par-test-array-as-audience-fails, fapi2-security-profile-final-par-test-par-endpoint-url-as-audience-fails, fapi2-security-profile-final-par-test-token-endpoint-url-as-audience-fails: the issuer, as a string',
  async (t) => {
    for (const aud of [[issuer], [issuer, `${issuer}/par`], `${issuer}/par`, `${issuer}/token`]) {
      const response = await party.push({}, { form: await sign({ aud }) })
      t.match([response.statusCode, response.json()], [401, { error: 'invalid_client' }], JSON.stringify(aud))
    }
  },
)

t.test(
  'fapi2-security-profile-final-par-authorization-request-containing-request_uri-form-param, fapi2-security-profile-final-par-attempt-invalid-http-method: neither is pushed',
  async (t) => {
    const request_uri = `urn:ietf:params:oauth:request_uri:${'x'.repeat(20)}`
    t.match((await party.push({ request_uri })).json(), { error: 'invalid_request' })
    for (const method of ['GET', 'PUT'] as const) {
      t.equal((await server.inject({ method, url: '/par' })).statusCode, 405)
    }
  },
)

t.test(
  'fapi2-security-profile-final-par-ensure-pkce-required, fapi2-security-profile-final-par-plain-pkce-rejected, fapi2-security-profile-final-ensure-pkce-code-verifier-required, fapi2-security-profile-final-incorrect-pkce-code-verifier-rejected: PKCE with S256',
  async (t) => {
    const without = { code_challenge: undefined, code_challenge_method: undefined }
    for (const changes of [without, { code_challenge: VERIFIER, code_challenge_method: 'plain' }]) {
      t.match((await party.push(changes)).json(), { error: 'invalid_request' })
    }
    for (const code_verifier of [undefined, 'w'.repeat(43)]) {
      const { code } = await party.answer()
      const response = await party.exchange(code, { code_verifier })
      t.match([response.statusCode, response.json()], [400, { error: 'invalid_grant' }])
    }
  },
)
