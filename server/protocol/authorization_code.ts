import type { AuthorizationDetail } from './authorization_request.ts'
import type { ClaimsRequest } from './claims.ts'
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
