/**
 * The modules of the plan `fapi2-security-profile-final-test-plan` that differ for mutual TLS, with certificates that a
 * proxy hands on; and the rules of §5.3.2 and §5.4 that the suite cannot ask for.
 *
 * @see [FAPI 2.0 Security Profile](https://openid.net/specs/fapi-security-profile-2_0-final.html)
 */
import { constants, generateKeyPairSync, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { certificateThumbprint } from '../../server/protocol/client_certificate.ts'
import { basic, buildTestApp, claimsOf } from '../helpers/app.ts'
import { certificateMaker, type TestCertificate } from '../helpers/certificates.ts'
import { clientKey, dpopProof } from '../helpers/client_keys.ts'
import { type Fields, fapi2Party } from '../helpers/fapi2_party.ts'
import { answerOf, assertionForm, JWT_BEARER, UNHURRIED } from '../helpers/relying_party.ts'
import { ath, REDIRECT_URI } from './fapi2_client.ts'

const certificates = certificateMaker(t)
const authority = certificates.selfSigned('/CN=Authority', ['keyUsage=critical,keyCertSign'])
const ours = certificates.issued(authority, '/CN=suite')
const theirs = certificates.issued(authority, '/CN=suite-2')
const key = await clientKey()

const handedOn = ({ x509 }: TestCertificate) => ({ 'client-cert': `:${x509.raw.toString('base64')}:` })

async function prepare(t: Test, authorization = {}) {
  const http = {
    ...UNHURRIED.http,
    trust_proxy: ['127.0.0.0/8'],
    client_certificate_header: 'client-cert',
    client_ca_file: authority.certificate_file,
  }
  const server = await buildTestApp(t, { config: { profile: 'fapi2', http, authorization } })
  // The certificates were made by another clock.
  server.clock.advance(Math.floor(ours.x509.validFromDate.getTime() / 1000) + 60 - server.clock.now())
  await server.createAccount()
  return server
}

type Server = Awaited<ReturnType<typeof prepare>>

const METHODS = {
  private_key_jwt: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.public_jwk] } },
  tls_client_auth: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=suite' },
} as const satisfies Record<string, Partial<Client>>

/** A client that authenticates by `method` and shows `constrained`. */
async function suiteClient(server: Server, method: keyof typeof METHODS, constrained: 'mtls' | 'dpop') {
  const { issuer, clock } = server
  const client_id = `suite-${method}-${constrained}`
  await server.createClient({
    client_id,
    ...METHODS[method],
    ...(constrained === 'mtls'
      ? { tls_client_certificate_bound_access_tokens: true }
      : { dpop_bound_access_tokens: true }),
    redirect_uris: [REDIRECT_URI],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid offline_access',
  })
  const certificate = handedOn(ours)
  const form = async (): Promise<Fields> =>
    method === 'private_key_jwt' ? assertionForm(key, { client_id, audience: issuer, now: clock.now() }) : { client_id }
  const prove = async (htm: string, path: string, access_token?: string): Promise<Fields> =>
    constrained === 'mtls'
      ? certificate
      : { dpop: await dpopProof(key, { htm, htu: `${issuer}${path}`, now: clock.now() }, ath(access_token)) }
  const party = fapi2Party(server, {
    client_id,
    redirect_uri: REDIRECT_URI,
    authenticate: async () => ({ form: await form(), headers: method === 'tls_client_auth' ? certificate : {} }),
    constrain: prove,
  })
  return { client_id, party, form, prove }
}

t.test('fapi2-security-profile-final-discovery-end-point-verification: certificates are offered', async (t) => {
  const server = await prepare(t)
  const metadata = (await server.inject({ url: '/.well-known/openid-configuration' })).json()
  t.equal(metadata.tls_client_certificate_bound_access_tokens, true)
  t.strictSame(metadata.token_endpoint_auth_methods_supported, [
    'private_key_jwt',
    'tls_client_auth',
    'self_signed_tls_client_auth',
  ])
})

t.test('fapi2-security-profile-final-happy-flow: by key or certificate, bound to a key or a certificate', async (t) => {
  const server = await prepare(t)
  for (const [method, constrained] of [
    ['private_key_jwt', 'mtls'],
    ['tls_client_auth', 'mtls'],
    ['tls_client_auth', 'dpop'],
  ] as const) {
    const { party, client_id } = await suiteClient(server, method, constrained)
    const { tokens, claims } = await party.flow()
    t.equal(tokens.token_type, constrained === 'mtls' ? 'Bearer' : 'DPoP', client_id)
    const cnf = constrained === 'mtls' ? { 'x5t#S256': certificateThumbprint(ours.x509.raw) } : { jkt: key.jkt }
    t.strictSame(claimsOf(tokens.access_token).cnf, cnf)
    t.match((await party.resource(tokens)).json(), { sub: claims.sub })
    t.equal((await party.resource(tokens, {})).statusCode, 401, 'without what it is bound to')
    if (constrained === 'mtls') t.equal((await party.resource(tokens, handedOn(theirs))).statusCode, 401)
  }
})

