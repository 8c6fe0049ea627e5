/** Middleware for Express 5. A refusal is answered here, as JSON. */
import type { Request, RequestHandler } from 'express'
import type { AccessTokenClaims } from './access_token.ts'
import type { Requirements, Verifier } from './verifier.ts'
import { VerifierError } from './verifier_error.ts'

declare global {
  namespace Express {
    interface Request {
      /** Of the access token; undefined where none was required. */
      claims?: AccessTokenClaims
    }
  }
}

export interface ExpressOptions {
  /** RFC 8705: where a proxy ends TLS, the thumbprint that it passes on. Only if callers cannot set that header themselves. */
  readonly certificate_thumbprint?: (request: Request) => string | undefined
}

/** Lets in tokens that meet the requirements, and leaves their claims in `request.claims`. */
export function requireToken(
  verifier: Verifier,
  requirements: Requirements = {},
  { certificate_thumbprint }: ExpressOptions = {},
): RequestHandler {
  return (request, response, next) => {
    const thumbprint = certificate_thumbprint?.(request)
    const shown = thumbprint === undefined ? {} : { certificate_thumbprint: thumbprint }
    verifier.verify(request, { ...requirements, ...shown }).then(
      (claims) => {
        request.claims = claims
        next()
      },
      (error: unknown) => {
        if (!(error instanceof VerifierError)) return next(error)
        response.status(error.status).set(error.headers).json(error.body())
      },
    )
  }
}

/** Serves this API's metadata (RFC 9728) at `protectedResourceMetadataUrl(audience)`. */
export function protectedResourceMetadata(
  verifier: Verifier,
  more: Readonly<Record<string, unknown>> = {},
): RequestHandler {
  return (_request, response) => {
    response.set({ 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=300' })
    response.json(verifier.metadata(more))
  }
}
