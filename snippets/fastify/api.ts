// npm install fastify jose
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
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

const claimsOf = new WeakMap<FastifyRequest, JWTPayload>()

/** For a route's `preHandler`: 401 without a good token, 403 without the scope (RFC 6750 §3), 503 without keys. */
const requireScope = (scope: string) => async (request: FastifyRequest, reply: FastifyReply) => {
  const { authorization } = request.headers
  let claims: JWTPayload | undefined
  try {
    claims = await verify(authorization)
  } catch (error) {
    request.log.error(error)
    return reply.code(503).header('retry-after', '5').send({ error: 'temporarily_unavailable' })
  }
  if (claims === undefined) {
    const challenge = authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    return reply.code(401).header('www-authenticate', challenge).send({ error: 'invalid_token' })
  }
  if (!allows(claims, scope)) {
    const challenge = `Bearer error="insufficient_scope", scope="${scope}"`
    return reply.code(403).header('www-authenticate', challenge).send({ error: 'insufficient_scope' })
  }
  claimsOf.set(request, claims)
}

const app = fastify({ logger: true })

app.get('/orders', { preHandler: requireScope('orders:read') }, async (request) => ({
  sub: claimsOf.get(request)?.sub,
}))

await app.listen({ port: Number(process.env.PORT ?? 8080) })
