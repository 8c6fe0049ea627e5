/**
 * What a client may say of itself, when no administrator speaks for it: the rest is left to defaults, and what is too
 * much is cut (RFC 7591 §2: the server MAY replace any requested value).
 *
 * @see [RFC 7591 §3.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.1)
 * @see [OAuth Client ID Metadata Document §4.1](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document#section-4.1)
 */
import { isConfidential } from './client.ts'
import { operatorMembers, ownMembers, registeredMembers } from './client_metadata.ts'
import type { ClientRegistration, RegistrationProblem } from './client_registration.ts'
import { ANY, formatScope, isPersonScope, isReservedScope, parseScope } from './scope.ts'

/** The most that such a client gets (`registration.scope`, `registration.resources`), and what there is at all. */
export interface SelfRegistrationLimits {
  /** What a client that authenticates gets when it does not say (`registration.require_pkce`). */
  readonly require_pkce: boolean
  readonly scope: string
  readonly resources: readonly string[]
  readonly grant_types: readonly string[]
}

type Asked = { readonly value: ClientRegistration } | { readonly problems: readonly RegistrationProblem[] }

/** The members that a client may send; RFC 7591 §2: the server MUST ignore any that it does not understand. */
export const selfRegisteredMembers = { ...registeredMembers, ...ownMembers }

/** Out of a JSON object, the members that mean something. Those of an operator are not a client's to choose. */
export function selfRegisteredMembersOf(document: object): object {
  return Object.fromEntries(Object.entries(document).filter(([name]) => Object.hasOwn(selfRegisteredMembers, name)))
}

/** The registration that a client gets for what it asks. */
export function selfRegistration(asked: ClientRegistration, limits: SelfRegistrationLimits): Asked {
  const scope = cappedScope(asked.scope ?? undefined, limits.scope)
  if (scope === undefined) {
    return { problems: [{ field: 'scope', message: `has nothing of what is offered: ${offeredScope(limits.scope)}` }] }
  }
  const operators = Object.fromEntries(Object.keys(operatorMembers).map((name) => [name, null]))
  return {
    value: {
      ...asked,
      ...operators,
      require_pkce: asked.require_pkce ?? defaultRequirePkce(asked, limits),
      ...(asked.grant_types == null ? {} : { grant_types: known(asked.grant_types, limits.grant_types) }),
      ...(asked.response_types == null ? {} : { response_types: known(asked.response_types, ['code']) }),
      scope,
      resources: cappedResources(asked.resources ?? undefined, limits.resources),
    },
  }
}

/** OAuth 2.1 §7.5.1: only a confidential client may rely on the nonce instead. */
function defaultRequirePkce(asked: ClientRegistration, { require_pkce }: SelfRegistrationLimits): boolean {
  // RFC 7591 §2: the method is client_secret_basic by default.
  const token_endpoint_auth_method = asked.token_endpoint_auth_method ?? 'client_secret_basic'
  return require_pkce || !isConfidential({ token_endpoint_auth_method })
}

/** A client that was made for many servers names what some of them have. */
function known(asked: readonly string[], offered: readonly string[]): readonly string[] {
  return asked.filter((name) => offered.includes(name))
}

// The admin API is never given to who nobody knows, whatever is configured.
function offeredScope(limit: string): string {
  return formatScope((parseScope(limit) ?? []).filter((name) => !isReservedScope(name)))
}

function cappedScope(asked: string | undefined, limit: string): string | undefined {
  const most = parseScope(offeredScope(limit)) ?? []
  if (asked === undefined) return formatScope(most)
  const scopes = parseScope(asked)
  // Left as it is, the rules of registration say what is wrong with it.
  if (scopes === undefined || scopes.length === 0) return asked
  const kept = scopes.filter((name) => most.includes(name) || (most.includes(ANY) && !isReservedScope(name)))
  if (kept.length === 0) return undefined
  // RFC 6750 §3.1: a resource asks for its scopes as they are needed, so that a client knows but some when it registers.
  return formatScope([...kept, ...most.filter((name) => name !== ANY && !isPersonScope(name))])
}

function cappedResources(asked: readonly string[] | undefined, most: readonly string[]): readonly string[] {
  if (asked === undefined) return most
  return asked.filter((resource) => most.includes(resource) || (most.includes(ANY) && resource !== ANY))
}

/**
 * Whether a `client_id` is the address of a metadata document.
 *
 * @param allowed whether a URL that is not https may be fetched all the same (`outbound.allow`)
 * @see [OAuth Client ID Metadata Document §3](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document#section-3)
 */
export function isMetadataDocumentUrl(client_id: string, allowed: (url: string) => boolean): boolean {
  if (client_id.length > 2048 || !/^https?:\/\/[^/?#@\\]+\/[\x21-\x7e]*$/.test(client_id)) return false
  if (client_id.includes('#') || !URL.canParse(client_id) || !allowed(client_id)) return false
  // A URL parser takes dot segments away, encoded ones too: what is fetched would not be what is compared.
  return new URL(client_id).href === client_id
}

/** What a metadata document may not be, beyond the rules of registration. */
export function metadataDocumentProblems(document: object, client_id: string): RegistrationProblem[] {
  const problems: RegistrationProblem[] = []
  const refuse = (field: string, message: string) => problems.push({ field, message })
  // §4.1: MUST match the URL of the document using simple string comparison.
  if (!('client_id' in document && document.client_id === client_id)) {
    refuse('client_id', 'is not the address of the document')
  }
  // §4.1: no shared secret can be established.
  for (const name of ['client_secret', 'client_secret_expires_at']) {
    if (name in document) refuse(name, 'does not belong into a document that everybody can read')
  }
  const method = 'token_endpoint_auth_method' in document ? document.token_endpoint_auth_method : undefined
  if (typeof method === 'string' && method.startsWith('client_secret_')) {
    refuse('token_endpoint_auth_method', 'needs a secret, which a document that everybody can read cannot have')
  }
  return problems
}
