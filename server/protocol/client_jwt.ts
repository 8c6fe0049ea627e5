/**
 * The rules for JWTs that clients sign: assertions, request objects, DPoP proofs. What is decided here is decided about
 * texts; signatures are the business of `tokens/`.
 *
 * @see [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725)
 */
import { SIGNING_ALGORITHMS } from './resource.ts'
import type { Seconds } from './time.ts'

/** RFC 8725 §3.11 in spirit: what is longer is not worth a parse. */
export const MAX_JWT_CHARACTERS = 8192

/** How far ahead of ours a client's clock may be. */
export const CLOCK_SKEW_SECONDS: Seconds = 10

/**
 * Until when an id that was used once is remembered: longer than any node takes its JWT for good, whose clock may be
 * behind, or which read the JWT in time and then waited for keys.
 */
export function rememberedUntil(exp: Seconds, now: Seconds): Seconds {
  return Math.max(Math.ceil(exp), now) + CLOCK_SKEW_SECONDS
}

/** What a client may sign with: never `none`, never a shared secret (RFC 8725 §3.1). */
export const CLIENT_SIGNING_ALGORITHMS: readonly string[] = [...SIGNING_ALGORITHMS, 'Ed25519']

/** The same under the FAPI 2.0 Security Profile §5.4.1. */
export const FAPI2_SIGNING_ALGORITHMS: readonly string[] = ['PS256', 'ES256', 'EdDSA', 'Ed25519']

type Members = Readonly<Record<string, unknown>>

export interface UnverifiedJwt {
  readonly header: Members
  readonly claims: Members
}

/** A JWT as it stands: nothing about it is verified. @returns undefined: it is none */
export function readUnverifiedJwt(jwt: string): UnverifiedJwt | undefined {
  if (jwt.length > MAX_JWT_CHARACTERS || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) return undefined
  const [header, claims] = jwt.split('.').map(readMembers)
  return header === undefined || claims === undefined ? undefined : { header, claims }
}

function readMembers(part: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return isMembers(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export interface HeaderRules {
  readonly algorithms: readonly string[]
  /** The types that are allowed, in lower case, without `application/`; the empty text stands for none. */
  readonly typ: readonly string[]
}

export interface JwtHeader {
  readonly alg: string
  readonly kid: string | undefined
}

/** @returns what is needed of a header, or what is wrong with it, for the log */
export function readHeader(header: Members, { algorithms, typ: types }: HeaderRules): JwtHeader | string {
  const { alg, typ = '', kid } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) return 'the alg is not allowed'
  // RFC 8725 §3.11: a JWT of one kind must not pass for one of another.
  if (typeof typ !== 'string' || !types.includes(plainType(typ))) return 'the typ is of another kind of JWT'
  // RFC 7515 §4.1.11: no extension is known here, so none can be understood.
  if (header.crit !== undefined) return 'crit names an extension'
  if (kid !== undefined && typeof kid !== 'string') return 'the kid is not a string'
  return { alg, kid }
}

/** RFC 7515 §4.1.9: compared without regard to case; `application/` may be left out. */
function plainType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '')
}

export interface ClaimRules {
  readonly issuer: string
  readonly subject?: string
  /** Whom it may be meant for: each of its audiences is one of these. */
  readonly audience: readonly string[]
  /** FAPI 2.0 Security Profile §5.3.2.1: a string, not an array. */
  readonly audience_as_string?: boolean
  readonly required_claims: readonly string[]
  /** How far ahead `exp` may be, by the clock of whoever made it. */
  readonly max_lifetime_seconds?: Seconds
  /** How old `iat` and `nbf` may be, where they are there. */
  readonly max_age_seconds?: Seconds
}

/** @returns what is wrong with the claims, for the log; undefined: nothing */
export function claimsProblem(claims: Members, rules: ClaimRules, now: Seconds): string | undefined {
  const missing = rules.required_claims.find((name) => claims[name] === undefined)
  if (missing !== undefined) return `${missing} is missing`
  if (claims.iss !== rules.issuer) return 'the iss is not the client'
  if (rules.subject !== undefined && claims.sub !== rules.subject) return 'the sub is not the client'
  if (claims.jti !== undefined && (typeof claims.jti !== 'string' || claims.jti === ''))
    return 'the jti is not a string'
  return audienceProblem(claims.aud, rules) ?? timeProblem(claims, rules, now)
}

function audienceProblem(aud: unknown, { audience, audience_as_string = false }: ClaimRules): string | undefined {
  if (audience_as_string && typeof aud !== 'string') return 'the aud is not a string'
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  // Each of them: what another server would take as well, it could bring here.
  const ours = audiences.length > 0 && audiences.every((one) => typeof one === 'string' && audience.includes(one))
  return ours ? undefined : 'the aud is not this server alone'
}

function timeProblem({ exp, iat, nbf }: Members, rules: ClaimRules, now: Seconds): string | undefined {
  if (exp !== undefined) {
    if (!isInstant(exp)) return 'the exp is not a number'
    // RFC 7519 §4.1.4: not accepted on the expiry either.
    if (exp <= now) return 'it is expired'
    const latest = now + CLOCK_SKEW_SECONDS + (rules.max_lifetime_seconds ?? Number.POSITIVE_INFINITY)
    if (exp > latest) return 'the exp is too far ahead'
  }
  for (const [name, instant] of [
    ['iat', iat],
    ['nbf', nbf],
  ] as const) {
    if (instant === undefined) continue
    if (!isInstant(instant)) return `the ${name} is not a number`
    if (instant > now + CLOCK_SKEW_SECONDS) return `the ${name} is in the future`
    if (instant < now - (rules.max_age_seconds ?? Number.POSITIVE_INFINITY)) return `the ${name} is too long ago`
  }
  return undefined
}

function isInstant(value: unknown): value is Seconds {
  return typeof value === 'number' && Number.isFinite(value)
}
