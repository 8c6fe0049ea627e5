import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OAuthError, OAuthErrorCode } from '../protocol/errors.ts'
import type { Seconds } from '../protocol/time.ts'
import { toOAuthError } from './fault.ts'

const BASIC = 'Basic realm="gatehouse", charset="UTF-8"'

/** RFC 8628 §3.5: what a device hears for as long as its person has not decided. Nothing is wrong with it. */
const NO_REFUSAL: ReadonlySet<OAuthErrorCode> = new Set(['authorization_pending', 'slow_down'])

/** One log line with the reason and the reference; a stranger gets only the reference. */
export function logRefusal(request: FastifyRequest, error: OAuthError): void {
  const { code, description, detail } = error
  const reason = detail === undefined ? description : `${description} (${detail})`
  // The route as it is registered: what stood in the address may be anything.
  const line = { request_id: request.id, route: request.routeOptions.url, code, reason }
  if (error.status >= 500 && error.code === 'server_error') request.log.error({ ...line, err: error.cause }, 'fault')
  else if (NO_REFUSAL.has(code)) request.log.debug(line, 'not yet')
  else request.log.info(line, 'refused')
}

/** Sets what every form of a refusal carries outside its body. */
export function refusalHeaders(
  reply: FastifyReply,
  error: { readonly status: number; readonly retry_after: Seconds | undefined },
): FastifyReply {
  reply.code(error.status)
  if (error.retry_after !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(error.retry_after))))
  return reply
}

/**
 * A refusal as the token endpoint and its neighbours send it.
 *
 * @see [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)
 */
export function sendOAuthError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toOAuthError(thrown)
  logRefusal(request, error)
  // RFC 6749 §5.2: a 401 MUST include the WWW-Authenticate header that matches the scheme the client used.
  if (error.status === 401) {
    const bearer = error.code === 'invalid_token'
    reply.header('www-authenticate', bearer ? 'Bearer realm="gatehouse", error="invalid_token"' : BASIC)
  }
  return refusalHeaders(reply, error).send({
    error: error.code,
    error_description: error.description,
    ...(error.code === 'server_error' ? { error_reference: request.id } : {}),
  })
}
