import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** What scripts of other origins may do at the routes of a scope. */
export type CorsPolicy = Pick<FastifyCorsOptions, 'origin' | 'methods' | 'allowedHeaders' | 'maxAge'>

declare module 'fastify' {
  interface FastifyContextConfig {
    cors?: CorsPolicy
  }
}

/**
 * Makes the server answer the CORS protocol, where {@link allowOrigins} says so and nowhere else. Once for the whole
 * server, before any scope.
 *
 * @see [Fetch §3.3](https://fetch.spec.whatwg.org/#http-cors-protocol)
 */
export async function setCors(app: FastifyInstance): Promise<void> {
  await app.register(cors, { origin: false, strictPreflight: false })
}

/** Opens the routes that are registered after it in this scope to scripts of other origins. */
export function allowOrigins(app: FastifyInstance, policy: CorsPolicy): void {
  const answered = new Set<string>()
  app.addHook('onRoute', function (route) {
    route.config = { ...route.config, cors: policy }
    if (answered.has(route.url)) return
    answered.add(route.url)
    // A preflight is answered by the hook, with the policy of the route that it reaches: hence one for each path.
    this.options(route.routePath, (_request, reply) => reply.code(204).send())
  })
}

/** The policy of endpoints that applications call with a form or JSON. @param origins which; without any, none */
export function callableFrom(origins: readonly string[]): CorsPolicy {
  return { origin: [...origins], methods: ['POST'], allowedHeaders: ['content-type', 'authorization'], maxAge: 600 }
}
