import type { Deps } from '../deps.ts'
import { mayIssue } from '../protocol/grant.ts'
import { looksLikeRefreshToken } from '../protocol/refresh_token.ts'
import { isLive, verifyAccessToken } from '../tokens/verify.ts'
import { TokenApiError, tokenExpired, tokenInvalid, tokenOfWrongType } from './errors.ts'
import { readBody, requireTexts } from './fields.ts'
import { findLegacyToken, legacyTokenStands } from './legacy.ts'
import { findPresented } from './presented.ts'

/** `POST /api/token/verify/`: whether a token, of either kind, stands. It changes nothing. */
export async function verify(deps: Deps, rawBody: unknown): Promise<Record<string, never>> {
  const { token } = requireTexts(readBody(rawBody), ['token'])
  if (!(await stands(deps, token))) throw new TokenApiError(400, { non_field_errors: ['Token is blacklisted'] })
  return {}
}

async function stands(deps: Deps, token: string): Promise<boolean> {
  if (looksLikeRefreshToken(token)) return refreshTokenStands(deps, token)
  const legacy = await findLegacyToken(deps, token)
  return legacy === undefined ? accessTokenStands(deps, token) : legacyTokenStands(deps, legacy)
}

async function refreshTokenStands(deps: Deps, token: string): Promise<boolean> {
  const { grant, account, client, generation } = await findPresented(deps, token)
  if (client === undefined || generation !== grant.generation) return false
  return typeof mayIssue({ client, account, grant }) !== 'string'
}

async function accessTokenStands(deps: Deps, token: string): Promise<boolean> {
  const verified = await verifyAccessToken(deps, token)
  switch (verified.outcome) {
    case 'valid':
      return isLive(deps, verified.claims)
    case 'expired':
      throw tokenExpired()
    case 'wrong_type':
      throw tokenOfWrongType()
    case 'invalid':
      throw tokenInvalid()
  }
}
