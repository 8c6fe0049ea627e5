import type { Account } from './account.ts'
import type { AuthorizationDetail } from './authorization_request.ts'
import type { ClaimsRequest } from './claims.ts'
import type { Client } from './client.ts'
import type { Confirmation } from './confirmation.ts'
import { OAuthError } from './errors.ts'
import type { Seconds } from './time.ts'

/** Why a grant ended before its time. */
export type RevokedBecause =
  | 'restored'
  | 'refresh_token_reused'
  | 'revoked_by_client'
  | 'revoked_by_owner'
  | 'revoked_by_admin'
  | 'account_disabled'
  | 'client_deleted'
  /** Also of a device code. */
  | 'code_replayed'
  | 'signed_out'
  | 'consent_withdrawn'

/**
 * One authorization of one client by one account on one device: the parent of its refresh and access tokens.
 * Everything issued under it is valid only while this one row says so.
 */
export interface Grant {
  /** 128 random bits, base64url. */
  readonly grant_id: string
  readonly client_id: string
  readonly account_id: string
  /** The sign-in that it came from; the `sid` of its tokens. */
  readonly session_id: string
  readonly scope: string
  readonly resources: readonly string[]
  readonly auth_time: Seconds
  readonly amr: readonly string[]
  readonly acr: string | null
  /** The key that its refresh token is bound to; null: none, or the client authenticates with it (RFC 9449 §5). */
  readonly cnf: Confirmation | null
  /** The `claims` parameter that it was made with: UserInfo and later ID tokens obey it. */
  readonly claims: ClaimsRequest | null
  readonly authorization_details: readonly AuthorizationDetail[]
  /** The generation of the current refresh token, from 0. */
  readonly generation: number
  /** When the current generation came into being. */
  readonly rotated_at: Seconds
  /** The last generation that was replayed after its window and forgiven; null: none was. */
  readonly late_replay_generation: number | null
  readonly idle_expires_at: Seconds
  readonly absolute_expires_at: Seconds
  readonly revoked_at: Seconds | null
  readonly revoked_because: RevokedBecause | null
  readonly created_at: Seconds
  /** Where it was made: address prefix and user agent, for the owner's list of devices. */
  readonly address_prefix: string | null
  readonly user_agent: string | null
  /** Where its bit is in the status lists: no two grants ever have the same. -1: nowhere. */
  readonly status_index: number
}

export type Expired = 'expired (idle)' | 'expired (absolute)'

/** Which of its lifetimes has ended a grant; undefined: neither. */
export function expiry(grant: Grant, now: Seconds): Expired | undefined {
  if (now >= grant.absolute_expires_at) return 'expired (absolute)'
  return now >= grant.idle_expires_at ? 'expired (idle)' : undefined
}

declare const entitled: unique symbol
/**
 * Leave to issue: `tokens/issue.ts` takes nothing else, so no path can forget to ask.
 * `account` and `grant` are null where the client speaks for itself (RFC 6749 §4.4).
 */
export interface Entitlement {
  readonly client: Client
  readonly account: Account | null
  readonly grant: Grant | null
  readonly [entitled]: true
}

export type Ineligible = 'client_disabled' | 'account_gone' | 'account_disabled' | 'grant_revoked' | 'grant_of_another'

/**
 * The one gate before anything is issued: may this client have a token that speaks for this account under this grant?
 *
 * @returns leave to issue, or the first reason why not.
 */
export function mayIssue(parties: {
  client: Client
  account: Account | null | undefined
  grant: Grant | null
  /** Where another client's token is exchanged (RFC 8693): the client of the grant, which has to be in order as well. */
  grant_client?: Client
}): Entitlement | Ineligible {
  const { client, account, grant, grant_client = client } = parties
  if (client.disabled_at !== null || grant_client.disabled_at !== null) return 'client_disabled'
  if (account === undefined) return 'account_gone'
  if (account !== null && account.disabled_at !== null) return 'account_disabled'
  if (grant !== null) {
    if (grant.revoked_at !== null) return 'grant_revoked'
    if (grant.client_id !== grant_client.client_id || grant.account_id !== account?.account_id)
      return 'grant_of_another'
  }
  return { client, account, grant } as Entitlement
}

/** {@link mayIssue} for shell code: throws the OAuth error of the refusal. */
export function assertMayIssue(parties: Parameters<typeof mayIssue>[0]): Entitlement {
  const verdict = mayIssue(parties)
  if (typeof verdict !== 'string') return verdict
  if (verdict === 'client_disabled') throw new OAuthError('unauthorized_client', 'the client is disabled')
  throw new OAuthError('invalid_grant', 'revoked', { detail: verdict })
}