t.test(
  'fapi2-security-profile-final-ensure-holder-of-key-required, fapi2-security-profile-final-refresh-token: with the certificate only, and not rotated',
  async (t) => {
    const server = await prepare(t)
    const { party, form } = await suiteClient(server, 'private_key_jwt', 'mtls')
    const { code } = await party.answer()
    const bare = await party.exchange(code, {}, { form: await form() })
    t.match([bare.statusCode, bare.json()], [400, { error: 'invalid_request' }])
    const { tokens } = await party.flow({ scope: 'openid offline_access' })
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
    t.match((await party.token(refresh)).json(), { token_type: 'Bearer', refresh_token: tokens.refresh_token })
    t.match((await party.token(refresh, { form: await form() })).json(), { error: 'invalid_request' })
    const unauthenticated = await party.token(refresh, { headers: handedOn(ours) })
    t.match([unauthenticated.statusCode, unauthenticated.json()], [401, { error: 'invalid_client' }])
  },
)

t.test(
  'fapi2-security-profile-final-ensure-client-id-in-token-endpoint: a certificate is not another client',
  async (t) => {
    const server = await prepare(t)
    const { party, client_id } = await suiteClient(server, 'tls_client_auth', 'mtls')
    const { code } = await party.answer()
    for (const headers of [handedOn(theirs), {}] as Fields[]) {
      const response = await party.exchange(code, {}, { form: { client_id }, headers })
      t.match([response.statusCode, response.json()], [401, { error: 'invalid_client' }])
    }
  },
)

t.test(
  'FAPI 2.0 §5.3.2.1: only confidential clients that authenticate by a key, whoever registered them',
  async (t) => {
    const server = await prepare(t)
    const client_secret = 'a client secret of some length'
    const code = { response_types: ['code'], redirect_uris: [REDIRECT_URI] }
    await server.createClient({ client_id: 'public', token_endpoint_auth_method: 'none', ...code })
    await server.createClient({ client_id: 'secret', client_secret, ...code })
    const form = { grant_type: 'refresh_token', refresh_token: 'x' }
    for (const response of [
      await server.postForm('/token', { ...form, client_id: 'public' }),
      await server.postForm('/token', form, basic('secret', client_secret)),
      await server.postForm('/par', { client_id: 'public' }),
    ]) {
      t.match([response.statusCode, response.json()], [401, { error: 'invalid_client' }])
    }
  },
)

t.test('FAPI 2.0 §5.3.2.1: no tokens for a password; the login API is not there', async (t) => {
  const server = await prepare(t)
  t.equal((await server.postJson('/api/token/', { username: 'alice', password: 'x' })).statusCode, 404)
  const { party } = await suiteClient(server, 'private_key_jwt', 'mtls')
  t.match((await party.token({ grant_type: 'password' })).json(), { error: 'unsupported_grant_type' })
})

t.test('FAPI 2.0 §5.3.2.1: a code lives for 60 seconds at most, whatever is configured', async (t) => {
  const server = await prepare(t, { code_seconds: 600 })
  const { party } = await suiteClient(server, 'private_key_jwt', 'mtls')
  const { code } = await party.answer()
  server.clock.advance(60)
  t.match((await party.exchange(code)).json(), { error: 'invalid_grant' })
})

t.test('FAPI 2.0 §5.3.2.2: an answer is never sent in the clear', async (t) => {
  const server = await prepare(t)
  const { party, client_id } = await suiteClient(server, 'private_key_jwt', 'mtls')
  t.match((await party.push({ redirect_uri: 'http://suite.example/callback' })).json(), { error: 'invalid_request' })
  const landing = await party.authorize(await party.pushed())
  t.match(answerOf(server.issuer, landing), { code: String }, client_id)
  t.equal(landing.statusCode, 303, 'and never by a 307')
})

t.test('FAPI 2.0 §5.4.1: an RSA key has 2048 bits at least', async (t) => {
  const server = await prepare(t)
  const { issuer, clock, deps } = server
  const { client_id, party } = await suiteClient(server, 'private_key_jwt', 'mtls')
  const client = await deps.store.findClient(client_id)
  if (client === undefined) throw new Error('no client')
  for (const [modulusLength, statusCode] of [
    [1024, 401],
    [2048, 201],
  ] as const) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kty: 'RSA', alg: 'PS256' }
    await deps.store.updateClient({ ...client, jwks: { keys: [jwk] } }, [])
    // jose would not sign with the small one.
    const claims = { iss: client_id, sub: client_id, aud: issuer, exp: clock.now() + 60, jti: `of ${modulusLength}` }
    const signed = [{ alg: 'PS256' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const signature = sign('sha256', Buffer.from(signed.join('.')), { key: privateKey, padding, saltLength: 32 })
    const client_assertion = [...signed, signature.toString('base64url')].join('.')
    const response = await party.push({}, { form: { client_assertion_type: JWT_BEARER, client_assertion } })
    t.equal(response.statusCode, statusCode, `${modulusLength}`)
  }
})
