import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Deps } from '../deps.ts'
import { dpopNonce } from '../protocol/dpop.ts'
import type { OAuthError } from '../protocol/errors.ts'
import { parseForm } from '../protocol/parameters.ts'
import { protectedResourceMetadataUrl } from '../protocol/protected_resource.ts'
import { allowOrigins } from './cors.ts'
import { logRefusal, refusalHeaders } from './error_reply.ts'
import { toOAuthError } from './fault.ts'
import { forbidStoring } from './security_headers.ts'

/** Codes that mean "show a better token, or a better proof": 401 at a protected resource, whatever they are elsewhere. */
const UNAUTHORIZED = new Set([
  'invalid_token',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'insufficient_user_authentication',
])

export type ChallengeDeps = Pick<Deps, 'config' | 'vault' | 'clock'> & {
  /** The algorithms that DPoP proofs may be signed with. */
  readonly dpop_algorithms: readonly string[]
}

/**
 * Where this server is a resource server itself: an access token lets in, and a refusal is a challenge.
 *
 * @see [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)
 */
export function resourceScope(deps: ChallengeDeps, routes: readonly FastifyPluginAsync[]): FastifyPluginAsync {
  return async (app) => {
    forbidStoring(app)
    allowOrigins(app, {
      origins: new Set(deps.config.http.cors_origins),
      methods: 'GET, POST',
      headers: 'content-type, authorization, dpop',
      exposed: 'www-authenticate, dpop-nonce',
    })
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer', bodyLimit: deps.config.http.token_body_limit_bytes },
      async (_request: unknown, body: Buffer) => parseForm(body),
    )
    app.setErrorHandler((error, request, reply) => sendChallenge(deps, error, { request, reply }))
    for (const plugin of routes) await app.register(plugin)
  }
}

/** @param own whether the resource is one of ours, which describes itself */
export function sendChallenge(
  deps: ChallengeDeps,
  thrown: unknown,
  { request, reply, own = true }: { request: FastifyRequest; reply: FastifyReply; own?: boolean },
): FastifyReply {
  const error = toOAuthError(thrown)
  logRefusal(request, error)
  const status = UNAUTHORIZED.has(error.code) ? 401 : error.status
  if (status === 401 || status === 403) {
    const { href } = new URL(request.routeOptions.url ?? '', deps.config.issuer)
    const described = own ? { resource_metadata: protectedResourceMetadataUrl(href) } : {}
    reply.header('www-authenticate', challenges(error, status, deps, described))
  }
  if (deps.config.dpop.nonce) {
    const digest = (label: string, value: string) => deps.vault.digest(label, value)
    reply.header('dpop-nonce', dpopNonce(digest, deps.clock.now()))
  }
  return refusalHeaders(reply, { status, retry_after: error.retry_after }).send({
    error: error.code,
    error_description: error.description,
    ...(error.code === 'server_error' ? { error_reference: request.id } : {}),
  })
}

/**
 * One challenge for each scheme that lets in.
 *
 * @see [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3), [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)
 * @see [RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1) `resource_metadata`
 */
function challenges(
  error: OAuthError,
  status: number,
  deps: ChallengeDeps,
  resource: { readonly resource_metadata?: string },
): string[] {
  const about_dpop = error.code === 'invalid_dpop_proof' || error.code === 'use_dpop_nonce'
  // RFC 6750 §3.1: without any authentication information there SHOULD NOT be an error code.
  const described =
    error.code === 'invalid_request' && status === 401
      ? {}
      : { error: error.code, error_description: error.description, ...error.challenge }
  const dpop = attributes('DPoP', { ...described, algs: deps.dpop_algorithms.join(' '), ...resource })
  return about_dpop ? [dpop] : [attributes('Bearer', { realm: 'gatehouse', ...described, ...resource }), dpop]
}

function attributes(scheme: string, values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}="${value}"`)
  return `${scheme} ${pairs.join(', ')}`
}
