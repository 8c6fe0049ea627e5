import type { Config } from '../../config/schema.ts'
import { responseAlgorithms } from '../protocol/id_token.ts'
import { type ProtectedResourceMetadata, protectedResourceMetadataUrl } from '../protocol/protected_resource.ts'
import { ADMIN_SCOPES, PERSON_SCOPES } from '../protocol/scope.ts'
import { proofAlgorithms } from '../tokens/confirmation.ts'
import { builtInResources } from '../tokens/resources.ts'
import type { Endpoint } from './endpoint.ts'

const CACHE_CONTROL = 'public, max-age=300, stale-while-revalidate=86400'

/**
 * The descriptions of the resources that this server guards itself: who holds a challenge finds its authorization
 * server here.
 *
 * @see [RFC 9728 §3](https://www.rfc-editor.org/rfc/rfc9728#section-3)
 */
export const protectedResourceMetadata: Endpoint = {
  name: 'protected_resource_metadata',
  spec: 'RFC 9728 §3',
  scope: 'public',
  // RFC 9728 §4
  metadata: (config) => ({ protected_resources: describeResources(config).map(({ resource }) => resource) }),
  plugin:
    ({ config }) =>
    async (app) => {
      for (const description of describeResources(config)) {
        const { pathname } = new URL(protectedResourceMetadataUrl(description.resource))
        app.get(pathname, (_request, reply) => reply.header('cache-control', CACHE_CONTROL).send(description))
      }
    },
}

function describeResources(config: Config): ProtectedResourceMetadata[] {
  const { admin_resource, userinfo_resource } = builtInResources(config)
  const common = {
    authorization_servers: [config.issuer],
    dpop_signing_alg_values_supported: proofAlgorithms(config),
    tls_client_certificate_bound_access_tokens: true,
  }
  return [
    {
      ...common,
      resource: userinfo_resource,
      scopes_supported: PERSON_SCOPES,
      bearer_methods_supported: ['header', 'body'],
      resource_name: 'UserInfo',
      resource_signing_alg_values_supported: responseAlgorithms(config.profile),
    },
    {
      ...common,
      resource: admin_resource,
      scopes_supported: ADMIN_SCOPES,
      bearer_methods_supported: ['header'],
      resource_name: 'Gatehouse admin API',
    },
  ]
}
