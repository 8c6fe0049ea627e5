import type { AuthorizationRequest } from './authorization_request.ts'
import type { Seconds } from './time.ts'

/**
 * A paused authorization request: what was asked, in which browser, and what the person has done about it so far.
 * Steps (login, consent) write down what they did and come back to the dispatcher, which alone decides what is next.
 */
export interface Interaction {
  readonly interaction_id: string
  /** Digest of the browser's cookie: nobody else can go on with it. */
  readonly browser_digest: string
  readonly request: AuthorizationRequest
  /** When the person signed in (again) for this request; null: not yet. What `prompt=login` and `max_age` ask for. */
  readonly authenticated_at: Seconds | null
  /** When the person chose to go on as who they are (`prompt=select_account`). */
  readonly selected_at: Seconds | null
  /** When and in which session the person allowed it. */
  readonly consented_at: Seconds | null
  readonly consented_session_id: string | null
  readonly expires_at: Seconds
  readonly created_at: Seconds
}
