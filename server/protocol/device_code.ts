import type { AuthorizationDetail } from './authorization_request.ts'
import type { Seconds } from './time.ts'

/**
 * A device that waits for a person to let it in elsewhere.
 *
 * @see [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)
 */
export interface DeviceCode {
  readonly device_code_digest: string
  readonly user_code_digest: string
  readonly client_id: string
  /** The grant that it becomes. */
  readonly grant_id: string
  readonly scope: string
  readonly resources: readonly string[]
  readonly authorization_details: readonly AuthorizationDetail[]
  /** The key of the device, when it showed one. */
  readonly dpop_jkt: string | null
  readonly interval_seconds: Seconds
  readonly last_polled_at: Seconds | null
  /** The session whose person entered the user code: only that one decides. */
  readonly claimed_session_id: string | null
  readonly approved_at: Seconds | null
  readonly denied_at: Seconds | null
  /** Who approved it, and how they had signed in; null before. */
  readonly account_id: string | null
  readonly auth_time: Seconds | null
  readonly amr: readonly string[] | null
  readonly acr: string | null
  readonly redeemed_at: Seconds | null
  readonly expires_at: Seconds
  readonly created_at: Seconds
  /** Where the device asked from, for the person to compare. */
  readonly address_prefix: string | null
  readonly user_agent: string | null
}
