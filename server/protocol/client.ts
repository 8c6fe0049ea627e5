import type { Locale } from './locale.ts'
import type { SigningAlgorithm } from './resource.ts'
import type { Seconds } from './time.ts'

export const REFRESH_TOKEN_PROFILES = ['strict', 'standard', 'resilient', 'fixed'] as const
/** How a client's refresh tokens meet a replay; see `refresh_token.ts`. */
export type RefreshTokenProfile = (typeof REFRESH_TOKEN_PROFILES)[number]

export const TOKEN_ENDPOINT_AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const
export type TokenEndpointAuthMethod = (typeof TOKEN_ENDPOINT_AUTH_METHODS)[number]

/** Key management and content encryption that we offer for what is encrypted to a client (RFC 7518 §4.1, §5.1). */
export const ENCRYPTION_ALGORITHMS = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
export type EncryptionAlgorithm = (typeof ENCRYPTION_ALGORITHMS)[number]
export const CONTENT_ENCRYPTIONS = ['A128CBC-HS256', 'A256GCM'] as const
export type ContentEncryption = (typeof CONTENT_ENCRYPTIONS)[number]

/** A client's public key (RFC 7517 §4): only what is read of it is typed. */
export interface ClientJwk {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly [member: string]: unknown
}

/** What people are shown of a client in a language that our pages are written in: `client_name#de` (RFC 7591 §2.2). */
export type LocalizedMember = `${'client_name' | 'client_uri' | 'policy_uri' | 'tos_uri'}#${Locale}`

/**
 * What a client is registered with, in the words of RFC 7591 §2 and its extensions; below the line, what this server
 * adds. A member left out has the default that its specification gives.
 *
 * @see [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)
 * @see [OpenID Connect Registration 1.0 §2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata)
 */
export interface ClientMetadata extends LocalizedMetadata {
  readonly client_name?: string
  readonly client_uri?: string
  readonly logo_uri?: string
  readonly policy_uri?: string
  readonly tos_uri?: string
  readonly contacts?: readonly string[]
  readonly software_id?: string
  readonly software_version?: string
  readonly application_type: 'web' | 'native'
  /** Compared as strings; only the port of a native client's loopback address may differ. */
  readonly redirect_uris: readonly string[]
  readonly response_types: readonly string[]
  readonly grant_types: readonly string[]
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod
  readonly token_endpoint_auth_signing_alg?: SigningAlgorithm
  /** Space-separated: the most that this client may be granted. */
  readonly scope: string
  /** Public keys, by value or by reference, never both (RFC 7591 §2). */
  readonly jwks?: { readonly keys: readonly ClientJwk[] }
  readonly jwks_uri?: string
  /** RFC 8705 §2.1.2: exactly one of these for `tls_client_auth`. */
  readonly tls_client_auth_subject_dn?: string
  readonly tls_client_auth_san_dns?: string
  readonly tls_client_auth_san_uri?: string
  readonly tls_client_auth_san_ip?: string
  readonly tls_client_auth_san_email?: string
  readonly tls_client_certificate_bound_access_tokens?: boolean
  /** RFC 9449 §5.2 */
  readonly dpop_bound_access_tokens?: boolean
  /** RFC 9126 §6 */
  readonly require_pushed_authorization_requests?: boolean
  /** RFC 9101 §10.5 */
  readonly require_signed_request_object?: boolean
  readonly request_object_signing_alg?: SigningAlgorithm
  /** RFC 9396 §10 */
  readonly authorization_details_types?: readonly string[]
  readonly id_token_signed_response_alg?: SigningAlgorithm
  readonly id_token_encrypted_response_alg?: EncryptionAlgorithm
  readonly id_token_encrypted_response_enc?: ContentEncryption
  /** Left out: UserInfo is plain JSON. */
  readonly userinfo_signed_response_alg?: SigningAlgorithm
  readonly userinfo_encrypted_response_alg?: EncryptionAlgorithm
  readonly userinfo_encrypted_response_enc?: ContentEncryption
  /** RFC 9701 §6 */
  readonly introspection_signed_response_alg?: SigningAlgorithm
  readonly introspection_encrypted_response_alg?: EncryptionAlgorithm
  readonly introspection_encrypted_response_enc?: ContentEncryption
  /** JARM §3 */
  readonly authorization_signed_response_alg?: SigningAlgorithm
  readonly authorization_encrypted_response_alg?: EncryptionAlgorithm
  readonly authorization_encrypted_response_enc?: ContentEncryption
  readonly subject_type: 'public' | 'pairwise'
  readonly sector_identifier_uri?: string
  readonly default_max_age?: Seconds
  readonly require_auth_time?: boolean
  readonly default_acr_values?: readonly string[]
  readonly initiate_login_uri?: string
  readonly post_logout_redirect_uris?: readonly string[]
  readonly backchannel_logout_uri?: string
  readonly backchannel_logout_session_required?: boolean
  readonly frontchannel_logout_uri?: string
  readonly frontchannel_logout_session_required?: boolean
  // ---
  /** The resources that it may ask tokens for, besides the default one. */
  readonly resources: readonly string[]
  /** One of the operator's own applications: nobody is asked to consent to it. */
  readonly first_party: boolean
  /** false: a confidential client that guards its code with the ID token's nonce (OAuth 2.1 §7.5.1). */
  readonly require_pkce: boolean
  /** RFC 8693 §1.1: may get tokens that do not name it as the actor. */
  readonly may_impersonate?: boolean
  readonly refresh_token_profile: RefreshTokenProfile
  /** Overrides of the configured lifetimes and of the profile's reuse window. */
  readonly refresh_token_idle_seconds?: Seconds
  readonly refresh_token_absolute_seconds?: Seconds
  readonly reuse_window_seconds?: Seconds
}

