import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import type { ClientJwk } from '../../server/protocol/client.ts'
import { keyProblems } from '../../server/protocol/client_keys_registration.ts'
import { type ClientRegistration, registeredMetadata } from '../../server/protocol/client_registration.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const small = generateKeyPairSync('rsa', { modulusLength: 2040 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const RSA = jwkOf(rsa.publicKey)
const EC = jwkOf(ec.publicKey)

function jwkOf(key: (typeof rsa)['publicKey']): ClientJwk {
  const { kty = '', ...jwk } = key.export({ format: 'jwk' })
  return { kty, ...jwk }
}

const problemsOf = (asked: ClientRegistration) => keyProblems(registeredMetadata(undefined, asked))
const messagesOf = (...keys: ClientJwk[]) => problemsOf({ jwks: { keys } }).map(({ message }) => message)

t.test('RFC 7591 §2: keys by value or by reference, never both', async (t) => {
  const jwks = { keys: [RSA] }
  const jwks_uri = 'https://a.example/jwks'
  t.strictSame(problemsOf({ jwks }), [])
  t.strictSame(problemsOf({ jwks_uri }), [])
  t.match(problemsOf({ jwks, jwks_uri }), [{ field: 'jwks' }])
  t.match(problemsOf({ require_signed_request_object: true }), [{ field: 'require_signed_request_object' }])
  t.strictSame(problemsOf({ require_signed_request_object: true, jwks }), [])
})

t.test('RFC 7517 §9.2: what is private or secret is refused, and not repeated', async (t) => {
  const secret = { ...RSA, d: 'c2VjcmV0' }
  t.match(messagesOf(secret), [/holds d, which is private/])
  t.notMatch(messagesOf(secret).join(), 'c2VjcmV0')
  t.match(messagesOf({ kty: 'oct', k: 'c2VjcmV0' }), [/another kty/])
  t.match(messagesOf({ kty: 'toString' }), [/another kty/])
})

t.test('RFC 7518 §3.3: an RSA key has 2048 bits or more', async (t) => {
  t.strictSame(messagesOf(RSA), [])
  t.match(messagesOf(jwkOf(small.publicKey)), [/has 2040 bits/])
  t.match(messagesOf({ kty: 'RSA', n: '', e: 'AQAB' }), [/no n/])
  t.match(messagesOf({ kty: 'RSA', n: 'AAAA', e: 'AQAB' }), [/has 0 bits/])
})

t.test('a key is complete, and on a curve that is known', async (t) => {
  t.strictSame(messagesOf(EC), [])
  t.match(messagesOf(jwkOf(other.publicKey)), [/another curve/])
  t.match(messagesOf({ ...EC, x: 'not base64url!' }), [/no x/])
  t.match(messagesOf({ ...EC, kid: 'a' }, { ...RSA, kid: 'a' }), [/two keys with one kid/])
})

t.test('OpenID Connect Registration §2: what is encrypted has an alg, an enc and a key', async (t) => {
  const RSA_OAEP = { id_token_encrypted_response_alg: 'RSA-OAEP-256' } as const
  const ECDH = { userinfo_encrypted_response_alg: 'ECDH-ES' } as const
  const both = { jwks: { keys: [RSA, EC] } }
  t.strictSame(problemsOf({ ...both, ...RSA_OAEP, ...ECDH }), [])
  t.strictSame(problemsOf({ jwks_uri: 'https://a.example/jwks', ...RSA_OAEP, ...ECDH }), [])
  t.match(problemsOf({ jwks: { keys: [EC] }, ...RSA_OAEP }), [{ field: 'id_token_encrypted_response_alg' }])
  t.match(problemsOf({ jwks: { keys: [RSA] }, ...ECDH }), [{ field: 'userinfo_encrypted_response_alg' }])
  t.match(problemsOf({ jwks: { keys: [{ ...RSA, use: 'sig' }] }, ...RSA_OAEP }), [{}])
  t.match(problemsOf({ id_token_encrypted_response_enc: 'A256GCM' }), [{ field: 'id_token_encrypted_response_enc' }])
  t.match(registeredMetadata(undefined, RSA_OAEP), { id_token_encrypted_response_enc: 'A128CBC-HS256' })
})
