import type { Caller, Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import { looksLikeRefreshToken } from '../protocol/refresh_token.ts'
import { tokenBlacklisted } from './errors.ts'
import { readBody, requireTexts } from './fields.ts'
import { blacklistLegacy, findLegacyRefreshToken } from './legacy.ts'
import { findPresented } from './presented.ts'
import { notARefreshToken } from './refresh.ts'

/**
 * `POST /api/token/blacklist/`: signs out, which ends the grant. An older token of the grant ends it too, for whoever
 * sends one means to be signed out, but is answered as simplejwt answers a token that was rotated away.
 */
export async function blacklist(deps: Deps, rawBody: unknown, caller: Caller): Promise<Record<string, never>> {
  const { refresh } = requireTexts(readBody(rawBody), ['refresh'])
  if (looksLikeRefreshToken(refresh)) return revoke(deps, refresh, caller)
  const legacy = await findLegacyRefreshToken(deps, refresh)
  if (legacy === undefined) throw await notARefreshToken(deps, refresh)
  const exchanged = await blacklistLegacy(deps, legacy, caller)
  return exchanged === undefined ? {} : revoke(deps, exchanged, caller)
}

async function revoke(deps: Deps, refresh: string, caller: Caller): Promise<Record<string, never>> {
  const { grant, generation } = await findPresented(deps, refresh)
  const { grant_id, account_id, client_id, session_id } = grant
  const fields = { account_id, client_id, grant_id, session_id, caller, detail: { because: 'revoked_by_owner' } }
  const revocation = { because: 'revoked_by_owner', now: deps.clock.now() } as const
  const outcome = await deps.store.revokeGrant(grant_id, revocation, [auditRecord(deps, 'grant.revoked', fields)])
  if (outcome !== 'revoked' || generation !== grant.generation) throw tokenBlacklisted()
  return {}
}
