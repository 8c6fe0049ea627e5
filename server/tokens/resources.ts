import type { Deps } from '../deps.ts'
import type { Account } from '../protocol/account.ts'
import { NO_CLAIMS } from '../protocol/claim_mapping.ts'
import type { Client } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { Resource } from '../protocol/resource.ts'
import { ADMIN_SCOPES, PERSON_SCOPES } from '../protocol/scope.ts'
import {
  type BuiltInResources,
  type Granted,
  normalizeResource,
  resourcesAskedFor,
  selectTarget,
  type Target,
} from '../protocol/target.ts'
import type { Page } from '../storage/records.ts'

/** The resources that are always there: this server's own two, and the default one even when nobody registered it. */
export function builtInResources(config: Deps['config']): BuiltInResources {
  return {
    default_resource: config.tokens.default_resource ?? config.issuer,
    admin_resource: `${config.issuer}/admin/api`,
    userinfo_resource: `${config.issuer}/userinfo`,
  }
}

/** Each is looked up, and a token for many is a token too many. */
const MAX_RESOURCES = 32

/** Resolves what a request names (`resource`, `scope`) to what its token will be for. @throws {OAuthError} */
export async function resolveTarget(
  deps: Pick<Deps, 'config' | 'store'>,
  parties: { client: Client; account: Account | null; granted?: Granted },
  request: { resource: readonly string[]; scope: string | undefined },
): Promise<Target> {
  if (request.resource.length > MAX_RESOURCES) throw new OAuthError('invalid_target', 'too many resources')
  const builtIn = builtInResources(deps.config)
  const resource = request.resource.map(normalizeResource)
  const resources = resourcesAskedFor(
    { resource, scope: request.scope },
    { ...builtIn, ...(parties.granted === undefined ? {} : { granted: parties.granted.resources }) },
  )
  const found = await findResources(deps, resources)
  return selectTarget(
    parties,
    { resources, found, scope: request.scope },
    { ...builtIn, access_token_seconds: deps.config.tokens.access_token_seconds },
  )
}

/** Looks resources up, registered or built in, in the order asked. */
export async function findResources(
  deps: Pick<Deps, 'config' | 'store'>,
  resources: readonly string[],
): Promise<Resource[]> {
  const { default_resource, admin_resource, userinfo_resource } = builtInResources(deps.config)
  const own: readonly Resource[] = [
    { ...BARE, resource: admin_resource, scopes: ADMIN_SCOPES },
    { ...BARE, resource: userinfo_resource, scopes: PERSON_SCOPES },
  ]
  const others = resources.filter((resource) => own.every((known) => known.resource !== resource))
  const registered = others.length === 0 ? [] : await deps.store.findResources(others)
  const known = [...own, ...registered, { ...BARE, resource: default_resource, scopes: null }]
  return resources.flatMap((resource) => known.find((row) => row.resource === resource) ?? [])
}

const PAGE_ROWS = 200

/** Every registered resource: for what is asked seldom. */
export async function allResources({ store }: Pick<Deps, 'store'>): Promise<Resource[]> {
  const resources: Resource[] = []
  let cursor: string | null = null
  do {
    const page: Page<Resource> = await store.listResources({ limit: PAGE_ROWS, cursor })
    resources.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null)
  return resources
}

const BARE = {
  access_token_seconds: null,
  signing_alg: 'RS256',
  introspection_clients: [],
  authorization_details_types: [],
  claims: NO_CLAIMS,
  token_typ: 'at+jwt',
  created_at: 0,
  updated_at: 0,
} as const
