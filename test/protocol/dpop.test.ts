import t from 'tap'
import { dpopNonce, isDpopNonce, readProof } from '../../server/protocol/dpop.ts'

const NOW = 1_800_000_000
const HTU = 'https://login.example/token'
const RULES = { algorithms: ['ES256', 'RS256'], method: 'POST', htu: HTU, proof_seconds: 60 }
const JWK = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: JWK }
const claims = { jti: 'one', htm: 'POST', htu: HTU, iat: NOW }
const read = (changes: { header?: object; claims?: object } = {}, rules: object = {}) =>
  readProof(
    { header: { ...header, ...changes.header }, claims: { ...claims, ...changes.claims } },
    { ...RULES, ...rules },
    NOW,
  )

t.test('RFC 9449 §4.3: a proof for this request, of this moment, is read', async (t) => {
  t.match(read(), { jwk: JWK, jti: 'one', iat: NOW })
  for (const iat of [NOW - 60, NOW + 60]) t.type(read({ claims: { iat } }), 'object', String(iat))
})

t.test('RFC 9449 §4.3: typ, alg, jwk and the claims are as they must be', async (t) => {
  const wrong: [string, { header?: object; claims?: object }][] = [
    ['another kind of JWT', { header: { typ: 'JWT' } }],
    ['an access token', { header: { typ: 'at+jwt' } }],
    ['no typ', { header: { typ: undefined } }],
    ['no signature', { header: { alg: 'none' } }],
    ['a shared secret', { header: { alg: 'HS256', jwk: { kty: 'oct', k: 'k' } } }],
    ['an algorithm that is not allowed', { header: { alg: 'PS256' } }],
    ['an extension', { header: { crit: ['exp'], exp: 1 } }],
    ['no key', { header: { jwk: undefined } }],
    ['a key that is text', { header: { jwk: 'key' } }],
    ['a private key', { header: { jwk: { ...JWK, d: 'd' } } }],
    ['a key of another kind', { header: { jwk: { kty: 'RSA', n: 'n', e: 'e' } } }],
    ['a key on another curve', { header: { jwk: { ...JWK, crv: 'P-384' } } }],
    ['no jti', { claims: { jti: undefined } }],
    ['an empty jti', { claims: { jti: '' } }],
    ['a long jti', { claims: { jti: 'a'.repeat(257) } }],
    ['another method', { claims: { htm: 'GET' } }],
    ['the method in lower case', { claims: { htm: 'post' } }],
    ['no htu', { claims: { htu: undefined } }],
    ['no iat', { claims: { iat: undefined } }],
    ['an iat that is text', { claims: { iat: String(NOW) } }],
    ['too old', { claims: { iat: NOW - 61 } }],
    ['of the future', { claims: { iat: NOW + 61 } }],
    ['a nonce that is no text', { claims: { nonce: 1 } }],
  ]
  for (const [title, change] of wrong) t.type(read(change), 'string', title)
})

t.test('RFC 9449 §4.3: the htu is compared without query and fragment, and normalised', async (t) => {
  for (const htu of [`${HTU}?a=b`, `${HTU}#a`, 'HTTPS://LOGIN.example:443/token', 'https://login.example/./token']) {
    t.type(read({ claims: { htu } }), 'object', htu)
  }
  for (const htu of [
    'http://login.example/token',
    'https://login.example:8443/token',
    'https://login.example/token/',
    'https://login.example/Token',
    'https://evil.example/token',
    'https://a@login.example/token',
    '/token',
    '',
  ]) {
    t.type(read({ claims: { htu } }), 'string', htu)
  }
})

t.test('RFC 9449 §4.3: at a protected resource the proof names the access token', async (t) => {
  // RFC 9449 §7.1, example: the token and its ath.
  const access_token = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
  const ath = 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'
  t.type(read({ claims: { ath } }, { access_token }), 'object')
  t.type(read({}, { access_token }), 'string')
  t.type(read({ claims: { ath } }, { access_token: 'another' }), 'string')
})

t.test('RFC 9449 §8: a nonce is good while it is handed out and as long again', async (t) => {
  const digest = (label: string, value: string) => `${label}:${value}`
  const nonce = dpopNonce(digest, NOW)
  t.ok(isDpopNonce(nonce, digest, NOW))
  t.ok(isDpopNonce(nonce, digest, NOW + 180))
  t.notOk(isDpopNonce(nonce, digest, NOW + 360))
  t.notOk(isDpopNonce(dpopNonce(digest, NOW + 180), digest, NOW), 'of the future')
  t.notOk(isDpopNonce(undefined, digest, NOW))
  t.notOk(isDpopNonce('', digest, NOW))
})
