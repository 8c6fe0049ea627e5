import { Type } from 'typebox'
import { OAuthError } from '../protocol/errors.ts'
import { type RefreshRefusal, refresh } from '../tokens/refresh.ts'
import type { GrantType } from './grant_type.ts'
import { tokenResponse } from './token_response.ts'

const parameters = Type.Object({
  refresh_token: Type.String(),
  scope: Type.Optional(Type.String()),
  resource: Type.Array(Type.String()),
})

/**
 * Refreshing an access token. The rules are in `protocol/refresh_token.ts`.
 *
 * @see [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)
 */
export const refreshToken: GrantType<typeof parameters> = {
  grant_type: 'refresh_token',
  spec: 'RFC 6749 §6',
  parameters,
  async exchange({ client, parameters: { refresh_token, scope, resource }, confirmation, caller, now }, deps) {
    const refreshed = await refresh(deps, { refresh_token, scope, resource, client, confirmation, caller })
    if (refreshed.outcome === 'refused') throw refusal(refreshed.reason)
    const { entitlement, target, refresh_token: next, refresh_token_expires_in: expires_in, ...issued } = refreshed
    return tokenResponse(deps, entitlement, {
      ...issued,
      target,
      confirmation,
      now,
      // OpenID Connect Core §12.2: it SHOULD NOT have a nonce Claim.
      nonce: null,
      refresh: { refresh_token: next, expires_in },
    })
  },
}

function refusal(reason: RefreshRefusal): OAuthError {
  switch (reason) {
    case 'client_disabled':
      return new OAuthError('unauthorized_client', 'the client is disabled')
    case 'invalid':
      return new OAuthError('invalid_grant', 'refresh token invalid')
    case 'account_disabled':
      return new OAuthError('invalid_grant', 'account disabled')
    case 'revoked':
    case 'expired (idle)':
    case 'expired (absolute)':
    case 'refresh token reused':
      return new OAuthError('invalid_grant', reason)
    case 'not yet issued':
      return new OAuthError('invalid_grant', 'refresh token invalid', { detail: reason })
  }
}