type LocalizedMetadata = { readonly [Name in LocalizedMember]?: string }

/** The members that every client has: what a registration that says nothing of them gets. */
export const CLIENT_DEFAULTS = {
  application_type: 'web',
  redirect_uris: [],
  response_types: [],
  subject_type: 'public',
  require_pkce: true,
} as const satisfies Partial<ClientMetadata>

export const CLIENT_ORIGINS = ['admin', 'registered', 'metadata_document'] as const
/** Who made a client: an administrator, it itself (RFC 7591), or the document that its client_id is the address of. */
export type ClientOrigin = (typeof CLIENT_ORIGINS)[number]

export interface Client extends ClientMetadata {
  readonly client_id: string
  /** Keyed digest of the secret; null for a client without one. */
  readonly client_secret_digest: string | null
  readonly origin: ClientOrigin
  /** RFC 7592 §3: keyed digest of what it manages its own registration with; null: it cannot. */
  readonly registration_access_token_digest: string | null
  /** When a metadata document is fetched again; null for other origins. */
  readonly metadata_expires_at: Seconds | null
  /** Kept for clients that registered themselves, to a day: unused ones are reaped. */
  readonly last_used_at: Seconds | null
  readonly disabled_at: Seconds | null
  readonly created_at: Seconds
  readonly updated_at: Seconds
}

/** A client without what it is registered with: who it is, and what became of it. */
export type ClientIdentity = Omit<Client, keyof ClientMetadata>

/** A client in its two halves. */
export function partsOf(client: Client): { readonly identity: ClientIdentity; readonly metadata: ClientMetadata } {
  const { client_id, client_secret_digest, origin, registration_access_token_digest, ...others } = client
  const { metadata_expires_at, last_used_at, disabled_at, created_at, updated_at, ...metadata } = others
  const credentials = { client_secret_digest, registration_access_token_digest }
  const instants = { metadata_expires_at, last_used_at, disabled_at, created_at, updated_at }
  return { identity: { client_id, origin, ...credentials, ...instants }, metadata }
}

/** The `updated_at` of a change: later than the one before, so that no two versions of a client share it. */
export function nextVersion({ updated_at }: Pick<Client, 'updated_at'>, now: Seconds): Seconds {
  return Math.max(now, updated_at + 1)
}

/** What distinguishes an administrator's client from those that made themselves. */
export const MADE_BY_ADMIN = {
  origin: 'admin',
  registration_access_token_digest: null,
  metadata_expires_at: null,
  last_used_at: null,
} as const satisfies Partial<Client>

declare const authenticated: unique symbol
/** A client that has proved who it is, as far as its registration asks. Only `client_auth/` makes one. */
export type AuthenticatedClient = Client & { readonly [authenticated]: true }

/** Whether the client keeps a credential (RFC 6749 §2.1): one that does not is public. */
export function isConfidential(client: Pick<ClientMetadata, 'token_endpoint_auth_method'>): boolean {
  return client.token_endpoint_auth_method !== 'none'
}

/** Whether that credential is a secret that we made. */
export function hasSecret(client: Pick<ClientMetadata, 'token_endpoint_auth_method'>): boolean {
  return client.token_endpoint_auth_method.startsWith('client_secret_')
}
