import type { Caller, Deps } from '../deps.ts'
import { looksLikeRefreshToken } from '../protocol/refresh_token.ts'
import { type RefreshRefusal, refresh as refreshGrant } from '../tokens/refresh.ts'
import { verifyAccessToken } from '../tokens/verify.ts'
import { findLoginClient } from './client.ts'
import {
  noActiveAccountForToken,
  type TokenApiError,
  tokenBlacklisted,
  tokenExpired,
  tokenInvalid,
  tokenOfWrongType,
} from './errors.ts'
import { readBody, requireTexts } from './fields.ts'
import { exchangeLegacy, findLegacyRefreshToken } from './legacy.ts'
import type { TokenPair } from './obtain.ts'

/** `POST /api/token/refresh/`: a refresh token, ours or of a site that moves in, for a new pair. */
export async function refresh(deps: Deps, rawBody: unknown, caller: Caller): Promise<TokenPair> {
  const { refresh: refresh_token } = requireTexts(readBody(rawBody), ['refresh'])
  if (looksLikeRefreshToken(refresh_token)) return rotate(deps, refresh_token, caller)
  const legacy = await findLegacyRefreshToken(deps, refresh_token)
  if (legacy === undefined) throw await notARefreshToken(deps, refresh_token)
  const exchanged = await exchangeLegacy(deps, legacy, caller)
  return 'pair' in exchanged ? exchanged.pair : rotate(deps, exchanged.stands_for, caller)
}

async function rotate(deps: Deps, refresh_token: string, caller: Caller): Promise<TokenPair> {
  const client = await findLoginClient(deps)
  const nothingElse = { resource: [], scope: undefined, confirmation: undefined }
  const refreshed = await refreshGrant(deps, { refresh_token, client, ...nothingElse, caller })
  if (refreshed.outcome === 'refused') throw refusal(refreshed.reason)
  return { access: refreshed.access_token, refresh: refreshed.refresh_token }
}

/** Why something else cannot be refreshed: simplejwt checks signature and lifetime first, the type last. */
export async function notARefreshToken(deps: Deps, token: string): Promise<TokenApiError> {
  const verified = await verifyAccessToken(deps, token)
  switch (verified.outcome) {
    case 'expired':
      return tokenExpired()
    case 'valid':
    case 'wrong_type':
      return tokenOfWrongType()
    case 'invalid':
      return tokenInvalid()
  }
}

function refusal(reason: RefreshRefusal): TokenApiError {
  switch (reason) {
    case 'revoked':
    case 'refresh token reused':
      return tokenBlacklisted()
    case 'expired (idle)':
    case 'expired (absolute)':
      return tokenExpired()
    case 'account_disabled':
      return noActiveAccountForToken()
    case 'invalid':
    case 'client_disabled':
    case 'not yet issued':
      return tokenInvalid()
  }
}
