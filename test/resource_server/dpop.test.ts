/** Tokens that are bound to a key (RFC 9449) or a certificate (RFC 8705). */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign, calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import t from 'tap'
import type { VerifiableRequest } from '../../resource_server/presentation.ts'
import type { Verifier } from '../../resource_server/verifier.ts'
import { inMemoryIssuer, verdict } from '../helpers/in_memory_issuer.ts'
import type { Claims } from '../helpers/stand_in_issuer.ts'

const issuer = await inMemoryIssuer(t)
const verifier = issuer.verifier()
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('base64url')

interface Holder {
  readonly privateKey: KeyObject
  readonly jwk: JWK
  readonly jkt: string
  readonly alg: string
}

async function holder(alg = 'ES256', pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })): Promise<Holder> {
  const jwk = await exportJWK(pair.publicKey)
  return { privateKey: pair.privateKey, jwk, jkt: await calculateJwkThumbprint(jwk), alg }
}

const alice = await holder()
const mallory = await holder()
const bound = await issuer.token({ cnf: { jkt: alice.jkt } })
let serial = 0

function proof(changes: Claims = {}, header: Claims = {}, by = alice): Promise<string> {
  serial += 1
  const claims = {
    jti: `proof ${serial}`,
    htm: 'GET',
    htu: `${issuer.audience}/notes`,
    iat: issuer.clock,
    ath: sha256(bound),
    ...changes,
  }
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ typ: 'dpop+jwt', alg: by.alg, jwk: by.jwk, ...header } as { alg: string })
    .sign(by.privateKey)
}

function request(
  dpop: string | undefined,
  more: Partial<VerifiableRequest> & { token?: string; scheme?: string } = {},
): VerifiableRequest {
  const { token = bound, scheme = 'DPoP', ...rest } = more
  const headers = { authorization: `${scheme} ${token}`, host: 'whatever', ...(dpop === undefined ? {} : { dpop }) }
  return { method: 'GET', url: '/notes?page=2', headers, ...rest }
}

t.test('RFC 9449 §7.1: a bound token is taken with a proof of its key, by each algorithm', async (t) => {
  t.equal(await verdict(verifier, request(await proof())), 'good')
  const web = new Request(`${issuer.audience}/notes?page=2`, {
    headers: { authorization: `dpop ${bound}`, dpop: await proof() },
  })
  t.equal(await verdict(verifier, web), 'good', 'RFC 9110 §11.1: the scheme in any spelling')
  const holders = [
    await holder('EdDSA', generateKeyPairSync('ed25519') as never),
    await holder('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }) as never),
    await holder('PS256', generateKeyPairSync('rsa', { modulusLength: 2048 }) as never),
  ]
  for (const by of holders) {
    const token = await issuer.token({ cnf: { jkt: by.jkt } })
    t.equal(await verdict(verifier, request(await proof({ ath: sha256(token) }, {}, by), { token })), 'good', by.alg)
  }
})

t.test('RFC 9449 §7.2: a bound token is no bearer token, nor is it one without its request', async (t) => {
  const refused = 'invalid_token: bound to a DPoP key'
  t.equal(await verdict(verifier, request(await proof(), { scheme: 'Bearer' })), refused)
  t.equal(await verdict(verifier, bound), refused)
  t.match(await verdict(verifier, request(undefined)), /the proof is missing/)
  t.equal(await verdict(issuer.verifier({ dpop: 'off' }), request(await proof())), refused)
})

t.test(
  'RFC 9449 §7.1: an unbound token is no DPoP token; where bound ones are required, it is none at all',
  async (t) => {
    const token = await issuer.token()
    t.match(await verdict(verifier, request(await proof({ ath: sha256(token) }), { token })), /not bound to a DPoP key/)
    const strict = issuer.verifier({ dpop: 'required' })
    t.match(await verdict(strict, token), /not bound to a DPoP key/)
    t.equal(await verdict(strict, request(await proof())), 'good')
  },
)

t.test('RFC 9449 §4.3: each check of a proof, alone', async (t) => {
  const now = issuer.clock
  const other = await issuer.token({ cnf: { jkt: alice.jkt }, jti: 'another' })
  const proofs: [title: string, proof: string, reason: RegExp][] = [
    ['1: more than one', `${await proof()}, ${await proof()}`, /no JWT/],
    ['2: not a JWT', 'x.y.z', /no JWT/],
    ['3: no jti', await proof({ jti: undefined }), /the jti/],
    ['3: a jti that is too long', await proof({ jti: 'x'.repeat(257) }), /the jti/],
    ['3: no htm', await proof({ htm: undefined }), /the htm/],
    ['3: no htu', await proof({ htu: undefined }), /the htu/],
    ['3: no iat', await proof({ iat: undefined }), /the iat/],
    ['4: the typ of another kind', await proof({}, { typ: 'JWT' }), /the typ/],
    [
      '5: an algorithm that is not allowed',
      await proof({}, { alg: 'ES384' }, await holder('ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' }))),
      /the alg/,
    ],
    [
      '6: a stranger’s signature',
      `${(await proof()).split('.').slice(0, 2).join('.')}.${(await proof({}, { jwk: alice.jwk }, mallory)).split('.')[2]}`,
      /the signature/,
    ],
    ['6: signed by another key than it shows', await proof({}, { jwk: alice.jwk }, mallory), /the signature/],
    ['7: a private key', await proof({}, { jwk: alice.privateKey.export({ format: 'jwk' }) }), /private key/],
    ['7: no key', await proof({}, { jwk: undefined }), /the jwk/],
    ['7: a symmetric key', await proof({}, { jwk: { kty: 'oct', k: 'AAAA' } }), /private key/],
    ['8: another method', await proof({ htm: 'POST' }), /the htm/],
    ['8: a method in other letters', await proof({ htm: 'get' }), /the htm/],
    ['9: another path', await proof({ htu: `${issuer.audience}/other` }), /the htu/],
    ['9: another host', await proof({ htu: 'https://whatever/notes' }), /the htu/],
    ['9: another scheme', await proof({ htu: 'http://api.example.com/notes' }), /the htu/],
    ['9: no address', await proof({ htu: 'notes' }), /the htu/],
    ['11: too old', await proof({ iat: now - 61 }), /too old/],
    ['11: from the future', await proof({ iat: now + 61 }), /future/],
    ['12: of another token', await proof({ ath: sha256(other) }), /the ath/],
    ['12: of no token', await proof({ ath: undefined }), /the ath/],
    ['12: of another key', await proof({}, {}, mallory), /bound to another key/],
    ['RFC 7515 §4.1.11: a critical extension', await proof({}, { crit: ['b64'], b64: true }), /critical/],
    ['longer than 8 KiB', await proof({ pad: 'x'.repeat(9_000) }), /too long/],
    ['a nonce that is no string', await proof({ nonce: 5 }), /the nonce/],
  ]
  for (const [title, wrong, reason] of proofs) {
    const said = await verdict(verifier, request(wrong))
    t.match(said, /^invalid_dpop_proof/, title)
    t.match(said, reason, title)
  }
  for (const htu of [
    `${issuer.audience}/notes?x#y`,
    'HTTPS://API.example.com:443/notes',
    `${issuer.audience}/a/../notes`,
  ])
    t.equal(await verdict(verifier, request(await proof({ htu }))), 'good', `RFC 3986 §6.2: ${htu}`)
  for (const iat of [now - 60, now + 60])
    t.equal(await verdict(verifier, request(await proof({ iat }))), 'good', `iat ${iat}`)
})

