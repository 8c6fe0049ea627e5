import type { AuthorizationDetail } from './authorization_request.ts'
import type { ClaimsRequest } from './claims.ts'
import type { Confirmation } from './confirmation.ts'
import { OAuthError } from './errors.ts'
import { verifierMatches } from './pkce.ts'
import type { Seconds } from './time.ts'

/**
 * What a code stands for until it is exchanged, once, for tokens.
 *
 * @see [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)
 */
export interface AuthorizationCode {
  /** Digest of the code; the code itself is `gth_ac_` and 256 random bits. */
  readonly code_digest: string
  /** The grant that it becomes: known beforehand, so that a replay finds what to revoke. */
  readonly grant_id: string
  readonly client_id: string
  readonly account_id: string
  readonly session_id: string
  readonly redirect_uri: string
  readonly redirect_uri_sent: boolean
  readonly code_challenge: string | null
  readonly dpop_jkt: string | null
  readonly nonce: string | null
  readonly scope: string
  readonly resources: readonly string[]
  readonly claims: ClaimsRequest | null
  readonly authorization_details: readonly AuthorizationDetail[]
  readonly auth_time: Seconds
  readonly amr: readonly string[]
  readonly acr: string | null
  readonly expires_at: Seconds
  readonly claimed_at: Seconds | null
}

/** The label of a code's digest in the vault. */
export const AUTHORIZATION_CODE_LABEL = 'authorization_code'

export interface CodePresented {
  readonly client_id: string
  readonly redirect_uri: string | undefined
  readonly code_verifier: string | undefined
  readonly confirmation: Confirmation | undefined
}

/**
 * Whether a code is in the hands that it was given to. Only after this may a second use of it be held against the grant:
 * otherwise whoever finds a code in a log could have people signed out.
 *
 * @param code undefined: there is none of that name
 * @throws {OAuthError} `invalid_grant`
 */
export function assertCodeBelongs(
  code: AuthorizationCode | undefined,
  { client_id, redirect_uri, code_verifier, confirmation }: CodePresented,
): asserts code is AuthorizationCode {
  // RFC 6749 §4.1.3: ensure that the code was issued to the authenticated client. Nobody learns that another has it.
  if (code === undefined || code.client_id !== client_id) throw invalidCode('unknown, or of another client')
  // RFC 6749 §4.1.3: redirect_uri is REQUIRED if the authorization request had one, and the values MUST be identical.
  const missing = redirect_uri === undefined && code.redirect_uri_sent
  if (missing || (redirect_uri !== undefined && redirect_uri !== code.redirect_uri)) {
    throw new OAuthError('invalid_grant', 'redirect_uri is not that of the authorization request')
  }
  // RFC 7636 §4.6; RFC 9700 §4.8.2: a verifier without a challenge is a downgrade.
  if (!verifierMatches(code_verifier, code.code_challenge)) {
    throw new OAuthError('invalid_grant', 'code_verifier does not match the code_challenge')
  }
  // RFC 9449 §10: the key of the proof MUST be the one that the authorization request named.
  const jkt = confirmation !== undefined && 'jkt' in confirmation ? confirmation.jkt : undefined
  if (code.dpop_jkt !== null && jkt !== code.dpop_jkt) {
    throw new OAuthError('invalid_grant', 'the DPoP key is not that of the authorization request')
  }
}

/** One answer for every code that is good for nothing. */
export function invalidCode(detail: string): OAuthError {
  return new OAuthError('invalid_grant', 'authorization code invalid, expired or used', { detail })
}

/**
 * What of a grant's `authorization_details` a token request asks for.
 *
 * @param asked the request's parameter; undefined: all of them
 * @returns what is asked for, which is all granted
 * @throws {OAuthError} `invalid_authorization_details`
 * @see [RFC 9396 §6](https://www.rfc-editor.org/rfc/rfc9396#section-6)
 */
export function narrowAuthorizationDetails(
  granted: readonly AuthorizationDetail[],
  asked: string | undefined,
): readonly AuthorizationDetail[] {
  if (asked === undefined) return granted
  // §6.1: what "less" means is each type's own affair; here it is fewer of the same.
  const found = entriesOf(asked)?.map((entry) => granted.find((detail) => canonical(detail) === entry))
  if (found === undefined || found.some((detail) => detail === undefined)) {
    throw new OAuthError('invalid_authorization_details', 'authorization_details exceed what was granted')
  }
  return found.filter((detail) => detail !== undefined)
}

/** @returns undefined for what is no array, and for what nests too deep to be any that was granted */
function entriesOf(json: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(json)
    return Array.isArray(parsed) ? parsed.map(canonical) : undefined
  } catch {
    return undefined
  }
}

/** The same text for the same JSON, whatever the order of its members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
}
