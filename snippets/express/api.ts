// npm install express jose
import express, { type NextFunction, type Request, type Response } from 'express'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'

const ISSUER = 'https://login.example.com'
const AUDIENCE = 'https://api.example.com'

// Kept for ten minutes; an unknown kid fetches it again, twice a minute at most.
const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`))

/** @returns the claims; undefined: not a good token. @throws when the keys cannot be had: that is no fault of the token's */
async function verify(authorization: string | null | undefined): Promise<JWTPayload | undefined> {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  if (token === undefined) return undefined
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: ['RS256'],
      // RFC 9068: an access token, not an ID token. A resource with --token-typ JWT has 'JWT' here.
      typ: 'at+jwt',
      requiredClaims: ['exp', 'iat', 'sub', 'client_id'],
      clockTolerance: 5,
    })
    // One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
    return payload.cnf === undefined ? payload : undefined
  } catch (error) {
    const outage = !(error instanceof errors.JOSEError) || /^ERR_(JWKS_TIMEOUT|JOSE_GENERIC)$/.test(error.code)
    if (outage) throw error
    return undefined
  }
}

function allows(claims: JWTPayload, scope: string): boolean {
  return typeof claims.scope === 'string' && claims.scope.split(' ').includes(scope)
}

/** Middleware: 401 without a good token, 403 without the scope (RFC 6750 §3), 503 without keys. */
const requireScope = (scope: string) => async (request: Request, response: Response, next: NextFunction) => {
  const { authorization } = request.headers
  let claims: JWTPayload | undefined
  try {
    claims = await verify(authorization)
  } catch (error) {
    console.error(error)
    response.status(503).set('Retry-After', '5').json({ error: 'temporarily_unavailable' })
    return
  }
  if (claims === undefined) {
    const challenge = authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    response.status(401).set('WWW-Authenticate', challenge).json({ error: 'invalid_token' })
  } else if (!allows(claims, scope)) {
    const challenge = `Bearer error="insufficient_scope", scope="${scope}"`
    response.status(403).set('WWW-Authenticate', challenge).json({ error: 'insufficient_scope' })
  } else {
    response.locals.claims = claims
    next()
  }
}

const app = express()

app.get('/orders', requireScope('orders:read'), (_request, response) => {
  response.json({ sub: response.locals.claims.sub })
})

app.listen(Number(process.env.PORT ?? 8080))