t.test('RFC 9449 §11.1: a proof is good once; another API and another key are no matter', async (t) => {
  const used = await proof()
  const both = await Promise.all([verdict(verifier, request(used)), verdict(verifier, request(used))])
  t.strictSame(both.sort(), ['good', 'invalid_dpop_proof: the proof was used before'])
  t.match(await verdict(verifier, request(used)), /used before/)
  t.equal(await verdict(issuer.verifier(), request(used)), 'good', 'another verifier has not seen it')
  const theirs = await issuer.token({ cnf: { jkt: mallory.jkt } })
  const same_jti = { jti: `proof ${serial}`, ath: sha256(theirs) }
  t.equal(await verdict(verifier, request(await proof(same_jti, {}, mallory), { token: theirs })), 'good')
})

t.test('a store of used proofs may be shared, and one that is full lets nobody in', async (t) => {
  const claimed = new Map<string, number>()
  const used_proofs = {
    claim: async (key: string, expires_at: number) => !claimed.has(key) && claimed.set(key, expires_at).size > 0,
  }
  const [one, two] = [issuer.verifier({ used_proofs }), issuer.verifier({ used_proofs })]
  const used = await proof()
  t.equal(await verdict(one, request(used)), 'good')
  t.match(await verdict(two, request(used)), /used before/)
  t.strictSame([...claimed.values()], [issuer.clock + 60])
  const full = issuer.verifier({ used_proofs: { claim: () => 'full' as const } })
  t.match(await verdict(full, request(await proof())), /^temporarily_unavailable/)
})

