/**
 * Which clients can be registered: how the members of their metadata go together. What each may be by itself is in
 * `client_metadata.ts`.
 *
 * @see [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)
 * @see [OpenID Connect Registration 1.0 §2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata)
 */
import {
  CLIENT_DEFAULTS,
  type ClientMetadata,
  isConfidential,
  type RefreshTokenProfile,
  type TokenEndpointAuthMethod,
} from './client.ts'
import { keyProblems } from './client_keys_registration.ts'
import { isForNativeApplications, uriProblems } from './client_uris_registration.ts'
import { normalizedResource } from './resource_registration.ts'
import { ADMIN_SCOPES, ANY, formatScope, isReservedScope, parseScope } from './scope.ts'

/** Stands in the tokens that the command line makes for itself. No client can have it. */
export const CLI_CLIENT_ID = 'gatehouse-cli'

/** What is asked for. A member left out keeps its value, or gets its default; null takes it away. */
export type ClientRegistration = { readonly [Name in keyof ClientMetadata]?: ClientMetadata[Name] | null }

export interface RegistrationProblem {
  readonly field: string
  /** A predicate without its subject, which is the field. */
  readonly message: string
}

/** What this server has to offer to a client. */
export interface Offered {
  readonly grant_types: readonly string[]
  readonly token_endpoint_auth_methods: readonly TokenEndpointAuthMethod[]
  /** Those that a client may name, besides `*`. */
  readonly resources: ReadonlySet<string>
  readonly profile: 'oauth21' | 'fapi2'
  /** Hosts that may be fetched although they are not https (`outbound.allow`). */
  readonly outbound_allow: readonly string[]
}

const LONGEST_WINDOW: Readonly<Record<RefreshTokenProfile, number>> = {
  strict: 0,
  standard: 60,
  resilient: 3600,
  fixed: 0,
}

// RFC 7591 §2: the grant type is authorization_code by default, and the method client_secret_basic.
const DEFAULTS = {
  ...CLIENT_DEFAULTS,
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: 'client_secret_basic',
  scope: '',
  resources: [],
  first_party: false,
  refresh_token_profile: 'standard',
} as const satisfies ClientMetadata

/**
 * The metadata that a registration asks for.
 *
 * @param existing what it changes; undefined for a new client
 */
export function registeredMetadata(existing: ClientMetadata | undefined, asked: ClientRegistration): ClientMetadata {
  const metadata = { ...DEFAULTS, ...withoutNulls({ ...existing, ...asked }) }
  const { redirect_uris, grant_types, scope, resources } = metadata
  const scopes = parseScope(scope)
  const said = asked.application_type ?? existing?.application_type
  return {
    ...metadata,
    ...contentEncryptions(metadata),
    application_type: said ?? (redirect_uris.some(isForNativeApplications) ? 'native' : 'web'),
    redirect_uris: distinct(redirect_uris),
    grant_types: distinct(grant_types),
    // RFC 7591 §2.1: `code` and `authorization_code` go together, so that one says the other.
    response_types: distinct(asked.response_types ?? (grant_types.includes('authorization_code') ? ['code'] : [])),
    scope: scopes === undefined ? scope : formatScope(scopes),
    resources: distinct(resources.map((resource) => normalizedResource(resource) ?? resource)),
  }
}

function withoutNulls(asked: ClientRegistration): Partial<ClientMetadata> {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null && value !== undefined))
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}

const ENCRYPTED = ['id_token', 'userinfo', 'introspection', 'authorization'] as const

/** OpenID Connect Registration §2: an algorithm without its `enc` goes with A128CBC-HS256. */
function contentEncryptions(metadata: ClientMetadata): Partial<ClientMetadata> {
  return Object.fromEntries(
    ENCRYPTED.filter((kind) => metadata[`${kind}_encrypted_response_alg`] !== undefined).map((kind) => {
      const enc = `${kind}_encrypted_response_enc` as const
      return [enc, metadata[enc] ?? 'A128CBC-HS256']
    }),
  )
}

