/** What is asked of an access token. */
import { generateKeyPairSync } from 'node:crypto'
import { CompactSign, exportJWK } from 'jose'
import t from 'tap'
import { inMemoryIssuer, verdict } from '../helpers/in_memory_issuer.ts'
import { type Claims, makeSigningKey, signToken } from '../helpers/stand_in_issuer.ts'

const issuer = await inMemoryIssuer(t)
const verifier = issuer.verifier()
const judged = async (changes?: Claims, header?: Claims) => verdict(verifier, await issuer.token(changes, header))
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

t.test('RFC 9068 §4: a good token is taken, and its claims are handed over', async (t) => {
  t.match(await verifier.verify(await issuer.token()), { iss: issuer.issuer, sub: 'account_1', scope: 'read write' })
})

t.test('RFC 9068 §4: the typ is at+jwt, in any spelling of that media type, and no other', async (t) => {
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) t.equal(await judged({}, { typ }), 'good', typ)
  for (const typ of ['JWT', undefined, '', 'statuslist+jwt', 'dpop+jwt', 'logout+jwt', 5, ['at+jwt']])
    t.equal(await judged({}, { typ }), 'invalid_token: the typ is not at+jwt', String(typ))
  const told = issuer.verifier({ token_typ: 'JWT' })
  t.equal(await verdict(told, await issuer.token({}, { typ: 'JWT' })), 'good', 'unless it is told')
  t.match(await verdict(told, await issuer.token()), /the typ is not JWT/, 'and then that one only')
  const id_token = { aud: 'app', client_id: undefined, nonce: 'n' }
  t.match(await verdict(told, await issuer.token(id_token, { typ: 'JWT' })), /the aud is another/)
  t.match(await verdict(told, await issuer.token({ token_type: 'refresh' }, { typ: 'JWT' })), /token_type/)
})

t.test('RFC 9068 §4: iss and aud are exactly those', async (t) => {
  for (const iss of [
    `${issuer.issuer}/`,
    issuer.issuer.toUpperCase(),
    'https://evil.example',
    [issuer.issuer],
    undefined,
    null,
  ])
    t.match(await judged({ iss }), /the iss is another issuer/, String(iss))
  for (const aud of ['https://other.example', `${issuer.audience}/`, [], [['x']], {}, undefined, null, 5])
    t.match(await judged({ aud }), /the aud is another resource/, JSON.stringify(aud))
  t.equal(await judged({ aud: ['https://other.example', issuer.audience] }), 'good', 'RFC 7519 §4.1.3: one of several')
})

t.test('RFC 9068 §2.2: every claim that is required is there, and each is of its type', async (t) => {
  for (const name of ['sub', 'client_id', 'jti', 'iat', 'exp']) {
    for (const value of [undefined, null, '', {}, []])
      t.match(await judged({ [name]: value }), /is missing/, `${name} ${JSON.stringify(value)}`)
  }
  t.match(await judged({ exp: '1900000000' }), /the exp is missing/, 'a text is no date')
  for (const [name, value] of Object.entries({ scope: ['read'], auth_time: 'x', acr: 1, nbf: 'now' }))
    t.match(await judged({ [name]: value }), new RegExp(`the ${name} is no `))
})

t.test('RFC 7519 §4.1.4, §4.1.5: between nbf and exp, give or take the tolerance', async (t) => {
  const tolerant = issuer.verifier({ clock_tolerance_seconds: 10 })
  const at = async (changes: Claims) => verdict(tolerant, await issuer.token(changes))
  t.equal(await at({ exp: issuer.clock - 9 }), 'good')
  t.equal(await at({ exp: issuer.clock - 10 }), 'invalid_token: expired')
  t.equal(await at({ nbf: issuer.clock + 10 }), 'good')
  t.equal(await at({ nbf: issuer.clock + 11 }), 'invalid_token: not yet valid')
  t.equal(await at({ iat: issuer.clock + 60 }), 'good', 'an iat to come is no reason')
})

t.test('RFC 8725 §3.1, §3.2: only the algorithms that are configured, and only asymmetric ones can be', async (t) => {
  t.match(await judged({}, { alg: 'RS512' }), /the alg is not allowed/)
  for (const alg of ['none', 'HS256', 'A128KW', 'RSA-OAEP'])
    t.throws(() => issuer.verifier({ algorithms: [alg] }), TypeError)
  t.throws(() => issuer.verifier({ algorithms: [] }), TypeError)
  const [header = '', payload = ''] = (await issuer.token()).split('.')
  t.match(
    await verdict(verifier, `${encode({ alg: 'none', typ: 'at+jwt', kid: issuer.key.kid })}.${payload}.`),
    /not a JWS/,
  )
  const none = encode({ alg: 'none', typ: 'at+jwt', kid: issuer.key.kid })
  t.match(await verdict(verifier, `${none}.${payload}.AAAA`), /the alg is not allowed/)
  t.match(await verdict(verifier, `${header}.${payload}.`), /not a JWS/)
})

