/**
 * Claims about a person, and which of them a client may see.
 *
 * @see [OpenID Connect Core 1.0 §5](https://openid.net/specs/openid-connect-core-1_0.html#Claims)
 */

/** One member of the `claims` parameter (§5.5.1); null: voluntary, without conditions. */
export type ClaimRequest = {
  readonly essential?: boolean
  readonly value?: unknown
  readonly values?: readonly unknown[]
} | null

/** The `claims` parameter (§5.5). Members that name no claim of ours are kept out of it. */
export interface ClaimsRequest {
  readonly userinfo?: Readonly<Record<string, ClaimRequest>>
  readonly id_token?: Readonly<Record<string, ClaimRequest>>
}
