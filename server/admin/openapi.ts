import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Deps } from '../deps.ts'
import { ADMIN_SCOPES } from '../protocol/scope.ts'
import { builtInResources } from '../tokens/resources.ts'

const DESCRIPTIONS = { 'gatehouse:read': 'See everything but secrets', 'gatehouse:write': 'Change everything' }

/**
 * Describes the routes that are registered after it, from the schemas that they run by. It holds no secret, so anybody
 * may read it.
 *
 * @see [OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.1.html)
 */
export async function openapi(app: FastifyInstance, { config }: Pick<Deps, 'config'>): Promise<void> {
  const { issuer } = config
  await app.register(fastifySwagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.1',
      info: { title: 'Gatehouse admin API', version: '1' },
      servers: [{ url: builtInResources(config).admin_resource }],
      components: {
        securitySchemes: {
          gatehouse: {
            type: 'oauth2',
            flows: { clientCredentials: { tokenUrl: `${issuer}/token`, scopes: DESCRIPTIONS } },
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const scope = route.config?.scope
      const security = ADMIN_SCOPES.some((known) => known === scope) ? [{ gatehouse: [String(scope)] }] : []
      return { schema: { ...schema, security }, url }
    },
  })
  app.get(
    '/openapi.json',
    { config: { scope: 'public' }, schema: { tags: ['openapi'], operationId: 'readOpenapi' } },
    () => app.swagger(),
  )
}
