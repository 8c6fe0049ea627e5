import type { Caller, Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import { type Confirmation, refreshTokenConfirmation } from '../protocol/confirmation.ts'
import type { Grant } from '../protocol/grant.ts'
import { formatRefreshToken } from '../protocol/refresh_token.ts'
import type { Seconds } from '../protocol/time.ts'
import { refreshPolicy } from './refresh.ts'

/** What the path that makes a grant decides; the rest follows from the client, the request and the clock. */
type GrantFacts = Pick<
  Grant,
  | 'grant_id'
  | 'account_id'
  | 'session_id'
  | 'scope'
  | 'resources'
  | 'auth_time'
  | 'amr'
  | 'acr'
  | 'claims'
  | 'authorization_details'
>

/** The request by which a grant begins. */
interface Beginning {
  readonly now: Seconds
  readonly caller: Caller
  /** The key that the client has shown. */
  readonly confirmation?: Confirmation | undefined
  /** Of its first access token: a grant that nothing refreshes lives as long. */
  readonly access_token_seconds: Seconds
  /** Whether it comes with a refresh token. Left out: if the client may use one. */
  readonly refreshes?: boolean
}

/** A grant as it begins. @param facts may have more members: a code as it was read */
export async function newGrant(
  { config, store }: Pick<Deps, 'config' | 'store'>,
  client: Client,
  facts: GrantFacts,
  beginning: Beginning,
): Promise<Grant> {
  return grantFrom(config, client, { ...facts, status_index: await store.allotStatusIndex() }, beginning)
}

/** The same with an index that is given: for what is never stored. */
export function grantFrom(
  config: Deps['config'],
  client: Client,
  facts: GrantFacts & Pick<Grant, 'status_index'>,
  beginning: Beginning,
): Grant {
  const { now, caller, confirmation, access_token_seconds, refreshes = mayRefresh(client) } = beginning
  const { idle_seconds } = refreshPolicy(config, client, access_token_seconds)
  const absolute_seconds = client.refresh_token_absolute_seconds ?? config.tokens.refresh_absolute_seconds
  const absolute_expires_at = now + (refreshes ? absolute_seconds : access_token_seconds)
  return {
    grant_id: facts.grant_id,
    account_id: facts.account_id,
    client_id: client.client_id,
    session_id: facts.session_id,
    scope: facts.scope,
    resources: facts.resources,
    auth_time: facts.auth_time,
    amr: facts.amr,
    acr: facts.acr,
    claims: facts.claims,
    authorization_details: facts.authorization_details,
    cnf: refreshTokenConfirmation(client, confirmation),
    address_prefix: caller.address_prefix,
    user_agent: caller.user_agent,
    generation: 0,
    rotated_at: now,
    late_replay_generation: null,
    idle_expires_at: Math.min(now + idle_seconds, absolute_expires_at),
    absolute_expires_at,
    revoked_at: null,
    revoked_because: null,
    created_at: now,
    status_index: facts.status_index,
  }
}

/** The refresh token that a new grant comes with; undefined for a client that may not use one. */
export function firstRefreshToken({ vault }: Pick<Deps, 'vault'>, client: Client, grant: Grant) {
  if (!mayRefresh(client)) return undefined
  const refresh_token = formatRefreshToken(grant, vault.refreshTokenMacKey)
  return { refresh_token, expires_in: grant.idle_expires_at - grant.created_at }
}

function mayRefresh(client: Client): boolean {
  return client.grant_types.includes('refresh_token')
}