t.test('RFC 9449 §9: where a nonce is needed, the refusal hands one out, and it is taken for a while', async (t) => {
  const options = { dpop_nonce_secret: 'a secret of at least thirty-two characters' }
  const [one, two] = [issuer.verifier(options), issuer.verifier(options)]
  const nonceOf = async (verifier: Verifier, dpop: string) => {
    const error: unknown = await verifier.verify(request(dpop)).catch((error: unknown) => error)
    t.match(error, { status: 401, code: 'use_dpop_nonce', challenge: /^DPoP error="use_dpop_nonce"/ })
    return (error as { headers: Record<string, string> }).headers['dpop-nonce']
  }
  const nonce = await nonceOf(one, await proof())
  t.equal(await verdict(one, request(await proof({ nonce }))), 'good')
  t.equal(await verdict(two, request(await proof({ nonce }))), 'good', 'also by another process with that secret')
  t.equal(await nonceOf(one, await proof({ nonce: 'made up' })), nonce)
  issuer.clock += 180
  t.equal(await verdict(one, request(await proof({ nonce }))), 'good')
  issuer.clock += 180
  t.not(await nonceOf(one, await proof({ nonce })), nonce)
  issuer.clock -= 360
})

t.test('RFC 9449 §4.3: the address is the one that callers know, whatever Host says', async (t) => {
  const behind = issuer.verifier({ origin: 'https://public.example' })
  t.equal(await verdict(behind, request(await proof({ htu: 'https://public.example/notes' }))), 'good')
  t.match(await verdict(behind, request(await proof())), /the htu/)
  const mounted = request(await proof({ htu: `${issuer.audience}/v1/notes` }), {
    url: '/notes',
    originalUrl: '/v1/notes',
  })
  t.equal(await verdict(verifier, mounted), 'good', 'Express cuts the mount point off')
  t.match(await verdict(verifier, request(await proof(), { url: '//evil.example/notes' })), /the htu/)
  t.match(await verdict(verifier, request(await proof(), { method: 'DELETE' })), /the htm/)
  const named = await issuer.token({ aud: 'notes', cnf: { jkt: alice.jkt } })
  const by_name = issuer.verifier({ audience: 'notes' })
  const htu = 'https://host.example/notes'
  const socket = { encrypted: true }
  const headers = {
    authorization: `DPoP ${named}`,
    dpop: await proof({ htu, ath: sha256(named) }),
    host: 'host.example',
  }
  t.equal(
    await verdict(by_name, request(undefined, { headers, socket })),
    'good',
    'a name that is no URL: as the request says',
  )
})

t.test('RFC 8705 §3: a token that is bound to a certificate is taken with that certificate only', async (t) => {
  const [raw, other] = [Buffer.from('certificate'), Buffer.from('another')]
  const token = await issuer.token({ cnf: { 'x5t#S256': sha256(raw) } })
  const shown = (certificate: object | null | undefined) => ({ getPeerCertificate: () => certificate })
  const from = (socket: object | undefined) => request(undefined, { token, scheme: 'Bearer', socket })
  t.equal(await verdict(verifier, from(shown({ raw }))), 'good')
  const refused = 'invalid_token: bound to another certificate'
  for (const certificate of [{ raw: other }, {}, null, undefined])
    t.equal(await verdict(verifier, from(shown(certificate))), refused)
  for (const socket of [undefined, {}, { getPeerCertificate: 'x' }])
    t.equal(await verdict(verifier, from(socket)), refused)
  t.equal(await verdict(verifier, token), refused)
  const certificate_thumbprint = sha256(raw)
  t.equal(await verdict(verifier, from(undefined), { certificate_thumbprint }), 'good', 'as a proxy has seen it')
  t.equal(await verdict(verifier, from(shown({ raw })), { certificate_thumbprint: sha256(other) }), refused)
})

t.test('RFC 7800 §3.1: bound by what is not understood, it is refused; bound twice, both count', async (t) => {
  for (const cnf of [null, 'x', [], {}, { jwk: {} }, { kid: 'x' }, { jkt: 5 }])
    t.match(
      await verdict(verifier, await issuer.token({ cnf })),
      /bound by a method that is unknown/,
      JSON.stringify(cnf),
    )
  const raw = Buffer.from('certificate')
  const token = await issuer.token({ cnf: { jkt: alice.jkt, 'x5t#S256': sha256(raw) } })
  const socket = { getPeerCertificate: () => ({ raw }) }
  const ath = sha256(token)
  t.equal(await verdict(verifier, request(await proof({ ath }), { token, socket })), 'good')
  t.match(await verdict(verifier, request(await proof({ ath }), { token })), /another certificate/)
  t.match(await verdict(verifier, request(undefined, { token, socket })), /the proof is missing/)
})

t.test('the memory of used proofs is bounded, forgets what has expired, and nothing else', async (t) => {
  const { usedProofs } = await import('../../resource_server/dpop.ts')
  let now = 100
  const used = usedProofs(() => now, 3)
  t.strictSame(
    ['a', 'b', 'c'].map((key) => used.claim(key, 160)),
    [true, true, true],
  )
  t.equal(used.claim('a', 160), false)
  t.equal(used.claim('d', 160), 'full')
  now = 161
  t.equal(used.claim('d', 220), true)
})
