import type { FastifyInstance } from 'fastify'

const YEAR = 31_536_000

/** Headers on every answer. A scope adds its own: caching, CORS, the pages' policy. */
export function securityHeaders(issuer: string): Readonly<Record<string, string>> {
  const https = issuer.startsWith('https:')
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    ...(https ? { 'strict-transport-security': `max-age=${YEAR}; includeSubDomains` } : {}),
  }
}

export function setSecurityHeaders(app: FastifyInstance, issuer: string): void {
  const headers = securityHeaders(issuer)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

/**
 * What holds or refuses a credential is never stored on the way.
 *
 * @see [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
 */
export function forbidStoring(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
    done()
  })
}
