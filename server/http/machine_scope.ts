import type { FastifyPluginAsync } from 'fastify'
import type { Deps } from '../deps.ts'
import { type Form, parseForm } from '../protocol/parameters.ts'
import { allowOrigins, callableFrom } from './cors.ts'
import { offerDpopNonce } from './dpop_nonce.ts'
import { sendOAuthError } from './error_reply.ts'
import { forbidStoring } from './security_headers.ts'

/**
 * Where programs talk to programs: forms in, JSON out, no cookies, nothing stored, errors as in RFC 6749 §5.2.
 * The routes inside get a {@link Form} as their body, and an empty one when there was none.
 */
export function machineScope(
  deps: Pick<Deps, 'config' | 'vault' | 'clock'>,
  routes: readonly FastifyPluginAsync[],
): FastifyPluginAsync {
  return async (app) => {
    forbidStoring(app)
    allowOrigins(app, callableFrom(deps.config.http.cors_origins))
    offerDpopNonce(app, deps)
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer', bodyLimit: deps.config.http.token_body_limit_bytes },
      async (_request: unknown, body: Buffer) => parseForm(body),
    )
    app.setErrorHandler((error, request, reply) => sendOAuthError(error, request, reply))
    for (const plugin of routes) await app.register(plugin)
  }
}

const NO_FORM: Form = new Map()

/** The form of a request in this scope. */
export function formOf(request: { body: unknown }): Form {
  return request.body instanceof Map ? request.body : NO_FORM
}
