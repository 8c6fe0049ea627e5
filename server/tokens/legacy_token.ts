/**
 * Tokens that a djangorestframework-simplejwt site made before it moved in: JWTs under its secret. They are honoured until
 * `token_api.legacy_until`.
 *
 * @see [djangorestframework-simplejwt](https://django-rest-framework-simplejwt.readthedocs.io/en/latest/settings.html)
 */
import { readFileSync, statSync } from 'node:fs'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Config } from '../../config/schema.ts'
import type { Deps } from '../deps.ts'
import type { Seconds } from '../protocol/time.ts'

export interface LegacyToken {
  readonly token_type: 'access' | 'refresh'
  readonly jti: string
  /** What the site knows the account by: its `legacy_user_id`. */
  readonly user_id: string
  readonly exp: Seconds
  readonly iat: Seconds | undefined
}

export type VerifiedLegacyToken =
  | { readonly outcome: 'valid'; readonly token: LegacyToken }
  | { readonly outcome: 'expired' | 'wrong_type' | 'invalid' }

type LegacyDeps = Pick<Deps, 'config' | 'clock' | 'legacySecret'>

const MAX_CHARACTERS = 8192
const MAX_NAME = 255
const NOT_FOR_OTHERS = 0o077
/** RFC 7518 §3.2: a key of the same size as the hash or larger MUST be used. */
const SHORTEST_SECRET = { HS256: 32, HS384: 48, HS512: 64 } as const

/** @throws when the file cannot be read, others may read it, or it holds too little for its algorithm */
export function readLegacySecret({
  legacy_secret_file: path,
  legacy_algorithm,
}: Pick<Config['token_api'], 'legacy_secret_file' | 'legacy_algorithm'>): Uint8Array | undefined {
  if (path === null) return undefined
  const name = `${path} (token_api.legacy_secret_file)`
  if ((statSync(path).mode & NOT_FOR_OTHERS) !== 0) {
    throw new Error(`${name} can be read by others. Run: chmod 600 ${path}`)
  }
  const secret = Buffer.from(readFileSync(path, 'utf8').replace(/\r?\n$/, ''))
  const shortest = SHORTEST_SECRET[legacy_algorithm]
  if (secret.length >= shortest) return secret
  throw new Error(`${name} holds ${secret.length} bytes; ${legacy_algorithm} needs ${shortest}: anybody could guess it`)
}

/**
 * Reads a token of the site that moves in, in simplejwt's order: signature, lifetime, and its type last.
 *
 * @returns undefined: it is none, or none is honoured (any more)
 */
export async function verifyLegacyToken(deps: LegacyDeps, token: string): Promise<VerifiedLegacyToken | undefined> {
  const { legacy_algorithm, legacy_user_id_claim, legacy_issuer, legacy_audience, legacy_until } = deps.config.token_api
  const now = deps.clock.now()
  if (deps.legacySecret === undefined || now >= Date.parse(legacy_until ?? '') / 1000) return undefined
  if (token.length > MAX_CHARACTERS || algorithmOf(token) !== legacy_algorithm) return undefined
  try {
    const { payload } = await jwtVerify(token, deps.legacySecret, {
      // RFC 8725 §3.1: never the algorithm that the token names.
      algorithms: [legacy_algorithm],
      currentDate: new Date(now * 1000),
      requiredClaims: ['exp', 'jti', legacy_user_id_claim],
      ...(legacy_issuer === null ? {} : { issuer: legacy_issuer }),
      ...(legacy_audience === null ? {} : { audience: legacy_audience }),
    })
    // As PyJWT has it: an audience that nobody asked for is somebody else's.
    if (payload.aud !== undefined && legacy_audience === null) return { outcome: 'invalid' }
    return read(payload, legacy_user_id_claim, now)
  } catch (error) {
    return { outcome: error instanceof errors.JWTExpired ? 'expired' : 'invalid' }
  }
}

function read(payload: JWTPayload, user_id_claim: string, now: Seconds): VerifiedLegacyToken {
  const { token_type, jti, exp, iat } = payload
  const user_id = payload[user_id_claim]
  const id = Number.isSafeInteger(user_id) ? String(user_id) : user_id
  if (!isName(jti) || !isName(id) || !Number.isSafeInteger(exp) || exp === undefined) return { outcome: 'invalid' }
  if (iat !== undefined && !(Number.isSafeInteger(iat) && iat <= now)) return { outcome: 'invalid' }
  if (token_type !== 'access' && token_type !== 'refresh') return { outcome: 'wrong_type' }
  return { outcome: 'valid', token: { token_type, jti, user_id: id, exp, iat } }
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_NAME &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  )
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg
  } catch {
    return undefined
  }
}

/** Longer than a request takes that began while the token was alive. */
const MEMORY_SECONDS = 60

/** Under which its one use is remembered, and until when. */
export function legacyUse({ vault }: Pick<Deps, 'vault'>, { jti, exp }: Pick<LegacyToken, 'jti' | 'exp'>) {
  return { id: vault.digest('legacy_jti', jti), expires_at: exp + MEMORY_SECONDS }
}

/** The grant that a refresh token is exchanged for: always the same, so that whoever asks again finds it. */
export function legacyGrantId({ vault }: Pick<Deps, 'vault'>, jti: string): string {
  const bytes = Buffer.from(vault.digest('legacy_grant', jti), 'base64url').subarray(0, 16)
  // As every random id: it does not begin with a hyphen.
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return bytes.toString('base64url')
}
