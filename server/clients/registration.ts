import { offeredAuthMethods } from '../client_auth/index.ts'
import type { Deps } from '../deps.ts'
import { grantTypes } from '../grant_types/index.ts'
import type { Client, ClientMetadata } from '../protocol/client.ts'
import { metadataProblems, type RegistrationProblem } from '../protocol/client_registration.ts'
import { isOfSector } from '../protocol/client_uris_registration.ts'
import { normalizedResource } from '../protocol/resource_registration.ts'
import { builtInResources } from '../tokens/resources.ts'

export type RegistrationDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'outbound'>

/** The grant types that a client can be registered for. */
export const offeredGrantTypes: () => readonly string[] = () => grantTypes.map(({ grant_type }) => grant_type)

/**
 * Everything that is wrong with the metadata of a client that is about to be stored; none: the keys are there that its
 * tokens are signed with.
 *
 * @param existing what is to change; undefined for a new client
 * @param resources those that may be named besides the registered ones
 */
export async function registrationProblems(
  deps: RegistrationDeps,
  metadata: ClientMetadata,
  existing: Client | undefined,
  resources: readonly string[] = [],
): Promise<RegistrationProblem[]> {
  const problems = metadataProblems(metadata, {
    grant_types: offeredGrantTypes(),
    token_endpoint_auth_methods: offeredAuthMethods(deps.config),
    resources: await knownResources(deps, metadata.resources, resources),
    profile: deps.config.profile,
    outbound_allow: deps.config.outbound.allow,
  })
  if (problems.length > 0) return problems
  const sector = await sectorProblems(deps, metadata, existing)
  if (sector.length === 0) await ensureKeys(deps, metadata)
  return sector
}

async function knownResources(
  deps: Pick<Deps, 'config' | 'store'>,
  asked: readonly string[],
  others: readonly string[],
): Promise<ReadonlySet<string>> {
  const { default_resource, admin_resource } = builtInResources(deps.config)
  const registered = await deps.store.findResources(asked.filter((name) => normalizedResource(name) !== undefined))
  return new Set([default_resource, admin_resource, ...others, ...registered.map(({ resource }) => resource)])
}

/** OpenID Connect Registration §5: the server MUST check that the document names every redirect URI. */
async function sectorProblems(
  { outbound }: Pick<Deps, 'outbound'>,
  { sector_identifier_uri, redirect_uris }: ClientMetadata,
  existing: Client | undefined,
): Promise<RegistrationProblem[]> {
  const unchanged =
    existing?.sector_identifier_uri === sector_identifier_uri &&
    redirect_uris.every((uri) => existing?.redirect_uris.includes(uri))
  if (sector_identifier_uri === undefined || unchanged) return []
  const field = 'sector_identifier_uri'
  try {
    const { json } = await outbound.getJson(sector_identifier_uri)
    return isOfSector(json, redirect_uris) ? [] : [{ field, message: 'does not name all of the redirect_uris' }]
  } catch {
    return [{ field, message: 'could not be fetched' }]
  }
}

const SIGNED_BY_US = ['id_token', 'userinfo', 'introspection', 'authorization'] as const

/** So that they have been published for a while when they first sign. */
async function ensureKeys({ keys }: Pick<Deps, 'keys'>, metadata: ClientMetadata): Promise<void> {
  for (const kind of SIGNED_BY_US) {
    const alg = metadata[`${kind}_signed_response_alg`]
    if (alg !== undefined) await keys.ensure(alg)
  }
}
