import { type Account, ADMIN_ROLE } from './account.ts'
import type { AuthorizationDetail } from './authorization_request.ts'
import { type ClaimMapping, MAX_MAPPED_BYTES, mappedBytes, mergeMappings } from './claim_mapping.ts'
import type { Client } from './client.ts'
import { OAuthError } from './errors.ts'
import type { Resource, SigningAlgorithm, TokenTyp } from './resource.ts'
import { ADMIN_SCOPES, ANY, formatScope, isPersonScope, isReservedScope, parseScope } from './scope.ts'
import type { Seconds } from './time.ts'

/**
 * What a token is for: the resources it names, the scope it carries there, how long it lives and how it is signed.
 *
 * @see [RFC 8707 §2.2](https://www.rfc-editor.org/rfc/rfc8707#section-2.2)
 */
export interface Target {
  /** Becomes `aud`. Never empty. */
  readonly resources: readonly string[]
  readonly scope: string
  /** What was granted of it that means something at these resources, and is still for this client (RFC 9396 §9, §10). */
  readonly authorization_details: readonly AuthorizationDetail[]
  readonly access_token_seconds: Seconds
  readonly signing_alg: SigningAlgorithm
  readonly token_typ: TokenTyp
  readonly claims: ClaimMapping
}

/** What a grant holds already: a request may narrow it and never widen it. */
export interface Granted {
  readonly scope: string
  readonly resources: readonly string[]
  readonly authorization_details: readonly AuthorizationDetail[]
}

/** The resources that are there without being registered. */
export interface BuiltInResources {
  readonly default_resource: string
  readonly admin_resource: string
  readonly userinfo_resource: string
}

export interface TargetRequest {
  /** Each as {@link normalizeResource} gave it. */
  readonly resource: readonly string[]
  readonly scope: string | undefined
}

/**
 * The URI that a `resource` parameter names. Only the slash of an empty path is normalised away: clients' URL types
 * add it, and the rest is compared as a string.
 *
 * @throws {OAuthError} `invalid_target` unless it is an absolute URI without a fragment (RFC 8707 §2)
 */
export function normalizeResource(resource: string): string {
  if (!URL.canParse(resource) || resource.includes('#')) {
    throw new OAuthError('invalid_target', 'a resource must be an absolute URI without a fragment')
  }
  return resource.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?]+)\/$/i, '$1')
}

/**
 * Which resources a request is about, before they are looked up.
 * None named: those already granted; else the admin API when only its scopes are asked for; else the default one.
 */
export function resourcesAskedFor(
  request: TargetRequest,
  defaults: { granted?: readonly string[] } & Pick<BuiltInResources, 'default_resource' | 'admin_resource'>,
): readonly string[] {
  if (request.resource.length > 0) return [...new Set(request.resource)]
  if (defaults.granted !== undefined) return defaults.granted
  const scopes = parseScope(request.scope ?? '') ?? []
  const administers = scopes.length > 0 && scopes.every(isReservedScope)
  return [administers ? defaults.admin_resource : defaults.default_resource]
}

/**
 * Decides what a token will be for.
 *
 * @param parties.granted what the grant already holds; a request may narrow it and never widen it (RFC 6749 §6)
 * @param asked.resources the resources found, in the order of {@link resourcesAskedFor}; one that is not registered is missing
 * @throws {OAuthError} `invalid_target`, `invalid_scope`
 */
export function selectTarget(
  parties: { client: Client; account: Account | null; granted?: Granted },
  asked: { resources: readonly string[]; found: readonly Resource[]; scope: string | undefined },
  defaults: BuiltInResources & { readonly access_token_seconds: Seconds },
): Target {
  const { client, account, granted } = parties
  for (const resource of asked.resources) {
    const detail = whyUnavailable(parties, resource, asked.found, defaults)
    // Which resources there are is nobody's business: one description for all of these.
    if (detail !== undefined) {
      throw new OAuthError('invalid_target', 'the resource is not available to this client', { detail })
    }
  }
  const [first] = asked.found
  if (first === undefined) throw new OAuthError('invalid_target', 'no resource was named')
  // One token has one signature, one header and one set of claims: resources that want different ones need a token each.
  const claims = mergeMappings(asked.found.map((found) => found.claims))
  const alike = asked.found.every(
    ({ signing_alg, token_typ }) => signing_alg === first.signing_alg && token_typ === first.token_typ,
  )
  if (claims === undefined || !alike) {
    const wanted = ({ resource, signing_alg, token_typ }: Resource) => `${resource} wants ${signing_alg}, ${token_typ}`
    const detail = `${asked.found.map(wanted).join(', ')}${claims === undefined ? ', and other claims' : ''}`
    throw new OAuthError('invalid_target', 'these resources cannot share a token; ask for one at a time', { detail })
  }
  const admin = asked.resources.includes(defaults.admin_resource)
  const held = scopesHeld(client, account, asked.found, admin, granted?.scope)
  const scope = grantedScope(asked.scope, held)
  assertClaimsFit(claims, { client, account, scope }, asked.resources)
  return {
    resources: asked.resources,
    scope,
    authorization_details: (granted?.authorization_details ?? []).filter(
      ({ type }) =>
        client.authorization_details_types?.includes(type) &&
        asked.found.some((found) => found.authorization_details_types.includes(type)),
    ),
    access_token_seconds: Math.min(
      ...asked.found.map((found) => found.access_token_seconds ?? defaults.access_token_seconds),
    ),
    signing_alg: first.signing_alg,
    token_typ: first.token_typ,
    claims,
  }
}

