import { type Confirmation, tokenTypeOf } from '../protocol/confirmation.ts'
import type { Entitlement } from '../protocol/grant.ts'
import type { Target } from '../protocol/target.ts'
import type { Seconds } from '../protocol/time.ts'
import { issueIdToken } from '../tokens/id_token.ts'
import type { IssuedAccessToken } from '../tokens/issue.ts'
import type { GrantDeps, TokenResponse } from './grant_type.ts'

/**
 * What every answer says about its access token.
 *
 * @see [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
 * @see [RFC 9396 §7](https://www.rfc-editor.org/rfc/rfc9396#section-7) `authorization_details`
 */
export function accessTokenResponse(
  { access_token, expires_in }: Pick<IssuedAccessToken, 'access_token' | 'expires_in'>,
  { scope, authorization_details }: Target,
  confirmation: Confirmation | undefined,
): TokenResponse {
  return {
    access_token,
    token_type: tokenTypeOf(confirmation),
    expires_in,
    ...(scope === '' ? {} : { scope }),
    ...(authorization_details.length === 0 ? {} : { authorization_details }),
  }
}

/**
 * The answer to a grant that speaks for a person: what was issued, and the ID token that goes with it where one is due.
 *
 * @param issued.nonce of the authorization request; null: none
 * @param issued.refresh left out where the client gets no refresh token
 * @see [OpenID Connect Core 1.0 §3.1.3.3](https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse)
 */
export async function tokenResponse(
  deps: GrantDeps,
  entitlement: Entitlement,
  issued: {
    readonly access_token: string
    readonly expires_in: Seconds
    readonly target: Target
    readonly confirmation: Confirmation | undefined
    readonly now: Seconds
    readonly nonce: string | null
    readonly refresh?: { readonly refresh_token: string; readonly expires_in: Seconds } | undefined
  },
): Promise<TokenResponse> {
  const { access_token, target, confirmation, now, nonce, refresh } = issued
  const id_token = await issueIdToken(deps, entitlement, { access_token, nonce, now })
  return {
    ...accessTokenResponse(issued, target, confirmation),
    ...(id_token === undefined ? {} : { id_token }),
    ...(refresh === undefined
      ? {}
      : { refresh_token: refresh.refresh_token, refresh_token_expires_in: refresh.expires_in }),
  }
}
