import type { Seconds } from './time.ts'

/** Why a session ended before its time. */
export type SessionEndedBecause =
  | 'signed_out'
  | 'signed_in_again'
  | 'revoked_by_admin'
  | 'revoked_by_owner'
  | 'account_disabled'
  | 'restored'

/**
 * A signed-in browser. The cookie holds a handle; the row holds its digest.
 *
 * @see [OpenID Connect Back-Channel Logout 1.0 §2.1](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCSupport) `sid`
 */
export interface Session {
  /** The `sid` of ID tokens. Names the session, opens nothing. */
  readonly session_id: string
  /** Digest of the cookie's value, which changes at every sign-in and step-up. */
  readonly handle_digest: string
  readonly account_id: string
  readonly auth_time: Seconds
  /** RFC 8176 */
  readonly amr: readonly string[]
  readonly acr: string | null
  /** "Keep me signed in": the session has the longer lifetime, and no idle one. */
  readonly remembered: boolean
  readonly idle_expires_at: Seconds
  readonly absolute_expires_at: Seconds
  readonly last_seen_at: Seconds
  readonly ended_at: Seconds | null
  readonly ended_because: SessionEndedBecause | null
  readonly created_at: Seconds
  readonly address_prefix: string | null
  readonly user_agent: string | null
}

/** Whether the session still signs its browser in. */
export function isSessionLive(session: Session, now: Seconds): boolean {
  return session.ended_at === null && now < session.idle_expires_at && now < session.absolute_expires_at
}
