import t from 'tap'
import { claimsProblem, readHeader, readUnverifiedJwt } from '../../server/protocol/client_jwt.ts'

const NOW = 1_800_000_000
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

t.test('RFC 7519 §7.2: three parts, two of them objects', async (t) => {
  t.same(readUnverifiedJwt(`${encode({ alg: 'x' })}.${encode({ sub: 'a' })}.c2ln`), {
    header: { alg: 'x' },
    claims: { sub: 'a' },
  })
  for (const jwt of [
    '',
    'a.b.c',
    `${encode({})}.${encode({})}`,
    `${encode({})}.${encode({})}.`,
    `${encode({})}.${encode({})}.a.b.c`,
    `${encode([])}.${encode({})}.c2ln`,
    `${encode({})}.${encode('text')}.c2ln`,
    `${encode({})}.${encode(null)}.c2ln`,
    `${encode({})}.${encode({ long: 'a'.repeat(8192) })}.c2ln`,
  ]) {
    t.equal(readUnverifiedJwt(jwt), undefined, jwt.slice(0, 40))
  }
})

const HEADER_RULES = { algorithms: ['ES256'], typ: ['', 'jwt', 'client-authentication+jwt'] }

t.test('RFC 8725 §3.1, §3.11: alg and typ are among those that are allowed', async (t) => {
  for (const header of [
    { alg: 'ES256' },
    { alg: 'ES256', typ: 'JWT', kid: 'a' },
    { alg: 'ES256', typ: 'application/client-authentication+JWT' },
  ]) {
    t.type(readHeader(header, HEADER_RULES), 'object', JSON.stringify(header))
  }
  for (const header of [
    {},
    { alg: 'none' },
    { alg: 'None' },
    { alg: 'HS256' },
    { alg: ['ES256'] },
    { alg: 'ES256', typ: 'at+jwt' },
    { alg: 'ES256', typ: 'dpop+jwt' },
    { alg: 'ES256', typ: 'logout+jwt' },
    { alg: 'ES256', typ: 1 },
    { alg: 'ES256', kid: 1 },
    { alg: 'ES256', crit: ['b64'], b64: true },
    { alg: 'ES256', crit: [] },
  ]) {
    t.type(readHeader(header, HEADER_RULES), 'string', JSON.stringify(header))
  }
})

const ISSUER = 'https://login.example'
const RULES = {
  issuer: 'client',
  subject: 'client',
  audience: [ISSUER, `${ISSUER}/token`],
  required_claims: ['iss', 'sub', 'aud', 'exp', 'jti'],
  max_lifetime_seconds: 900,
  max_age_seconds: 3600,
}
const claims = { iss: 'client', sub: 'client', aud: ISSUER, exp: NOW + 60, iat: NOW, jti: 'one' }
const problem = (changes: object, rules: object = {}) =>
  claimsProblem({ ...claims, ...changes }, { ...RULES, ...rules }, NOW)

t.test('RFC 7523 §3: claims that are as they must be', async (t) => {
  for (const changes of [
    {},
    { aud: [ISSUER] },
    { aud: `${ISSUER}/token` },
    { aud: [ISSUER, `${ISSUER}/token`] },
    { iat: undefined },
    { iat: NOW + 10, nbf: NOW + 10 },
    { iat: NOW - 3600 },
    { exp: NOW + 910 },
    { exp: NOW + 0.5 },
  ]) {
    t.equal(problem(changes), undefined, JSON.stringify(changes))
  }
})

t.test('RFC 7523 §3: claims that are not', async (t) => {
  for (const changes of [
    ...['iss', 'sub', 'aud', 'exp', 'jti'].map((name) => ({ [name]: undefined })),
    { iss: 'another' },
    { sub: 'another' },
    { sub: ['client'] },
    { aud: 'https://another.example' },
    { aud: [ISSUER, 'https://another.example'] },
    { aud: [] },
    { aud: [[ISSUER]] },
    { aud: `${ISSUER}/` },
    { exp: NOW },
    { exp: NOW - 1 },
    { exp: NOW + 911 },
    { exp: String(NOW + 60) },
    { exp: null },
    { iat: NOW + 11 },
    { iat: NOW - 3601 },
    { iat: 'now' },
    { nbf: NOW + 11 },
    { jti: 1 },
    { jti: '' },
  ]) {
    t.type(problem(changes), 'string', JSON.stringify(changes))
  }
})

t.test('FAPI 2.0 Security Profile §5.3.2.1: the aud is a string where that is asked', async (t) => {
  t.equal(problem({}, { audience_as_string: true }), undefined)
  t.type(problem({ aud: [ISSUER] }, { audience_as_string: true }), 'string')
})
