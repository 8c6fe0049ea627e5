import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import type { Grant } from '../protocol/grant.ts'
import type { Seconds } from '../protocol/time.ts'
import { refreshPolicy } from './refresh.ts'

/** What the path that makes a grant decides; the rest follows from the client and the clock. */
export type GrantFacts = Pick<
  Grant,
  | 'grant_id'
  | 'account_id'
  | 'session_id'
  | 'scope'
  | 'resources'
  | 'auth_time'
  | 'amr'
  | 'acr'
  | 'cnf'
  | 'claims'
  | 'authorization_details'
  | 'address_prefix'
  | 'user_agent'
>

/**
 * A grant as it begins.
 *
 * @param term.access_token_seconds of its first access token: a grant that nothing refreshes lives as long
 * @param term.refreshes whether it comes with a refresh token
 */
export function newGrant(
  config: Deps['config'],
  client: Client,
  facts: GrantFacts,
  term: { readonly now: Seconds; readonly access_token_seconds: Seconds; readonly refreshes?: boolean },
): Grant {
  const { now, access_token_seconds, refreshes = client.grant_types.includes('refresh_token') } = term
  const { idle_seconds } = refreshPolicy(config, client, access_token_seconds)
  const absolute_seconds = client.refresh_token_absolute_seconds ?? config.tokens.refresh_absolute_seconds
  const absolute_expires_at = now + (refreshes ? absolute_seconds : access_token_seconds)
  return {
    ...facts,
    client_id: client.client_id,
    generation: 0,
    rotated_at: now,
    late_replay_generation: null,
    idle_expires_at: Math.min(now + idle_seconds, absolute_expires_at),
    absolute_expires_at,
    revoked_at: null,
    revoked_because: null,
    created_at: now,
  }
}
