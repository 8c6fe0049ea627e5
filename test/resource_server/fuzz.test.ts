/** Whatever is presented, it is let in or refused as documented: nothing else is ever thrown. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign, calculateJwkThumbprint, exportJWK } from 'jose'
import t from 'tap'
import { readStatusList } from '../../resource_server/status_list.ts'
import { VerifierError } from '../../resource_server/verifier_error.ts'
import { inMemoryIssuer } from '../helpers/in_memory_issuer.ts'
import { type Claims, signToken } from '../helpers/stand_in_issuer.ts'

const issuer = await inMemoryIssuer(t)
const verifier = issuer.verifier()
await verifier.verify(await issuer.token())

async function statusOf(presented: Parameters<typeof verifier.verify>[0]): Promise<number> {
  try {
    await verifier.verify(presented)
    return 200
  } catch (error) {
    if (error instanceof VerifierError) return error.status
    throw error
  }
}

t.test('any Authorization and DPoP header', async (t) => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('Bearer', 'DPoP', 'bearer', 'Basic', ' ', '.', 'e30', '=', ',', '"'),
  )
  const value = fc.array(word, { maxLength: 8 }).map((words) => words.join(''))
  await fc.assert(
    fc.asyncProperty(value, value, fc.string(), async (authorization, dpop, url) => {
      const status = await statusOf({ method: 'GET', url, headers: { authorization, dpop } })
      return status === 401 || status === 400
    }),
    { numRuns: 500 },
  )
  t.pass('refused')
})

t.test('any members of the header, well signed', async (t) => {
  const header = fc.dictionary(fc.constantFrom('typ', 'kid', 'crit', 'jwk', 'b64', 'cty', 'x'), fc.jsonValue())
  await fc.assert(
    fc.asyncProperty(header, async (members) => {
      const { crit: _unsignable, b64: _too, ...signable } = members
      const status = await statusOf(await signToken(issuer.key, issuer.claims(), signable as Claims))
      return status === 401 || status === 200
    }),
    { numRuns: 200 },
  )
  t.pass('let in or refused')
})

t.test('any claims, well signed: only those are let in that are what RFC 9068 asks for', async (t) => {
  const name = fc.constantFrom(
    'iss',
    'aud',
    'sub',
    'client_id',
    'jti',
    'exp',
    'iat',
    'nbf',
    'scope',
    'acr',
    'auth_time',
  )
  const more = fc.constantFrom('cnf', 'status', 'token_type', 'exchanged_from', '__proto__', 'constructor', 'toString')
  const place = fc.record({ idx: fc.jsonValue(), uri: fc.oneof(fc.constant(issuer.list_uri), fc.jsonValue()) })
  const value = fc.oneof(
    fc.jsonValue(),
    place,
    place.map((status_list) => ({ status_list })),
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.oneof(name, more), value), async (changes) => {
      const claims = issuer.claims(changes as Claims)
      const status = await statusOf(await signToken(issuer.key, claims))
      if (status !== 200) return status === 401
      const texts = [claims.sub, claims.client_id, claims.jti].every((text) => typeof text === 'string' && text !== '')
      return texts && claims.iss === issuer.issuer && Number(claims.exp) > issuer.clock - 5 && claims.cnf === undefined
    }),
    { numRuns: 300 },
  )
  t.pass('let in or refused')
})

t.test('any claims of a proof, well signed', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(publicKey)
  const token = await issuer.token({ cnf: { jkt: await calculateJwkThumbprint(jwk) } })
  const good = { htm: 'GET', htu: `${issuer.audience}/`, ath: createHash('sha256').update(token).digest('base64url') }
  const changes = fc.dictionary(fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'nonce'), fc.jsonValue(), {
    minKeys: 1,
  })
  let serial = 0
  await fc.assert(
    fc.asyncProperty(changes, async (changed) => {
      serial += 1
      const claims = { ...good, jti: `proof ${serial}`, iat: issuer.clock, ...changed }
      const proof = await new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .sign(privateKey)
      const status = await statusOf({
        method: 'GET',
        url: '/',
        headers: { authorization: `DPoP ${token}`, dpop: proof },
      })
      return status === 401 || status === 200
    }),
    { numRuns: 200 },
  )
  t.pass('let in or refused')
})

t.test('any claims of a status list', async (t) => {
  const list = fc.record({ bits: fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.jsonValue()), lst: fc.jsonValue() })
  const claims = fc.record({
    sub: fc.oneof(fc.constant(issuer.list_uri), fc.jsonValue()),
    iat: fc.oneof(fc.integer(), fc.jsonValue()),
    ttl: fc.oneof(fc.integer(), fc.jsonValue()),
    exp: fc.oneof(fc.constant(undefined), fc.jsonValue()),
    status_list: fc.oneof(list, fc.jsonValue()),
  })
  const expected = { uri: issuer.list_uri, issuer: issuer.issuer, now: issuer.clock }
  await fc.assert(
    fc.asyncProperty(claims, async (claims) => typeof (await readStatusList(claims, expected)) === 'string'),
  )
  t.pass('refused')
})
