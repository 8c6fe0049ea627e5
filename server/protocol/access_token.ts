import type { Entitlement } from './grant.ts'
import type { Target } from './target.ts'
import type { Seconds } from './time.ts'

/**
 * The claims of an access token.
 *
 * @see [RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)
 */
export interface AccessTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly client_id: string
  readonly scope?: string
  readonly iat: Seconds
  readonly exp: Seconds
  readonly jti: string
  readonly auth_time?: Seconds
  readonly amr?: readonly string[]
  readonly acr?: string
  readonly sid?: string
  /** The grant that it lives by; none where a client speaks for itself. Names a row, opens nothing. */
  readonly grant_id?: string
  /** djangorestframework-simplejwt tells its kinds of token apart by this claim, and so refuses our ID tokens. */
  readonly token_type: 'access'
  readonly user_id?: string
}

/** The media type in the header, without `application/` (RFC 9068 §2.1). */
export const ACCESS_TOKEN_TYP = 'at+jwt'

/** Composes the claims. There is never an `nbf`: a verifier whose clock is slow would refuse a fresh token. */
export function accessTokenClaims(
  { client, account, grant }: Entitlement,
  target: Target,
  issued: { iss: string; jti: string; now: Seconds; expires_at: Seconds },
): AccessTokenClaims {
  const [only] = target.resources
  return {
    iss: issued.iss,
    // RFC 9068 §2.2: where no resource owner is involved, sub identifies the client application.
    sub: account?.account_id ?? client.client_id,
    aud: target.resources.length === 1 && only !== undefined ? only : target.resources,
    client_id: client.client_id,
    ...(target.scope === '' ? {} : { scope: target.scope }),
    iat: issued.now,
    exp: issued.expires_at,
    jti: issued.jti,
    ...(grant === null
      ? {}
      : {
          auth_time: grant.auth_time,
          amr: grant.amr,
          ...(grant.acr === null ? {} : { acr: grant.acr }),
          sid: grant.session_id,
          grant_id: grant.grant_id,
        }),
    token_type: 'access',
    ...(account === null ? {} : { user_id: account.account_id }),
  }
}
