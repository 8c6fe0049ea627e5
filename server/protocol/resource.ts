import type { ClaimMapping } from './claim_mapping.ts'
import type { Seconds } from './time.ts'

export const SIGNING_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
/** The JWS algorithms we sign with (RFC 7518 §3.1; RFC 8037 for EdDSA over Ed25519). */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number]

/** The longest that any configuration lets an access token live: a day. A retired key is published for as long. */
export const MAX_ACCESS_TOKEN_SECONDS: Seconds = 86_400

export const TOKEN_TYPS = ['at+jwt', 'JWT'] as const
export type TokenTyp = (typeof TOKEN_TYPS)[number]

/**
 * A resource server (an API): what a `resource` parameter may name and an access token's `aud` may be.
 *
 * @see [RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)
 */
export interface Resource {
  /** An absolute URI without a fragment, compared as a string. */
  readonly resource: string
  /** The scopes that mean something there; null: any scope that the client may ask for. */
  readonly scopes: readonly string[] | null
  /** Lifetime of the access tokens made for it; null: `tokens.access_token_seconds`. */
  readonly access_token_seconds: Seconds | null
  readonly signing_alg: SigningAlgorithm
  /** The clients that may introspect tokens made for this resource: the resource server's own credentials. */
  readonly introspection_clients: readonly string[]
  /** The types of `authorization_details` that mean something there (RFC 9396 §2). */
  readonly authorization_details_types: readonly string[]
  /** What its tokens say besides. */
  readonly claims: ClaimMapping
  /** The `typ` in the header of its tokens: `at+jwt`, or `JWT` for a verifier that refuses that (RFC 9068 §2.1). */
  readonly token_typ: TokenTyp
  readonly created_at: Seconds
  readonly updated_at: Seconds
}
