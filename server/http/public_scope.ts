import type { FastifyPluginAsync } from 'fastify'
import { allowOrigins, READABLE_BY_ALL } from './cors.ts'
import { sendOAuthError } from './error_reply.ts'

/** What everybody may read, from any origin, and caches may keep: discovery, the JWK Set, health. */
export function publicScope(routes: readonly FastifyPluginAsync[]): FastifyPluginAsync {
  return async (app) => {
    allowOrigins(app, READABLE_BY_ALL)
    app.removeAllContentTypeParsers()
    app.setErrorHandler((error, request, reply) => sendOAuthError(error, request, reply))
    for (const plugin of routes) await app.register(plugin)
  }
}
