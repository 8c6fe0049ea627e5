/** For handlers of `Request` and `Response`: Next.js, Hono, workers, Deno, Bun. */
import type { AccessTokenClaims } from './access_token.ts'
import type { Requirements, Verifier } from './verifier.ts'
import { VerifierError } from './verifier_error.ts'

/**
 * @param handle is called with the claims of a token that meets the requirements, and with what the framework gives
 *   beside the request
 * @returns a handler that answers every other request itself
 */
export function withToken<More extends unknown[]>(
  verifier: Verifier,
  requirements: Requirements,
  handle: (request: Request, claims: AccessTokenClaims, ...more: More) => Response | Promise<Response>,
): (request: Request, ...more: More) => Promise<Response> {
  return async (request, ...more) => {
    const claims = await verifier.verify(request, requirements).catch(refusalOf)
    return claims instanceof Response ? claims : handle(request, claims, ...more)
  }
}

/** @returns what to answer. @throws what is no refusal */
export function refusalOf(error: unknown): Response {
  if (error instanceof VerifierError)
    return Response.json(error.body(), { status: error.status, headers: error.headers })
  throw error
}

/** This API's metadata (RFC 9728), to be served at `protectedResourceMetadataUrl(audience)`. */
export function metadataResponse(verifier: Verifier, more: Readonly<Record<string, unknown>> = {}): Response {
  const headers = { 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=300' }
  return Response.json(verifier.metadata(more), { headers })
}
