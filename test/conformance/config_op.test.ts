/** The one module of the plan `oidcc-config-certification-test-plan`. */
import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { UNHURRIED } from '../helpers/relying_party.ts'

const ISSUER = 'https://op.example'
const server = await buildTestApp(t, { config: { issuer: ISSUER, ...UNHURRIED } })

t.test('oidcc-discovery-endpoint-verification: what Discovery 1.0 §3 requires is there, and true', async (t) => {
  const response = await server.inject({ url: '/.well-known/openid-configuration' })
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], /^application\/json/)
  const metadata = response.json()
  t.equal(metadata.issuer, ISSUER)
  t.strictSame(metadata.response_types_supported, ['code'])
  t.strictSame(metadata.subject_types_supported, ['public', 'pairwise'])
  t.ok(metadata.id_token_signing_alg_values_supported.includes('RS256'))
  t.ok(metadata.userinfo_signing_alg_values_supported.includes('RS256'))
  t.ok(metadata.request_object_signing_alg_values_supported.includes('RS256'))
  t.ok(metadata.grant_types_supported.includes('authorization_code'))
  t.ok(metadata.scopes_supported.includes('openid'))
  t.ok(metadata.claims_supported.includes('sub'))
  t.equal(metadata.claims_parameter_supported, true)
  t.strictSame(metadata.code_challenge_methods_supported, ['S256'])
  const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri')
  for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri']) {
    t.ok(name in metadata, name)
  }
  for (const [name, url] of endpoints) t.match(url, /^https:\/\/op\.example\//, name)
})

t.test('oidcc-discovery-endpoint-verification: the JWKS holds public keys with distinct kids', async (t) => {
  const { jwks_uri } = (await server.inject({ url: '/.well-known/openid-configuration' })).json()
  const { keys } = (await server.inject({ url: new URL(jwks_uri).pathname })).json()
  t.ok(keys.length > 0)
  t.equal(new Set(keys.map(({ kid }: { kid: string }) => kid)).size, keys.length)
  for (const key of keys) {
    t.match(key, { kid: String, kty: String, use: 'sig', alg: String })
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) t.notOk(secret in key, secret)
  }
})
