/**
 * What a token must be, but for its signature. Pure functions.
 *
 * @see [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4) validating JWT access tokens
 * @see [RFC 8725 §3](https://www.rfc-editor.org/rfc/rfc8725#section-3) best current practices for JWTs
 */

export type Members = Readonly<Record<string, unknown>>

/** @see [RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2) */
export interface AccessTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly client_id: string
  /** Epoch seconds, as all instants here. */
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly scope?: string
  readonly auth_time?: number
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly [name: string]: unknown
}

export interface ExpectedClaims {
  readonly issuer: string
  readonly audience: string
  readonly clock_tolerance_seconds: number
}

export interface ReadHeader {
  readonly kid: string
  readonly alg: string
}

const STRINGS = ['sub', 'client_id', 'jti'] as const
const OPTIONAL: readonly (readonly [name: string, type: string])[] = [
  ['scope', 'string'],
  ['auth_time', 'number'],
  ['acr', 'string'],
  ['nbf', 'number'],
]
/** What a claim `token_type` may say, where an issuer writes one. */
const TOKEN_TYPES = ['access', 'bearer', 'dpop']

/**
 * @param typ the kind of token, without `application/`
 * @returns what the key is chosen by, or what is wrong, for the log
 */
export function readHeader(header: Members, typ: string, algorithms: readonly string[]): ReadHeader | string {
  // RFC 8725 §3.11: by its type no token is mistaken for one of another kind. RFC 7515 §4.1.9: compared as a media type.
  const is = typeof header.typ === 'string' && header.typ.toLowerCase().replace(/^application\//, '')
  if (is !== typ.toLowerCase()) return `the typ is not ${typ}`
  if (typeof header.alg !== 'string' || !algorithms.includes(header.alg)) return 'the alg is not allowed'
  if (typeof header.kid !== 'string' || header.kid === '') return 'the kid is missing'
  // RFC 7515 §4.1.11: extensions that are not understood. We understand none.
  if ('crit' in header) return 'a critical extension is unknown'
  return { kid: header.kid, alg: header.alg }
}

/**
 * @param now epoch seconds
 * @returns the claims, or what is wrong with them, for the log
 */
export function readClaims(claims: Members, expected: ExpectedClaims, now: number): AccessTokenClaims | string {
  // RFC 9068 §4: the issuer MUST match exactly.
  if (claims.iss !== expected.issuer) return 'the iss is another issuer'
  // RFC 9068 §4: the aud MUST contain the resource's own name.
  if (!isAmong(expected.audience, claims.aud)) return 'the aud is another resource'
  const missing = STRINGS.find((name) => typeof claims[name] !== 'string' || claims[name] === '')
  if (missing !== undefined) return `the ${missing} is missing`
  const { exp, iat, nbf, token_type } = claims
  if (!isInstant(exp)) return 'the exp is missing'
  if (!isInstant(iat)) return 'the iat is missing'
  const wrong = OPTIONAL.find(([name, type]) => claims[name] !== undefined && typeof claims[name] !== type)
  if (wrong !== undefined) return `the ${wrong[0]} is no ${wrong[1]}`
  if (token_type !== undefined && !(typeof token_type === 'string' && TOKEN_TYPES.includes(token_type.toLowerCase())))
    return 'the token_type is another kind'
  // RFC 7519 §4.1.4: the time MUST be before exp, give or take a small leeway.
  if (now >= exp + expected.clock_tolerance_seconds) return 'expired'
  // RFC 7519 §4.1.5
  if (typeof nbf === 'number' && now < nbf - expected.clock_tolerance_seconds) return 'not yet valid'
  return claims as AccessTokenClaims
}

/** The values of the `scope` claim (RFC 6749 §3.3). */
export function scopesOf({ scope }: Pick<AccessTokenClaims, 'scope'>): readonly string[] {
  return scope === undefined || scope === '' ? [] : scope.split(' ')
}

/**
 * @param scope what is needed, separated by spaces
 * @returns whether the token has all of it
 */
export function hasScope(claims: Pick<AccessTokenClaims, 'scope'>, scope: string): boolean {
  const granted = scopesOf(claims)
  return scope.split(' ').every((needed) => needed === '' || granted.includes(needed))
}

export interface StepUp {
  /** How many seconds ago the person may have signed in. */
  readonly max_age?: number | undefined
  /** Any of them will do; separated by spaces. */
  readonly acr_values?: string | undefined
}

/** Whether the person was authenticated as the request needs it. @see [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3) */
export function isAuthenticatedFor(
  { acr, auth_time }: Pick<AccessTokenClaims, 'acr' | 'auth_time'>,
  { max_age, acr_values }: StepUp,
  now: number,
): boolean {
  if (acr_values !== undefined && (acr === undefined || !acr_values.split(' ').includes(acr))) return false
  return max_age === undefined || (auth_time !== undefined && now - auth_time <= max_age)
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAmong(name: string, aud: unknown): boolean {
  return aud === name || (Array.isArray(aud) && aud.includes(name))
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
