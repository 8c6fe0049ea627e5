import type { Seconds } from './time.ts'

export const REFRESH_TOKEN_PROFILES = ['strict', 'standard', 'resilient', 'fixed'] as const
/** How a client's refresh tokens meet a replay; see `refresh_token.ts`. */
export type RefreshTokenProfile = (typeof REFRESH_TOKEN_PROFILES)[number]

export const TOKEN_ENDPOINT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post'] as const
export type TokenEndpointAuthMethod = (typeof TOKEN_ENDPOINT_AUTH_METHODS)[number]

/**
 * What a client is registered with, in the words of RFC 7591 §2; below the line, what this server adds.
 *
 * @see [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)
 */
export interface ClientMetadata {
  readonly client_name?: string
  readonly grant_types: readonly string[]
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod
  /** Space-separated: the most that this client may be granted. */
  readonly scope: string
  // ---
  /** The resources that it may ask tokens for, besides the default one. */
  readonly resources: readonly string[]
  /** One of the operator's own applications: nobody is asked to consent to it. */
  readonly first_party: boolean
  readonly refresh_token_profile: RefreshTokenProfile
  /** Overrides of the configured lifetimes and of the profile's reuse window. */
  readonly refresh_token_idle_seconds?: Seconds
  readonly refresh_token_absolute_seconds?: Seconds
  readonly reuse_window_seconds?: Seconds
}

export interface Client extends ClientMetadata {
  readonly client_id: string
  /** Keyed digest of the secret; null for a public client. */
  readonly client_secret_digest: string | null
  readonly disabled_at: Seconds | null
  readonly created_at: Seconds
  readonly updated_at: Seconds
}

declare const authenticated: unique symbol
/** A client that has proved who it is, as far as its registration asks. Only `client_auth/` makes one. */
export type AuthenticatedClient = Client & { readonly [authenticated]: true }

/** Whether the client keeps a credential (RFC 6749 §2.1): one that does not is public. */
export function isConfidential(client: ClientMetadata): boolean {
  return client.token_endpoint_auth_method !== 'none'
}
