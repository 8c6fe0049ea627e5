import type { Deps } from '../deps.ts'
import { expiry } from '../protocol/grant.ts'
import { parseRefreshToken } from '../protocol/refresh_token.ts'
import type { GrantContext } from '../storage/records.ts'
import { tokenExpired, tokenInvalid } from './errors.ts'

export interface PresentedRefreshToken extends GrantContext {
  readonly generation: number
}

/**
 * The grant behind a refresh token of this API, whatever its state but expired.
 *
 * @throws {TokenApiError} for what is not ours, of another client, or expired
 */
export async function findPresented(deps: Deps, refresh_token: string): Promise<PresentedRefreshToken> {
  const parsed = parseRefreshToken(refresh_token, (id) => deps.vault.findRefreshTokenMacKey(id))
  const context = parsed === undefined ? undefined : await deps.store.findGrant(parsed.grant_id)
  if (parsed === undefined || context?.grant.client_id !== deps.config.token_api.client_id) throw tokenInvalid()
  if (expiry(context.grant, deps.clock.now()) !== undefined) throw tokenExpired()
  return { ...context, generation: parsed.generation }
}
