/**
 * The resource server's verifier, with a status check, beside plain jose with the same key, by turns in one process. By
 * itself: `node bench/verifier.ts`.
 */
import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { createVerifier } from '../resource_server/verifier.ts'
import { median } from './measure.ts'
import { type Line, perSecond, table } from './table.ts'

const ROUNDS = 45
/** Short turns: what else the machine does meets both sides. */
const SECONDS = 0.2
const AT_ONCE = 8
const ISSUER = 'https://issuer.example'
const AUDIENCE = 'https://api.example.com'
/** As many as one of Gatehouse's lists serves; one in a hundred is revoked. */
const GRANTS = 2 ** 17
const REVOKED_SHARE = 0.01
/** Different ones, so that nothing is measured that only repetition makes fast. */
const TOKENS = 256

interface Parts {
  readonly verify: (token: string) => Promise<unknown>
  readonly plain: (token: string) => Promise<unknown>
  readonly tokens: readonly string[]
}

export async function benchVerifier(): Promise<Line> {
  const { verify, plain, tokens } = await prepare()
  const rounds: { limit: number; subject: number }[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({ limit: await measure(plain, tokens), subject: await measure(verify, tokens) })
  }
  return {
    what: 'verifier, with a status check: throughput',
    reached: perSecond(median(rounds.map(({ subject }) => subject))),
    limit: `${perSecond(median(rounds.map(({ limit }) => limit)))} (jose alone)`,
    ratio: median(rounds.map(({ limit, subject }) => subject / limit)),
    goal: '≥ 0.9',
  }
}

async function prepare(): Promise<Parts> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const kid = 'bench'
  const uri = `${ISSUER}/status-lists/0`
  const now = Math.floor(Date.now() / 1_000)
  const bits = Buffer.alloc(GRANTS / 8)
  for (let revoked = 0; revoked < GRANTS * REVOKED_SHARE; revoked += 1) {
    // The first places are the tokens': those are good.
    const idx = TOKENS + (randomBytes(4).readUInt32LE() % (GRANTS - TOKENS))
    bits[idx >> 3] = (bits[idx >> 3] ?? 0) | (1 << (idx & 7))
  }
  const list = await new SignJWT({ ttl: 3_600, status_list: { bits: 1, lst: deflateSync(bits).toString('base64url') } })
    .setProtectedHeader({ alg: 'RS256', typ: 'statuslist+jwt', kid })
    .setSubject(uri)
    .setIssuedAt(now)
    .setExpirationTime(now + 7_200)
    .sign(privateKey)
  const published: Record<string, () => Response> = {
    [`${ISSUER}/jwks`]: () => Response.json({ keys: [jwk] }, { headers: { 'cache-control': 'max-age=3600' } }),
    [uri]: () => new Response(list),
  }
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks_uri: `${ISSUER}/jwks`,
    status_outage: 'refuse',
    fetch: async (input) => published[input instanceof Request ? input.url : String(input)]?.() ?? Response.error(),
  })
  const tokens = await Promise.all(
    Array.from({ length: TOKENS }, (_, idx) =>
      new SignJWT({ client_id: 'app', scope: 'openid profile email', status: { status_list: { idx, uri } } })
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject('O7-zrPu432-0unGTkdRvsg')
        .setJti(randomBytes(16).toString('base64url'))
        .setIssuedAt(now)
        .setExpirationTime(now + 3_600)
        .sign(privateKey),
    ),
  )
  const requiredClaims = ['sub', 'exp', 'iat', 'jti', 'client_id']
  const rules = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt', algorithms: ['RS256'], requiredClaims }
  return { verify: (token) => verifier.verify(token), plain: (token) => jwtVerify(token, publicKey, rules), tokens }
}

/** @returns how many a second */
async function measure(verify: (token: string) => Promise<unknown>, tokens: readonly string[]): Promise<number> {
  const started = performance.now()
  const end = started + SECONDS * 1_000
  let count = 0
  const work = async () => {
    while (performance.now() < end) {
      await verify(tokens[count % tokens.length] ?? '')
      count += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return (count / (performance.now() - started)) * 1_000
}

if (import.meta.main) console.log(table([await benchVerifier()]))