/**
 * A token that nobody could read is not begun: afterwards the refresh token would be rotated, or the code used up.
 *
 * @throws {OAuthError} `invalid_target`
 */
function assertClaimsFit(
  claims: ClaimMapping,
  from: { client: Client; account: Account | null; scope: string },
  resources: readonly string[],
): void {
  const bytes = mappedBytes(claims, from)
  if (bytes <= MAX_MAPPED_BYTES) return
  const whom = from.account === null ? `client ${from.client.client_id}` : `account ${from.account.account_id}`
  const detail = `the claims of ${resources.join(' ')} come to ${bytes} bytes for ${whom}, ${MAX_MAPPED_BYTES} at most`
  throw new OAuthError('invalid_target', 'the access token for this resource would be too long', { detail })
}

/** @returns for the log and whoever has to change something; undefined: nothing stands in the way */
function whyUnavailable(
  { client, account, granted }: { client: Client; account: Account | null; granted?: Granted },
  resource: string,
  found: readonly Resource[],
  defaults: BuiltInResources,
): string | undefined {
  const { client_id } = client
  if (!found.some((known) => known.resource === resource)) return `${resource} is not registered as a resource`
  if (granted !== undefined && !granted.resources.includes(resource)) {
    return `${resource} is not among what was granted: ${granted.resources.join(' ')}`
  }
  if (resource === defaults.admin_resource) {
    if (ADMIN_SCOPES.some((scope) => mayHold(client, account, scope))) return undefined
    const whose = account === null ? '' : ` by account ${account.account_id}, which needs the role ${ADMIN_ROLE}`
    return `the admin API is for clients with one of its scopes: client ${client_id} has none that it may use${whose}`
  }
  if (resource === defaults.userinfo_resource) {
    return mayHold(client, account, 'openid') ? undefined : `UserInfo needs the scope openid, which ${client_id} lacks`
  }
  const allowed = [resource, ANY].some((name) => client.resources.includes(name))
  if (allowed || resource === defaults.default_resource) return undefined
  return `${resource} is not among the resources of client ${client_id}`
}

/** Whether the client may be given a scope, for this account or (null) for itself. */
function mayHold(client: Client, account: Account | null, scope: string): boolean {
  const registered = parseScope(client.scope) ?? []
  if (!isReservedScope(scope)) return registered.includes(scope) || registered.includes(ANY)
  // Nobody grants what they lack: for an account, the admin API's scopes come with the role.
  return registered.includes(scope) && (account === null || account.roles.includes(ADMIN_ROLE))
}

interface ScopesHeld {
  /** Where they are held, by name. */
  readonly resources: readonly string[]
  readonly has: (scope: string) => boolean
  /** Whether the client may ask for it anywhere. */
  readonly registered: (scope: string) => boolean
  /** What is granted when no scope is asked for. */
  readonly all: readonly string[]
  /** What may be asked for at all: for the log, which never repeats what a stranger has sent. */
  readonly names: readonly string[]
}

function scopesHeld(
  client: Client,
  account: Account | null,
  resources: readonly Resource[],
  admin: boolean,
  granted: string | undefined,
): ScopesHeld {
  const grantedScopes = granted === undefined ? undefined : (parseScope(granted) ?? [])
  const registered = (scope: string) => grantedScopes?.includes(scope) ?? mayHold(client, account, scope)
  const knownThere = (scope: string) =>
    isReservedScope(scope)
      ? admin
      : resources.some((resource) => resource.scopes === null || resource.scopes.includes(scope))
  const meaningful = (scope: string) => isPersonScope(scope) || knownThere(scope)
  const has = (scope: string) => registered(scope) && mayHold(client, account, scope) && meaningful(scope)
  const candidates = grantedScopes ?? [
    ...(parseScope(client.scope) ?? []),
    ...resources.flatMap((resource) => resource.scopes ?? []),
  ]
  // Nothing about a person is granted at a resource of its own accord: only what was asked for once.
  const unasked = grantedScopes === undefined ? knownThere : meaningful
  return {
    resources: resources.map(({ resource }) => resource),
    has,
    registered,
    all: candidates.filter((scope) => scope !== ANY && has(scope) && unasked(scope)),
    names: grantedScopes ?? parseScope(client.scope) ?? [],
  }
}

function grantedScope(asked: string | undefined, held: ScopesHeld): string {
  if (asked === undefined) return formatScope(held.all)
  const scopes = parseScope(asked)
  if (scopes === undefined) throw new OAuthError('invalid_scope', 'the scope is malformed')
  if (!scopes.every(held.registered)) {
    const beyond = scopes.filter((scope) => !held.registered(scope))
    const detail = `${beyond.length} of ${scopes.length} are not among: ${formatScope(held.names)}`
    throw new OAuthError('invalid_scope', 'the scope exceeds what was granted to this client', { detail })
  }
  // RFC 6749 §3.3: the server MAY ignore part of the scope, here what means nothing at these resources; the response says so.
  const kept = scopes.filter(held.has)
  if (kept.length === 0 && scopes.length > 0) {
    const detail = `${scopes.length} unknown at ${held.resources.join(' ')}`
    throw new OAuthError('invalid_scope', 'none of these scopes is known at the resource', { detail })
  }
  return formatScope(kept)
}
