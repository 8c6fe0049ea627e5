import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { type ChallengeDeps, sendChallenge } from './resource_scope.ts'
import { forbidStoring } from './security_headers.ts'

/**
 * Where proxies ask about requests that they hold back. What comes in is half the proxy's and half a stranger's: a body is
 * not read, whatever its type, no script of another origin is let in, and what an answer says of transport security would
 * be said of the application's host.
 */
export function forwardScope(deps: ChallengeDeps, routes: readonly FastifyPluginAsync[]): FastifyPluginAsync {
  return async (app) => {
    forbidStoring(app)
    app.addHook('onRequest', (_request, reply, done) => {
      reply.removeHeader('strict-transport-security')
      done()
    })
    ignoreBodies(app)
    app.setErrorHandler((error, request, reply) => sendChallenge(deps, error, { request, reply, own: false }))
    for (const plugin of routes) await app.register(plugin)
  }
}

function ignoreBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
}
