/**
 * Which resources can be registered.
 *
 * @see [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2)
 */
import { type ClaimMapping, claimMappingProblems, NO_CLAIMS } from './claim_mapping.ts'
import type { Resource, SigningAlgorithm, TokenTyp } from './resource.ts'
import { ANY, isReservedScope, parseScope } from './scope.ts'
import { normalizeResource } from './target.ts'
import type { Seconds } from './time.ts'

/** What is asked for. A member left out keeps its value, or gets its default. */
export interface ResourceRegistration {
  readonly resource: string
  readonly scopes?: readonly string[] | null
  readonly access_token_seconds?: Seconds | null
  readonly signing_alg?: SigningAlgorithm
  readonly introspection_clients?: readonly string[]
  readonly authorization_details_types?: readonly string[]
  readonly claims?: ClaimMapping
  readonly token_typ?: TokenTyp
}

/** The resource as it is stored and compared; undefined when it is no absolute URI without a fragment. */
export function normalizedResource(resource: string): string | undefined {
  try {
    return normalizeResource(resource)
  } catch {
    return undefined
  }
}

/**
 * The resource that a registration asks for.
 *
 * @param existing what it changes; undefined for a new one
 * @param admin_resource this server's own API, which has its values by construction
 */
export function registeredResource(
  existing: Resource | undefined,
  asked: ResourceRegistration,
  admin_resource: string,
  now: Seconds,
):
  | { readonly value: Resource }
  | { readonly problems: readonly { readonly field: string; readonly message: string }[] } {
  const resource = normalizedResource(asked.resource)
  const scopes = asked.scopes === undefined ? (existing?.scopes ?? null) : asked.scopes
  const problems: { field: string; message: string }[] = []
  const refuse = (field: string, message: string) => problems.push({ field, message })

  if (resource === undefined) refuse('resource', 'is not an absolute URI without a fragment')
  if (resource === admin_resource) refuse('resource', 'is the admin API itself, which cannot be changed')
  for (const scope of scopes ?? []) {
    if (parseScope(scope)?.length !== 1 || scope.includes(' ') || scope === ANY) {
      refuse('scopes', `${JSON.stringify(scope)} is not a scope-token`)
    } else if (isReservedScope(scope)) refuse('scopes', `${scope} is reserved for the admin API`)
  }
  for (const problem of claimMappingProblems(asked.claims ?? NO_CLAIMS)) refuse('claims', problem)
  if (resource === undefined || problems.length > 0) return { problems }
  return {
    value: {
      resource,
      scopes: scopes === null ? null : [...new Set(scopes)],
      access_token_seconds:
        asked.access_token_seconds === undefined
          ? (existing?.access_token_seconds ?? null)
          : asked.access_token_seconds,
      signing_alg: asked.signing_alg ?? existing?.signing_alg ?? 'RS256',
      introspection_clients: [...new Set(asked.introspection_clients ?? existing?.introspection_clients ?? [])],
      authorization_details_types: [
        ...new Set(asked.authorization_details_types ?? existing?.authorization_details_types ?? []),
      ],
      claims: asked.claims ?? existing?.claims ?? NO_CLAIMS,
      token_typ: asked.token_typ ?? existing?.token_typ ?? 'at+jwt',
      created_at: existing?.created_at ?? now,
      updated_at: now,
    },
  }
}