t.test('RFC 8725 §3.1: a key verifies the algorithm that its set says, or that its kind fits', async (t) => {
  const pairs = {
    PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519'),
  }
  for (const [alg, { publicKey, privateKey }] of Object.entries(pairs)) {
    const jwk = { ...(await exportJWK(publicKey)), kid: alg }
    issuer.jwks = [issuer.key.jwk, jwk]
    const fresh = issuer.verifier()
    const signed = (header: Claims) =>
      new CompactSign(Buffer.from(JSON.stringify(issuer.claims())))
        .setProtectedHeader({ alg, typ: 'at+jwt', kid: alg, ...header })
        .sign(privateKey)
    t.equal(await verdict(fresh, await signed({})), 'good', alg)
    issuer.jwks = [issuer.key.jwk, { ...jwk, alg: 'RS512' }]
    t.match(await verdict(issuer.verifier(), await signed({})), /no key of the issuer/, `${alg}: the set says another`)
    issuer.jwks = [issuer.key.jwk, { ...jwk, use: 'enc' }]
    t.match(await verdict(issuer.verifier(), await signed({})), /no key of the issuer/, `${alg}: to encrypt with`)
    issuer.jwks = [issuer.key.jwk, { ...jwk, key_ops: ['wrapKey'] }]
    t.match(await verdict(issuer.verifier(), await signed({})), /no key of the issuer/, `${alg}: to wrap with`)
  }
  issuer.jwks = [issuer.key.jwk]
  const narrow = issuer.verifier({ algorithms: ['ES256'] })
  t.match(await verdict(narrow, await issuer.token()), /the alg is not allowed/)
})

t.test(
  'RFC 8725 §3.10: no key that a token brings along is looked at, and nothing that it names is fetched',
  async (t) => {
    const stranger = await makeSigningKey()
    const foreign = await makeSigningKey(issuer.key.kid)
    const before = issuer.requests.length
    const brought = {
      jwk: foreign.jwk,
      jku: 'https://evil.example/jwks',
      x5u: 'https://evil.example/cert',
      x5c: ['AAAA'],
    }
    for (const [name, value] of Object.entries(brought)) {
      t.match(await verdict(verifier, await signToken(foreign, issuer.claims(), { [name]: value })), /signature/, name)
      t.match(await verdict(verifier, await signToken(stranger, issuer.claims(), { [name]: value })), /no key/, name)
    }
    t.ok(issuer.requests.slice(before).every(({ path }) => path === '/jwks'))
  },
)

t.test('RFC 7515 §4.1.11: a critical extension is refused, known to jose or not', async (t) => {
  for (const members of [{ crit: ['x'], x: 1 }, { crit: ['b64'], b64: true }, { crit: [] }, { crit: 'x' }]) {
    const [, payload = ''] = (await issuer.token()).split('.')
    const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: issuer.key.kid, ...members })}.${payload}`
    t.match(await verdict(verifier, `${input}.AAAA`), /critical extension/, JSON.stringify(members))
  }
})

t.test('RFC 7515 §5.2: other forms and other signatures are none', async (t) => {
  const good = await issuer.token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const bad = [
    '',
    '.',
    '..',
    'garbage',
    'e30.e30.e30',
    `${header}.${payload}`,
    `${good}.${signature}`,
    `${good} `,
    `{}.${payload}.x`,
  ]
  bad.push(
    `${header}.${encode({ ...issuer.claims(), sub: 'root' })}.${signature}`,
    `${header}.${encode('claims')}.${signature}`,
  )
  bad.push(JSON.stringify({ protected: header, payload, signature }), '🙂.🙂.🙂')
  for (const token of bad) t.match(await verdict(verifier, token), /^invalid_token/, token.slice(0, 40))
  for (let at = 0; at < good.length - 1; at += 7) {
    const altered = `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`
    if ((await verdict(verifier, altered)) === 'good') t.fail(`altered at ${at}`)
  }
  t.equal(await verdict(verifier, good), 'good')
  t.match(await verdict(verifier, await signToken(issuer.key, ['x'] as unknown as Claims)), /no object/)
})

t.test('a token is at most 8 KiB', async (t) => {
  t.equal(await judged({ pad: 'x'.repeat(5_000) }), 'good')
  t.equal(await judged({ pad: 'x'.repeat(7_000) }), 'invalid_token: longer than 8 KiB')
})

t.test('the kid is needed, and means what it says', async (t) => {
  for (const kid of [undefined, null, '', 5, ['x'], {}]) t.match(await judged({}, { kid }), /the kid is missing/)
  for (const kid of ['__proto__', 'constructor', `${issuer.key.kid}\0`, '../../etc/passwd'])
    t.match(await judged({}, { kid }), /signed by no key/)
})

t.test('options that contradict themselves are refused at once', async (t) => {
  const bad = [
    { issuer: 'http://issuer.example' },
    { issuer: 'https://issuer.example?x' },
    { issuer: 'https://issuer.example#x' },
    { issuer: 'https://user@issuer.example' },
    { issuer: 'ftp://issuer.example' },
    { issuer: 'issuer' },
    { audience: '' },
    { jwks_uri: 'http://issuer.example/jwks' },
    { jwks_uri: 'http://localhost/jwks' },
    { status: 'stream' as const },
    { dpop_nonce_secret: 'short' },
    { dpop_algorithms: ['HS256'] },
  ]
  for (const options of bad) t.throws(() => issuer.verifier(options), TypeError, JSON.stringify(options))
  for (const loopback of [
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'http://app.localhost',
  ])
    t.doesNotThrow(() => issuer.verifier({ issuer: loopback }), loopback)
})
