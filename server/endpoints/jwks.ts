import { issuerPath } from '../protocol/server_metadata.ts'
import type { Endpoint } from './endpoint.ts'

// Verifiers cache for five minutes, and caches in front of us keep serving through an outage of a week.
const CACHE_CONTROL = 'public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800'

/**
 * The JWK Set, from memory: it must be nearly free to serve, since some verifiers ask once for every unknown `kid`.
 *
 * @see [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)
 */
export const jwks: Endpoint = {
  name: 'jwks_uri',
  spec: 'RFC 7517 §5',
  scope: 'public',
  metadata: ({ issuer }) => ({ jwks_uri: `${issuer}/.well-known/jwks.json` }),
  plugin: (deps) => async (app) => {
    const path = `${issuerPath(deps.config.issuer)}/.well-known/jwks.json`
    app.get<{ Querystring: { resource?: unknown } }>(path, (request, reply) => {
      const { body, etag, kids } = deps.keys.jwks
      // HEAD hands out nothing; who revalidates has the set already.
      if (request.method === 'GET') {
        const { ip, headers, query } = request
        deps.fetchLedger.note({ ip, user_agent: headers['user-agent'], resource: query.resource }, kids)
      }
      reply.header('cache-control', CACHE_CONTROL).header('etag', etag)
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type('application/json').send(body)
    })
  },
}
