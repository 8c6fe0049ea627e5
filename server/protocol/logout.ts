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

/** The media type in the header, without `application/` (Back-Channel Logout 1.0 §2.4). */
export const LOGOUT_TOKEN_TYP = 'logout+jwt'

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'
// Back-Channel Logout 1.0 §2.4: preferably at most two minutes, so that a captured token is soon worth nothing.
const LOGOUT_TOKEN_SECONDS = 120

/** @see [OpenID Connect Back-Channel Logout 1.0 §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken) */
export interface LogoutTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  readonly iat: Seconds
  readonly exp: Seconds
  readonly jti: string
  readonly sid: string
  readonly events: { readonly [LOGOUT_EVENT]: Readonly<Record<string, never>> }
}

/** @param told.sub the account as this client knows it */
export function logoutTokenClaims(told: {
  iss: string
  client_id: string
  sub: string
  session_id: string
  jti: string
  now: Seconds
}): LogoutTokenClaims {
  // §2.4: a nonce MUST NOT be there, so that nobody takes this for an ID token.
  return {
    iss: told.iss,
    sub: told.sub,
    aud: told.client_id,
    iat: told.now,
    exp: told.now + LOGOUT_TOKEN_SECONDS,
    jti: told.jti,
    sid: told.session_id,
    events: { [LOGOUT_EVENT]: {} },
  }
}

/** Waits between attempts; with the last one, a receiver has been out of reach for about a day. */
const RETRY_SECONDS: readonly Seconds[] = [5, 30, 120, 600, 1800, 7200, 21_600, 54_000]

/** How one attempt went. `moot`: there is nobody to tell any more. */
export type LogoutAttempt =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'failed' | 'moot'; readonly error: string }

export type LogoutSettlement = Pick<
  LogoutDelivery,
  'session_id' | 'client_id' | 'next_attempt_at' | 'delivered_at' | 'failed_at' | 'last_error'
>

/**
 * What becomes of a delivery after an attempt.
 *
 * @param delivery as it was claimed: `attempts` counts the attempt that was made
 */
export function settleAttempt(delivery: LogoutDelivery, attempt: LogoutAttempt, now: Seconds): LogoutSettlement {
  const { session_id, client_id, next_attempt_at, attempts } = delivery
  const settled = { session_id, client_id, next_attempt_at, delivered_at: null, failed_at: null, last_error: null }
  if (attempt.outcome === 'delivered') return { ...settled, delivered_at: now }
  const failed = { ...settled, last_error: attempt.error }
  const wait = RETRY_SECONDS[attempts - 1]
  if (attempt.outcome === 'moot' || wait === undefined) return { ...failed, failed_at: now }
  return { ...failed, next_attempt_at: now + wait }
}
