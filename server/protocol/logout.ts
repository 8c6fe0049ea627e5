import type { Seconds } from './time.ts'

/**
 * A client that is to hear that a session has ended.
 *
 * @see [OpenID Connect Back-Channel Logout 1.0 §2.5](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest)
 */
export interface LogoutDelivery {
  readonly session_id: string
  readonly client_id: string
  readonly account_id: string
  readonly attempts: number
  /** When it is tried (again): a claim moves it ahead, so that one node tries at a time. */
  readonly next_attempt_at: Seconds
  readonly delivered_at: Seconds | null
  /** Given up. */
  readonly failed_at: Seconds | null
  /** What the last attempt met: a status or the name of a fault. Never a body. */
  readonly last_error: string | null
  readonly created_at: Seconds
}
