/**
 * Proofs of possession.
 *
 * @see [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) checking DPoP proofs
 */
import { base64url, calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import { isObject, type Members } from './access_token.ts'
import { sha256 } from './digest.ts'
import { parsed, type Settings } from './options.ts'

const PROOF_TYP = 'dpop+jwt'
const MAX_PROOF_CHARACTERS = 8 * 1024
const MAX_JTI_CHARACTERS = 256
const MAX_USED_PROOFS = 100_000
/** How long a nonce is handed out; it is taken for as long again. */
const NONCE_SECONDS = 180

/** Remembers which proofs were used. Where an API has several processes, a store that they share. */
export interface ProofStore {
  /**
   * @param key of the proof
   * @param expires_at epoch seconds, from when on the proof is refused anyway
   * @returns whether nobody has claimed it before; `full`: it cannot be remembered
   */
  claim(key: string, expires_at: number): boolean | 'full' | Promise<boolean | 'full'>
}

export interface ProofContext {
  readonly access_token: string
  /** `cnf.jkt` of the access token. */
  readonly jkt: string
  readonly method: string
  readonly htu: string
}

export type ProofOutcome = 'good' | 'nonce_needed' | 'full' | { readonly reason: string }

export interface ProofChecker {
  check(proof: string, context: ProofContext): Promise<ProofOutcome>
  /** The nonce to hand out; undefined: none is needed. */
  nonce(): Promise<string | undefined>
}

export function proofChecker(settings: Settings): ProofChecker {
  const { now, dpop_proof_seconds, dpop_nonce_secret } = settings
  const used = settings.used_proofs ?? usedProofs(now)

  async function nonceAt(seconds: number): Promise<string | undefined> {
    return dpop_nonce_secret && (await hmac(dpop_nonce_secret, `dpop_nonce ${Math.floor(seconds / NONCE_SECONDS)}`))
  }

  async function check(proof: string, context: ProofContext): Promise<ProofOutcome> {
    const read = await readProof(proof, context, settings)
    if (typeof read === 'string') return { reason: read }
    if (dpop_nonce_secret !== undefined) {
      const nonces = [await nonceAt(now()), await nonceAt(now() - NONCE_SECONDS)]
      if (!nonces.includes(read.nonce)) return 'nonce_needed'
    }
    // RFC 9449 §11.1: once for each key. Last, so that only who holds a good token and its key can fill the memory.
    const claimed = await used.claim(await sha256(`${context.jkt} ${read.jti}`), read.iat + dpop_proof_seconds)
    if (claimed === 'full') return 'full'
    return claimed ? 'good' : { reason: 'the proof was used before' }
  }

  return { check, nonce: () => nonceAt(now()) }
}

/** The signature last: its key is one that the issuer bound the token to, and no stranger's of any size. */
async function readProof(
  proof: string,
  { access_token, jkt, method, htu }: ProofContext,
  { dpop_algorithms, dpop_proof_seconds, now }: Settings,
): Promise<{ jti: string; iat: number; nonce: string | undefined } | string> {
  if (proof.length > MAX_PROOF_CHARACTERS) return 'the proof is too long'
  const parts = decodedProof(proof)
  if (parts === undefined) return 'the proof is no JWT'
  const { header, claims } = parts
  if (header.typ !== PROOF_TYP) return 'the typ of the proof is another'
  if (typeof header.alg !== 'string' || !dpop_algorithms.includes(header.alg))
    return 'the alg of the proof is not allowed'
  if ('crit' in header) return 'a critical extension of the proof is unknown'
  const { jwk } = header
  if (!isObject(jwk) || typeof jwk.kty !== 'string') return 'the jwk of the proof is missing'
  // RFC 9449 §4.3: the jwk JOSE Header Parameter does not contain a private key.
  if ('d' in jwk || 'k' in jwk) return 'the jwk of the proof is a private key'
  const { jti, iat, htm, ath, nonce } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_CHARACTERS)
    return 'the jti of the proof is missing or too long'
  if (htm !== method) return 'the htm of the proof is another method'
  if (typeof claims.htu !== 'string' || !isSameAddress(claims.htu, htu))
    return 'the htu of the proof is another address'
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'the iat of the proof is missing'
  if (iat < now() - dpop_proof_seconds) return 'the proof is too old'
  if (iat > now() + dpop_proof_seconds) return 'the proof is from the future'
  if (nonce !== undefined && typeof nonce !== 'string') return 'the nonce of the proof is no string'
  if (ath !== (await sha256(access_token))) return 'the ath of the proof is of another token'
  const wrong = await verify(proof, header.alg, jwk, jkt)
  return wrong ?? { jti, iat, nonce }
}

async function verify(proof: string, alg: string, jwk: Members, jkt: string): Promise<string | undefined> {
  try {
    if ((await calculateJwkThumbprint({ ...jwk })) !== jkt) return 'the token is bound to another key'
    const { kty, crv, n, e, x, y } = jwk
    const parts = Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => typeof value === 'string')
    await compactVerify(proof, await importJWK(Object.fromEntries(parts), alg), { algorithms: [alg] })
    return undefined
  } catch {
    return 'the signature of the proof is wrong'
  }
}

function decodedProof(proof: string): { header: Members; claims: Members } | undefined {
  const [, payload, ...rest] = proof.split('.')
  if (payload === undefined || rest.length !== 1) return undefined
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(base64url.decode(payload)))
    return isObject(claims) ? { header: { ...decodeProtectedHeader(proof) }, claims } : undefined
  } catch {
    return undefined
  }
}

/** RFC 9449 §4.3: compared without query and fragment, after the normalisation of RFC 3986 §6.2.2 and §6.2.3. */
function isSameAddress(a: string, b: string): boolean {
  const normalized = withoutQuery(a)
  return normalized !== undefined && normalized === withoutQuery(b)
}

function withoutQuery(address: string): string | undefined {
  const url = parsed(address)
  if (url === undefined || url.username !== '' || url.password !== '') return undefined
  return url.origin + url.pathname
}

/** Nothing has to be kept: who knows the secret can tell the nonce (RFC 9449 §8). */
async function hmac(secret: string, text: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const bytes = (text: string) => new TextEncoder().encode(text)
  const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign'])
  return base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(text))))
}

/** In this process. When it is full it says so: forgetting would let a proof be used twice. */
export function usedProofs(now: () => number, most = MAX_USED_PROOFS): ProofStore {
  const used = new Map<string, number>()
  return {
    claim(key, expires_at) {
      if (used.size >= most) {
        for (const [old, expired_at] of used) if (expired_at < now()) used.delete(old)
      }
      if (used.has(key)) return false
      if (used.size >= most) return 'full'
      used.set(key, expires_at)
      return true
    },
  }
}
