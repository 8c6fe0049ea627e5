/**
 * The rules for DPoP proofs, but for the signature.
 *
 * @see [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)
 */
import { createHash } from 'node:crypto'
import type { ClientJwk } from './client.ts'
import { readHeader } from './client_jwt.ts'
import { keysFor } from './jwk_set.ts'
import type { Seconds } from './time.ts'

const PROOF_TYP = 'dpop+jwt'
const MAX_JTI_CHARACTERS = 256
/** How long a nonce is handed out; it is taken for as long again. */
const NONCE_SECONDS = 180

export interface ProofRules {
  readonly algorithms: readonly string[]
  readonly method: string
  /** The address of the endpoint as clients know it. */
  readonly htu: string
  /** The access token that the proof comes with, at a protected resource. */
  readonly access_token?: string | undefined
  /** How old a proof may be, and how far ahead its clock. */
  readonly proof_seconds: Seconds
}

export interface Proof {
  /** The public key that it is to be verified with: the one place where a key inside a JWT counts. */
  readonly jwk: ClientJwk
  readonly jti: string
  readonly iat: Seconds
  readonly nonce: string | undefined
}

type Members = Readonly<Record<string, unknown>>

/** @returns the proof, or what is wrong with it, for the log */
export function readProof(
  { header, claims }: { header: Members; claims: Members },
  rules: ProofRules,
  now: Seconds,
): Proof | string {
  const read = readHeader(header, { algorithms: rules.algorithms, typ: [PROOF_TYP] })
  if (typeof read === 'string') return read
  const jwk = publicKey(header.jwk, read.alg)
  if (typeof jwk === 'string') return jwk
  const { jti, iat, htm, htu, ath, nonce } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_CHARACTERS) return 'the jti is missing or too long'
  if (htm !== rules.method) return 'the htm is another method'
  if (typeof htu !== 'string' || !sameAddress(htu, rules.htu)) return 'the htu is another address'
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'the iat is missing'
  if (iat < now - rules.proof_seconds) return 'the iat is too long ago'
  if (iat > now + rules.proof_seconds) return 'the iat is in the future'
  if (rules.access_token !== undefined && ath !== sha256(rules.access_token))
    return 'the ath is of another access token'
  if (nonce !== undefined && typeof nonce !== 'string') return 'the nonce is not a string'
  return { jwk, jti, iat, nonce }
}

function publicKey(jwk: unknown, alg: string): ClientJwk | string {
  if (typeof jwk !== 'object' || jwk === null || !('kty' in jwk) || typeof jwk.kty !== 'string')
    return 'the jwk is missing'
  // RFC 9449 §4.3: the jwk JOSE Header Parameter does not contain a private key.
  if ('d' in jwk || 'k' in jwk) return 'the jwk is a private key'
  const [key] = keysFor([{ ...jwk, kty: jwk.kty }], { alg, use: 'sig' })
  return key ?? 'the jwk does not fit the alg'
}

/** RFC 9449 §4.3: compared without query and fragment, after the normalisation of RFC 3986 §6.2.2 and §6.2.3. */
function sameAddress(a: string, b: string): boolean {
  const normalized = withoutQuery(a)
  return normalized !== undefined && normalized === withoutQuery(b)
}

function withoutQuery(address: string): string | undefined {
  const url = URL.parse(address)
  if (url === null || url.username !== '' || url.password !== '') return undefined
  return url.origin + url.pathname
}

/** `ath` (RFC 9449 §4.2). */
function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

type Digest = (label: string, value: string) => string

/** The nonce to hand out now. It is kept nowhere: whoever has the vault can tell it. @see [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8) */
export function dpopNonce(digest: Digest, now: Seconds): string {
  return digest('dpop_nonce', String(Math.floor(now / NONCE_SECONDS)))
}

/** Whether a nonce is the present one or the one before. */
export function isDpopNonce(nonce: string | undefined, digest: Digest, now: Seconds): boolean {
  return nonce === dpopNonce(digest, now) || nonce === dpopNonce(digest, now - NONCE_SECONDS)
}
