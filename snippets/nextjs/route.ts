// app/api/orders/route.ts, after: npm install jose
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

type Handler = (request: Request, claims: JWTPayload) => Response | Promise<Response>

/** Around a route handler: 401 without a good token, 403 without the scope (RFC 6750 §3), 503 without keys. */
const withScope = (scope: string, handle: Handler) => async (request: Request) => {
  const refuse = (status: number, error: string, headers: Record<string, string>) =>
    Response.json({ error }, { status, headers })
  const authorization = request.headers.get('authorization')
  let claims: JWTPayload | undefined
  try {
    claims = await verify(authorization)
  } catch (error) {
    console.error(error)
    return refuse(503, 'temporarily_unavailable', { 'Retry-After': '5' })
  }
  if (claims === undefined) {
    const challenge = authorization === null ? 'Bearer' : 'Bearer error="invalid_token"'
    return refuse(401, 'invalid_token', { 'WWW-Authenticate': challenge })
  }
  if (!allows(claims, scope)) {
    const challenge = `Bearer error="insufficient_scope", scope="${scope}"`
    return refuse(403, 'insufficient_scope', { 'WWW-Authenticate': challenge })
  }
  return handle(request, claims)
}

export const GET = withScope('orders:read', (_request, claims) => Response.json({ sub: claims.sub }))
