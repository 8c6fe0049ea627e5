import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For a route that others than its scope's methods may be called at. */
    readonly cors_methods?: string
    /** For a route where nothing lets in but what the request itself holds: any origin may call it. */
    readonly any_origin?: boolean
  }
}

/** What scripts of other origins may do at the routes of a scope. */
export interface CorsPolicy {
  /** `*`: any, for what is public. Without credentials in either case: no cookie is meant for these routes. */
  readonly origins: '*' | ReadonlySet<string>
  readonly methods: string
  readonly headers: string
  /** Headers of an answer that a script may read besides the usual ones. */
  readonly exposed?: string
}

const PREFLIGHT_SECONDS = 600

/**
 * Opens the routes that are registered after it in this scope to scripts of other origins. Written out, since the JWK
 * Set passes here: see `docs/decisions/0012_cors.md`.
 *
 * @see [Fetch §3.3](https://fetch.spec.whatwg.org/#http-cors-protocol)
 */
export function allowOrigins(app: FastifyInstance, { origins, methods, headers, exposed }: CorsPolicy): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (origins === '*' || request.routeOptions.config.any_origin === true) {
      reply.header('access-control-allow-origin', '*')
      if (exposed !== undefined) reply.header('access-control-expose-headers', exposed)
    } else if (origins.size > 0) {
      // A cache must not show one origin what another was told.
      reply.header('vary', 'Origin')
      const { origin } = request.headers
      if (origin !== undefined && origins.has(origin)) {
        reply.header('access-control-allow-origin', origin)
        if (exposed !== undefined) reply.header('access-control-expose-headers', exposed)
      }
    }
    done()
  })
  const answered = new Set<string>()
  app.addHook('onRoute', function (route) {
    if (answered.has(route.url)) return
    answered.add(route.url)
    // A preflight without the header above ends the matter for the browser.
    const { cors_methods, any_origin = false } = route.config ?? {}
    this.options(route.routePath, { config: { any_origin } }, (_request, reply) =>
      reply
        .headers({
          'access-control-allow-methods': cors_methods ?? methods,
          'access-control-allow-headers': headers,
          'access-control-max-age': PREFLIGHT_SECONDS,
        })
        .code(204)
        .send(),
    )
  })
}

/** What is public: discovery, the JWK Set. Clients send headers of their own, which ask for a preflight. */
export const READABLE_BY_ALL: CorsPolicy = { origins: '*', methods: 'GET, HEAD', headers: '*' }

/** For the options of a route, see `docs/decisions/0016_cors_for_any_client.md`. */
export const FROM_ANY_ORIGIN = { config: { any_origin: true } }

/** The policy of endpoints that applications call with a form or JSON. @param origins which; without any, none */
export function callableFrom(origins: readonly string[]): CorsPolicy {
  return {
    origins: new Set(origins),
    methods: 'POST',
    headers: 'content-type, authorization, dpop',
    exposed: 'www-authenticate, dpop-nonce',
  }
}
