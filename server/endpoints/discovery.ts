import type { Config } from '../../config/schema.ts'
import { toOAuthError } from '../http/fault.ts'
import { issuerPath, type ServerMetadata } from '../protocol/server_metadata.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

/** How old the list of what resources register may be. */
const TYPES_SECONDS = 60

const CACHE_CONTROL = 'public, max-age=300, stale-while-revalidate=86400'

/**
 * Discovery, put together from what the endpoints say of themselves.
 *
 * @param endpoints the registry, without this entry
 * @see [RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)
 * @see [OpenID Connect Discovery 1.0 §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)
 */
export function discovery(endpoints: readonly Endpoint[]): Endpoint {
  return {
    name: 'discovery',
    spec: 'RFC 8414 §3',
    scope: 'public',
    metadata: ({ issuer }) => ({ issuer }),
    plugin: (deps) => async (app) => {
      const { config } = deps
      const fixed = serverMetadata(config, endpoints)
      const detailsTypes = knownDetailsTypes(deps)
      for (const path of metadataPaths(config.issuer)) {
        app.get(path, async (_request, reply) => {
          const types = await detailsTypes()
          const document = types.length === 0 ? fixed : { ...fixed, authorization_details_types_supported: types }
          return reply.header('cache-control', CACHE_CONTROL).send(document)
        })
      }
    },
  }
}

/**
 * The types of `authorization_details` that a registered resource has (RFC 9396 §10), read once in a while: whoever takes
 * discovery costs the database nothing. While that does not answer, it is those that were read last.
 */
function knownDetailsTypes({ store, clock }: Pick<EndpointDeps, 'store' | 'clock'>): () => Promise<readonly string[]> {
  let known: Promise<readonly string[]> = Promise.resolve([])
  let next_read = 0
  return () => {
    if (clock.now() < next_read) return known
    next_read = clock.now() + TYPES_SECONDS
    const before = known
    known = store.detailsTypesInUse().catch((thrown: unknown) => {
      if (toOAuthError(thrown).code !== 'temporarily_unavailable') throw thrown
      return before
    })
    return known
  }
}

/** What is really there, under this configuration. */
export function serverMetadata(config: Config, endpoints: readonly Endpoint[]): Partial<ServerMetadata> {
  const parts = endpoints.map((endpoint) => endpoint.metadata(config))
  return {
    issuer: config.issuer,
    ...Object.assign({}, ...parts),
  }
}

/** For an issuer with a path, RFC 8414 §3.1 puts the well-known name in front of it and OpenID Connect behind. */
function metadataPaths(issuer: string): string[] {
  const path = issuerPath(issuer)
  const oauth = '/.well-known/oauth-authorization-server'
  const openid = '/.well-known/openid-configuration'
  return path === '' ? [oauth, openid] : [`${oauth}${path}`, `${openid}${path}`, `${path}${openid}`]
}
