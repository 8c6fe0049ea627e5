import type { FastifyInstance } from 'fastify'

const YEAR = 31_536_000

/** Headers on every answer. A scope adds its own: caching, CORS, the pages' policy. */
export function setSecurityHeaders(app: FastifyInstance, issuer: string): void {
  const https = issuer.startsWith('https:')
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
    reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    if (https) reply.header('strict-transport-security', `max-age=${YEAR}; includeSubDomains`)
  })
}

/**
 * What holds or refuses a credential is never stored on the way.
 *
 * @see [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
 */
export function forbidStoring(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    reply.header('pragma', 'no-cache')
  })
}