/** Everything that is wrong with a client's metadata. */
export function metadataProblems(metadata: ClientMetadata, offered: Offered): RegistrationProblem[] {
  return [
    ...grantTypeProblems(metadata, offered.grant_types),
    ...responseTypeProblems(metadata),
    ...authMethodProblems(metadata, offered.token_endpoint_auth_methods),
    ...keyProblems(metadata),
    ...uriProblems(metadata, offered.outbound_allow),
    ...scopeProblems(metadata),
    ...resourceProblems(metadata.resources, offered.resources),
    ...confidentialProblems(metadata),
    ...refreshTokenProblems(metadata),
    ...(offered.profile === 'fapi2' ? fapi2Problems(metadata) : []),
  ]
}

function grantTypeProblems(metadata: ClientMetadata, offered: readonly string[]): RegistrationProblem[] {
  const field = 'grant_types'
  const { grant_types } = metadata
  if (grant_types.length === 0) return [{ field, message: `needs at least one of: ${offered.join(', ')}` }]
  const unknown = grant_types.filter((grant_type) => !offered.includes(grant_type))
  const problems = unknown.map((name) => ({ field, message: `${name} is not offered; there is ${offered.join(', ')}` }))
  // OAuth 2.1 §4.2: the client credentials grant MUST only be used by confidential clients.
  if (grant_types.includes('client_credentials') && !isConfidential(metadata)) {
    problems.push({ field, message: 'client_credentials needs a client that authenticates, not method none' })
  }
  return problems
}

function responseTypeProblems({ response_types, grant_types, redirect_uris }: ClientMetadata): RegistrationProblem[] {
  const field = 'response_types'
  const problems = response_types
    .filter((name) => name !== 'code')
    .map((name) => ({ field, message: `${name} is not offered; there is code` }))
  const code = grant_types.includes('authorization_code')
  if (response_types.includes('code') !== code) {
    problems.push({ field, message: 'code and the grant type authorization_code go together (RFC 7591 §2.1)' })
  }
  // RFC 7591 §2: clients using flows with redirection MUST register their redirection URI values.
  if (code && redirect_uris.length === 0) {
    problems.push({ field: 'redirect_uris', message: 'needs at least one for the grant type authorization_code' })
  }
  return problems
}

const SUBJECTS = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const

function authMethodProblems(
  metadata: ClientMetadata,
  offered: readonly TokenEndpointAuthMethod[],
): RegistrationProblem[] {
  const { token_endpoint_auth_method: method, jwks, jwks_uri } = metadata
  const field = 'token_endpoint_auth_method'
  if (!offered.includes(method)) {
    return [{ field, message: `${method} is not offered; there is ${offered.join(', ')}` }]
  }
  const by_key = method === 'private_key_jwt' || method === 'self_signed_tls_client_auth'
  // OpenID Connect Core §9, RFC 8705 §2.2.2: the registered keys are what these are verified with.
  if (by_key && jwks === undefined && jwks_uri === undefined) {
    return [{ field, message: `${method} needs jwks or jwks_uri` }]
  }
  // RFC 8705 §2.1.2: a client using tls_client_auth MUST use exactly one of these.
  if (method === 'tls_client_auth' && SUBJECTS.filter((name) => metadata[name] !== undefined).length !== 1) {
    return [{ field, message: `tls_client_auth needs exactly one of ${SUBJECTS.join(', ')}` }]
  }
  return []
}

function scopeProblems({ scope, subject_type }: ClientMetadata): RegistrationProblem[] {
  const field = 'scope'
  const scopes = parseScope(scope)
  if (scopes === undefined) return [{ field, message: 'is not a space-separated list of scope-tokens' }]
  const reserved = scopes.filter(isReservedScope)
  const known: readonly string[] = ADMIN_SCOPES
  const problems = reserved
    .filter((name) => !known.includes(name))
    .map((name) => ({ field, message: `${name} is reserved; there is ${known.join(', ')}` }))
  // Administration is by account, and such a client is not to learn who somebody is.
  if (subject_type === 'pairwise' && reserved.length > 0) {
    problems.push({ field, message: 'a client with pairwise subjects has none of the admin API' })
  }
  return problems
}

