/** What becomes of the tokens of a simplejwt site that moves in. */
import type { Caller, Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Account } from '../protocol/account.ts'
import type { Client } from '../protocol/client.ts'
import { assertMayIssue, type Grant } from '../protocol/grant.ts'
import { randomId } from '../protocol/random_id.ts'
import { formatRefreshToken } from '../protocol/refresh_token.ts'
import type { Target } from '../protocol/target.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { type LegacyToken, legacyGrantId, legacyUse, verifyLegacyToken } from '../tokens/legacy_token.ts'
import { newGrant } from '../tokens/new_grant.ts'
import { resolveTarget } from '../tokens/resources.ts'
import { findLoginClient } from './client.ts'
import { noActiveAccountForToken, tokenBlacklisted, tokenExpired, tokenInvalid, tokenOfWrongType } from './errors.ts'
import type { TokenPair } from './obtain.ts'

/**
 * @returns the token, of either kind; undefined: it is not of such a site
 * @throws {TokenApiError} as simplejwt refuses it
 */
export async function findLegacyToken(deps: Deps, token: string): Promise<LegacyToken | undefined> {
  const verified = await verifyLegacyToken(deps, token)
  switch (verified?.outcome) {
    case undefined:
      return undefined
    case 'valid':
      return verified.token
    case 'expired':
      throw tokenExpired()
    case 'wrong_type':
      throw tokenOfWrongType()
    case 'invalid':
      throw tokenInvalid()
  }
}

/** The same, of a refresh token alone. */
export async function findLegacyRefreshToken(deps: Deps, token: string): Promise<LegacyToken | undefined> {
  const found = await findLegacyToken(deps, token)
  if (found?.token_type === 'access') throw tokenOfWrongType()
  return found
}

/** What a legacy refresh token gets: a pair of its own, or the token of ours whose place it takes. */
export type LegacyExchange = { readonly pair: TokenPair } | { readonly stands_for: string }

/**
 * Exchanges a refresh token for a grant, once. It is generation 0 of that grant, and what it gets is generation 1: so
 * whoever comes with it again is met as with any token that was rotated away.
 *
 * @throws {TokenApiError} when it was used up before there was a grant, or nobody may have one
 */
export async function exchangeLegacy(deps: Deps, token: LegacyToken, caller: Caller): Promise<LegacyExchange> {
  const grant_id = legacyGrantId(deps, token.jti)
  const stands_for = formatRefreshToken({ grant_id, generation: 0 }, deps.vault.refreshTokenMacKey)
  if ((await deps.store.findGrant(grant_id)) !== undefined) return { stands_for }

  const client = await findLoginClient(deps)
  const account = await deps.store.findAccountByLegacyUserId(token.user_id)
  if (account === undefined || account.disabled_at !== null) throw await refused(deps, account, client, caller)
  const target = await resolveTarget(deps, { client, account }, { resource: [], scope: undefined })
  const grant = await grantOf(deps, token, { grant_id, client, account, target }, caller)
  const entitlement = assertMayIssue({ client, account, grant })
  const { account_id } = account
  const { client_id, session_id } = grant
  const audit = auditRecord(deps, 'legacy_token.exchanged', { account_id, client_id, grant_id, session_id, caller })
  const use = { ...legacyUse(deps, token), now: grant.created_at }
  switch (await deps.store.createGrantOnce(grant, use, [audit])) {
    case 'account_disabled':
      throw await refused(deps, account, client, caller)
    case 'used':
      // Somebody was faster a moment ago, or it was blacklisted.
      if ((await deps.store.findGrant(grant_id)) !== undefined) return { stands_for }
      throw tokenBlacklisted()
    case 'created': {
      const { access_token: access } = await issueAccessToken(deps, entitlement, target, { now: grant.created_at })
      return { pair: { access, refresh: formatRefreshToken(grant, deps.vault.refreshTokenMacKey) } }
    }
  }
}

async function refused(deps: Deps, account: Account | undefined, { client_id }: Client, caller: Caller) {
  const fields = { actor: null, account_id: account?.account_id ?? null, client_id, caller }
  const detail = { reason: account === undefined ? 'account_gone' : 'account_disabled', legacy: true }
  await deps.store.appendAudit([auditRecord(deps, 'refresh.refused', { ...fields, detail })])
  return noActiveAccountForToken()
}

async function grantOf(
  deps: Deps,
  { iat }: LegacyToken,
  { grant_id, client, account, target }: { grant_id: string; client: Client; account: Account; target: Target },
  caller: Caller,
): Promise<Grant> {
  const now = deps.clock.now()
  const facts = {
    grant_id,
    account_id: account.account_id,
    session_id: randomId(deps.random),
    scope: target.scope,
    resources: target.resources,
    // Nobody knows when they signed in: a token that was rotated is younger. It must not pass for a fresh sign-in.
    auth_time: Math.min(iat ?? now, account.created_at),
    amr: [],
    acr: null,
    claims: null,
    authorization_details: [],
  }
  const { access_token_seconds } = target
  return { ...(await newGrant(deps, client, facts, { now, caller, access_token_seconds })), generation: 1 }
}

/**
 * Signs out with a refresh token: it cannot be exchanged any more.
 *
 * @returns the token of ours whose place it takes, when it has been exchanged; undefined: done
 * @throws {TokenApiError} when it was blacklisted before
 */
export async function blacklistLegacy(deps: Deps, token: LegacyToken, caller: Caller): Promise<string | undefined> {
  const account = await deps.store.findAccountByLegacyUserId(token.user_id)
  const fields = { account_id: account?.account_id ?? null, client_id: deps.config.token_api.client_id, caller }
  const audit = auditRecord(deps, 'legacy_token.revoked', fields)
  const { id, expires_at } = legacyUse(deps, token)
  if ((await deps.store.claimOnce(id, expires_at, deps.clock.now(), [audit])) === 'claimed') return undefined
  const grant_id = legacyGrantId(deps, token.jti)
  if ((await deps.store.findGrant(grant_id)) === undefined) throw tokenBlacklisted()
  return formatRefreshToken({ grant_id, generation: 0 }, deps.vault.refreshTokenMacKey)
}

/** Whether a token, of either kind, stands: its account does, and a refresh token has not been used up. */
export async function legacyTokenStands(deps: Deps, token: LegacyToken): Promise<boolean> {
  const account = await deps.store.findAccountByLegacyUserId(token.user_id)
  if (account === undefined || account.disabled_at !== null) return false
  return token.token_type === 'access' || !(await deps.store.isUsed(legacyUse(deps, token).id, deps.clock.now()))
}
