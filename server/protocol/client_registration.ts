/**
 * Which clients can be registered, in the words of RFC 7591 and this server's own.
 *
 * @see [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)
 */
import {
  CLIENT_DEFAULTS,
  type ClientMetadata,
  type RefreshTokenProfile,
  type TokenEndpointAuthMethod,
} from './client.ts'
import { normalizedResource } from './resource_registration.ts'
import { ADMIN_SCOPES, ANY, formatScope, isReservedScope, parseScope } from './scope.ts'

/** Stands in the tokens that the command line makes for itself. No client can have it. */
export const CLI_CLIENT_ID = 'gatehouse-cli'

/** Members of RFC 7591 that mean nothing here yet: taken, forgotten, and named in the answer. */
export const IGNORED_MEMBERS = [
  'redirect_uris',
  'response_types',
  'client_uri',
  'logo_uri',
  'contacts',
  'tos_uri',
  'policy_uri',
  'jwks_uri',
  'jwks',
  'software_id',
  'software_version',
] as const

/** What is asked for. A member left out keeps its value, or gets its default; null takes it away. */
export interface ClientRegistration {
  readonly client_name?: string | null
  readonly grant_types?: readonly string[]
  readonly token_endpoint_auth_method?: TokenEndpointAuthMethod
  readonly scope?: string
  readonly resources?: readonly string[]
  readonly first_party?: boolean
  readonly refresh_token_profile?: RefreshTokenProfile
  readonly refresh_token_idle_seconds?: number | null
  readonly refresh_token_absolute_seconds?: number | null
  readonly reuse_window_seconds?: number | null
}

export interface RegistrationProblem {
  readonly field: string
  readonly message: string
}

const LONGEST_WINDOW: Readonly<Record<RefreshTokenProfile, number>> = {
  strict: 0,
  standard: 60,
  resilient: 3600,
  fixed: 0,
}

/** The metadata that a registration asks for. @param existing what it changes; undefined for a new client */
export function registeredMetadata(existing: ClientMetadata | undefined, asked: ClientRegistration): ClientMetadata {
  const merged = { ...DEFAULTS, ...existing, ...asked }
  const { client_name, refresh_token_idle_seconds, refresh_token_absolute_seconds, reuse_window_seconds } = merged
  const scopes = parseScope(merged.scope)
  return {
    ...CLIENT_DEFAULTS,
    ...(client_name == null ? {} : { client_name }),
    grant_types: [...new Set(merged.grant_types)],
    token_endpoint_auth_method: merged.token_endpoint_auth_method,
    scope: scopes === undefined ? merged.scope : formatScope(scopes),
    resources: [...new Set(merged.resources.map((resource) => normalizedResource(resource) ?? resource))],
    first_party: merged.first_party,
    refresh_token_profile: merged.refresh_token_profile,
    ...(refresh_token_idle_seconds == null ? {} : { refresh_token_idle_seconds }),
    ...(refresh_token_absolute_seconds == null ? {} : { refresh_token_absolute_seconds }),
    ...(reuse_window_seconds == null ? {} : { reuse_window_seconds }),
  }
}

// RFC 7591 §2: the default method is client_secret_basic. Its default grant type is not offered here, so there is none.
const DEFAULTS: ClientMetadata = {
  ...CLIENT_DEFAULTS,
  grant_types: [],
  token_endpoint_auth_method: 'client_secret_basic',
  scope: '',
  resources: [],
  first_party: false,
  refresh_token_profile: 'standard',
}

/**
 * Everything that is wrong with a client's metadata.
 *
 * @param offered what the registries of grant types and resources hold
 */
export function metadataProblems(
  metadata: ClientMetadata,
  offered: { readonly grant_types: readonly string[]; readonly resources: ReadonlySet<string> },
): RegistrationProblem[] {
  return [
    ...grantTypeProblems(metadata, offered.grant_types),
    ...scopeProblems(metadata.scope),
    ...resourceProblems(metadata.resources, offered.resources),
    ...refreshTokenProblems(metadata),
  ]
}

function grantTypeProblems(metadata: ClientMetadata, offered: readonly string[]): RegistrationProblem[] {
  const field = 'grant_types'
  const { grant_types, token_endpoint_auth_method } = metadata
  if (grant_types.length === 0) return [{ field, message: `needs at least one of: ${offered.join(', ')}` }]
  const unknown = grant_types.filter((grant_type) => !offered.includes(grant_type))
  const problems = unknown.map((name) => ({ field, message: `${name} is not offered; there is ${offered.join(', ')}` }))
  // OAuth 2.1 §4.2: the client credentials grant MUST only be used by confidential clients.
  if (grant_types.includes('client_credentials') && token_endpoint_auth_method === 'none') {
    problems.push({ field, message: 'client_credentials needs a client that authenticates, not method none' })
  }
  return problems
}

function scopeProblems(scope: string): RegistrationProblem[] {
  const field = 'scope'
  const scopes = parseScope(scope)
  if (scopes === undefined) return [{ field, message: 'is not a space-separated list of scope-tokens' }]
  const known: readonly string[] = ADMIN_SCOPES
  return scopes
    .filter((name) => isReservedScope(name) && !known.includes(name))
    .map((name) => ({ field, message: `${name} is reserved; there is ${known.join(', ')}` }))
}

function resourceProblems(resources: readonly string[], known: ReadonlySet<string>): RegistrationProblem[] {
  return resources
    .filter((resource) => resource !== ANY && !known.has(resource))
    .map((resource) => ({ field: 'resources', message: `${resource} is not registered; register the resource first` }))
}

function refreshTokenProblems(metadata: ClientMetadata): RegistrationProblem[] {
  const { refresh_token_profile: profile, reuse_window_seconds: window } = metadata
  const { refresh_token_idle_seconds: idle, refresh_token_absolute_seconds: absolute } = metadata
  const problems: RegistrationProblem[] = []
  if (profile === 'fixed') {
    // RFC 9700 §2.2.2: refresh tokens MUST be sender-constrained or use refresh token rotation.
    const message = 'fixed is for sender-constrained clients, which are not offered yet; use standard or resilient'
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