function resourceProblems(resources: readonly string[], known: ReadonlySet<string>): RegistrationProblem[] {
  return resources
    .filter((resource) => resource !== ANY && !known.has(resource))
    .map((resource) => ({ field: 'resources', message: `${resource} is not registered; register the resource first` }))
}

function confidentialProblems(metadata: ClientMetadata): RegistrationProblem[] {
  if (isConfidential(metadata)) return []
  const problems: RegistrationProblem[] = []
  // OAuth 2.1 §7.5.1: only a confidential client may rely on the nonce instead.
  if (!metadata.require_pkce) problems.push({ field: 'require_pkce', message: 'is needed with the method none' })
  if (metadata.may_impersonate === true) {
    problems.push({ field: 'may_impersonate', message: 'is for clients that authenticate' })
  }
  return problems
}

function isSenderConstrained(metadata: ClientMetadata): boolean {
  return metadata.dpop_bound_access_tokens === true || metadata.tls_client_certificate_bound_access_tokens === true
}

function refreshTokenProblems(metadata: ClientMetadata): RegistrationProblem[] {
  const { refresh_token_profile: profile, reuse_window_seconds: window } = metadata
  const { refresh_token_idle_seconds: idle, refresh_token_absolute_seconds: absolute } = metadata
  const problems: RegistrationProblem[] = []
  // RFC 9700 §2.2.2: refresh tokens MUST be sender-constrained or use refresh token rotation.
  if (profile === 'fixed' && !(isConfidential(metadata) && isSenderConstrained(metadata))) {
    const message =
      'fixed needs a client that authenticates and has dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens'
    problems.push({ field: 'refresh_token_profile', message })
  }
  if (window !== undefined && window > LONGEST_WINDOW[profile]) {
    const message = `is at most ${LONGEST_WINDOW[profile]} with the profile ${profile}`
    problems.push({ field: 'reuse_window_seconds', message })
  }
  if (idle !== undefined && absolute !== undefined && idle > absolute) {
    problems.push({ field: 'refresh_token_idle_seconds', message: 'is more than refresh_token_absolute_seconds' })
  }
  return problems
}

const FAPI2_METHODS: readonly TokenEndpointAuthMethod[] = [
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
]

const SIGNED = [
  'token_endpoint_auth_signing_alg',
  'request_object_signing_alg',
  'id_token_signed_response_alg',
  'userinfo_signed_response_alg',
  'introspection_signed_response_alg',
  'authorization_signed_response_alg',
] as const

/** @see [FAPI 2.0 Security Profile §5.3.2](https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2) */
function fapi2Problems(metadata: ClientMetadata): RegistrationProblem[] {
  const { token_endpoint_auth_method, require_pkce } = metadata
  const problems: RegistrationProblem[] = []
  if (!FAPI2_METHODS.includes(token_endpoint_auth_method)) {
    const message = `is one of ${FAPI2_METHODS.join(', ')} under the profile fapi2`
    problems.push({ field: 'token_endpoint_auth_method', message })
  }
  if (!isSenderConstrained(metadata)) {
    const message = 'or tls_client_certificate_bound_access_tokens is needed under the profile fapi2'
    problems.push({ field: 'dpop_bound_access_tokens', message })
  }
  if (!require_pkce) problems.push({ field: 'require_pkce', message: 'is needed under the profile fapi2' })
  // §5.4.1: PS256, ES256 or EdDSA.
  const weak = SIGNED.filter((name) => metadata[name] === 'RS256')
  return [...problems, ...weak.map((field) => ({ field, message: 'is not RS256 under the profile fapi2' }))]
}
