import type { AuthorizationDetail } from './authorization_request.ts'
import { mappedClaims } from './claim_mapping.ts'
import type { Confirmation } from './confirmation.ts'
import type { Entitlement } from './grant.ts'
import { type StatusClaim, statusClaim } from './status_list.ts'
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
  /** Where it is published that the grant has been revoked (Token Status List §6.1). */
  readonly status?: StatusClaim
  /** The key that whoever presents the token has to show (RFC 7800 §3.1). */
  readonly cnf?: Confirmation
  /** Who acts for the subject (RFC 8693 §4.1). */
  readonly act?: Actor
  /** Who alone may act for the subject (RFC 8693 §4.4). */
  readonly may_act?: { readonly sub: string }
  /** The tokens that it was exchanged from (RFC 8693), the first one first: the end of one is the end of this. */
  readonly exchanged_from?: readonly ExchangedToken[]
  /** @see [RFC 9396 §9.1](https://www.rfc-editor.org/rfc/rfc9396#section-9.1) */
  readonly authorization_details?: readonly AuthorizationDetail[]
  /** djangorestframework-simplejwt tells its kinds of token apart by this claim, and so refuses our ID tokens. */
  readonly token_type: 'access'
  readonly user_id?: string
}

/** @see [RFC 8693 §4.1](https://www.rfc-editor.org/rfc/rfc8693#section-4.1) */
export interface Actor {
  readonly sub: string
  readonly act?: Actor
}

/** A token that another one came of, and the client that it was issued to. */
export interface ExchangedToken {
  readonly jti: string
  readonly client_id: string
}

/** The media type in the header, without `application/` (RFC 9068 §2.1). */
export const ACCESS_TOKEN_TYP = 'at+jwt'

/** What a token is issued with, besides what it is for and to whom. */
export interface Issuance {
  readonly iss: string
  /** From `subject.ts`. */
  readonly sub: string
  readonly jti: string
  readonly now: Seconds
  readonly expires_at: Seconds
  readonly confirmation?: Confirmation | undefined
  readonly act?: Actor | undefined
  readonly exchanged_from?: readonly ExchangedToken[] | undefined
  /** Whether there are status lists to point to. */
  readonly status_lists: boolean
}

/** Composes the claims. There is never an `nbf`: a verifier whose clock is slow would refuse a fresh token. */
export function accessTokenClaims(
  { client, account, grant }: Entitlement,
  target: Target,
  { iss, sub, jti, now, expires_at, confirmation, act, exchanged_from, status_lists }: Issuance,
): AccessTokenClaims {
  const [only] = target.resources
  return {
    iss,
    sub,
    aud: target.resources.length === 1 && only !== undefined ? only : target.resources,
    client_id: client.client_id,
    ...(target.scope === '' ? {} : { scope: target.scope }),
    iat: now,
    exp: expires_at,
    jti,
    ...(grant === null
      ? {}
      : {
          auth_time: grant.auth_time,
          amr: grant.amr,
          ...(grant.acr === null ? {} : { acr: grant.acr }),
          sid: grant.session_id,
          grant_id: grant.grant_id,
          ...(status_lists && grant.status_index >= 0 ? { status: statusClaim(iss, grant.status_index) } : {}),
        }),
    ...(confirmation === undefined ? {} : { cnf: confirmation }),
    ...(act === undefined ? {} : { act }),
    ...(exchanged_from === undefined ? {} : { exchanged_from }),
    ...(target.authorization_details.length === 0 ? {} : { authorization_details: target.authorization_details }),
    token_type: 'access',
    // OpenID Connect Core §8.1: a client with pairwise subjects learns no other name of the account.
    ...(account === null || client.subject_type === 'pairwise' ? {} : { user_id: account.account_id }),
    ...mappedClaims(target.claims, { client, account, grant, sub, scope: target.scope }),
  }
}
