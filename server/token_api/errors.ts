import type { FastifyReply, FastifyRequest } from 'fastify'
import { logRefusal, refusalHeaders } from '../http/error_reply.ts'
import { toOAuthError } from '../http/fault.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { Seconds } from '../protocol/time.ts'

/** A refusal in simplejwt's words: a status and the JSON body, with no OAuth members. */
export class TokenApiError extends Error {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly retry_after: Seconds | undefined

  constructor(status: number, body: Readonly<Record<string, unknown>>, retry_after?: Seconds) {
    super(`token API refusal ${status}`)
    this.name = 'TokenApiError'
    this.status = status
    this.body = body
    this.retry_after = retry_after
  }
}

const tokenNotValid = (detail: string) => new TokenApiError(401, { detail, code: 'token_not_valid' })

export const tokenInvalid = () => tokenNotValid('Token is invalid')
export const tokenExpired = () => tokenNotValid('Token is expired')
export const tokenOfWrongType = () => tokenNotValid('Token has wrong type')
export const tokenBlacklisted = () => tokenNotValid('Token is blacklisted')

/** One answer for a wrong password, nobody by that name and a disabled account. There is no `code`. */
export const noActiveAccount = () =>
  new TokenApiError(401, { detail: 'No active account found with the given credentials' })

export const noActiveAccountForToken = () =>
  new TokenApiError(401, { detail: 'No active account found for the given token.' })

export const throttled = (retry_after: Seconds) =>
  new TokenApiError(
    429,
    { detail: `Request was throttled. Expected available in ${retry_after} second${retry_after === 1 ? '' : 's'}.` },
    retry_after,
  )

export const busy = (retry_after: Seconds) =>
  new TokenApiError(503, { detail: 'Service temporarily unavailable, try again later.' }, retry_after)

/** Renders whatever a route of this API threw. */
export function sendTokenApiError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = thrown instanceof TokenApiError ? thrown : translate(thrown, request)
  // RFC 9110 §11.6.1: a 401 says how to authenticate.
  if (error.status === 401) reply.header('www-authenticate', 'Bearer realm="api"')
  const { status, retry_after, body } = error
  return refusalHeaders(reply, { status, retry_after }).send(body)
}

function translate(thrown: unknown, request: FastifyRequest): TokenApiError {
  if (thrown instanceof OAuthError && thrown.code === 'invalid_scope') {
    return new TokenApiError(400, { scope: [thrown.description] })
  }
  if (thrown instanceof OAuthError && thrown.code === 'invalid_target') {
    return new TokenApiError(400, { resource: [thrown.description] })
  }
  const error = toOAuthError(thrown)
  logRefusal(request, error)
  return new TokenApiError(error.status, { detail: detailOf(error, request) }, error.retry_after)
}

function detailOf(error: OAuthError, request: FastifyRequest): string {
  if (error.status === 415) return `Unsupported media type "${request.headers['content-type'] ?? ''}" in request.`
  if (error.status === 500) return `A server error occurred. Reference: ${request.id}`
  if (error.status === 503) return 'Service temporarily unavailable, try again later.'
  return error.description
}
