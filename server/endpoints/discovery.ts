import type { Config } from '../../config/schema.ts'
import { issuerPath, type ServerMetadata } from '../protocol/server_metadata.ts'
import type { Endpoint } from './endpoint.ts'

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
    plugin:
      ({ config }) =>
      async (app) => {
        const document = serverMetadata(config, endpoints)
        for (const path of metadataPaths(config.issuer)) {
          app.get(path, (_request, reply) => reply.header('cache-control', CACHE_CONTROL).send(document))
        }
      },
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
