/**
 * An API that trusts an issuer and shares nothing with it but a URL.
 *
 * @see [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4) validating an access token
 * @see [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) WWW-Authenticate
 */
import jwt from '@fastify/jwt'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { issuerKeys, KeysUnavailable } from './issuer_keys.ts'

/** @param audience this API's own name: tokens for any other are refused */
export async function buildResourceServer(issuer: string, audience: string): Promise<FastifyInstance> {
  const app = fastify({ requestTimeout: 10_000, connectionTimeout: 30_000 })
  const findKey = issuerKeys(issuer)

  await app.register(jwt, {
    secret: async (_request: FastifyRequest, token: jwt.TokenOrHeader) => {
      const kid = 'header' in token ? token.header.kid : token.kid
      const key = typeof kid === 'string' ? await findKey(kid) : undefined
      if (key === undefined) throw new Error('The token is signed by no key of the issuer')
      return key
    },
    decode: { complete: true },
    // Each line is needed: fast-jwt takes any algorithm, and does not miss a claim that nobody asked for.
    verify: {
      algorithms: ['RS256'],
      checkTyp: 'at+jwt',
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
      clockTolerance: 30_000,
    },
  })

  app.get('/me', { onRequest: authenticate }, (request) => request.user)
  app.get('/read', { onRequest: [authenticate, requireScope('read')] }, () => ({ message: 'You may read.' }))
  return app
}

async function authenticate(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    await request.jwtVerify()
  } catch (error) {
    if (error instanceof KeysUnavailable) throw error
    // Some of fast-jwt's refusals would be a 500: whatever is wrong with a token is a 401.
    // RFC 6750 §3.1: a request without credentials is challenged without an error code.
    const challenge = request.headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    return reply.code(401).header('www-authenticate', challenge).send({ message: 'A valid access token is needed.' })
  }
}

/** For a route that comes after {@link authenticate}. */
function requireScope(scope: string) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (scopesOf(request.user).includes(scope)) return
    const challenge = `Bearer error="insufficient_scope", scope="${scope}"`
    return reply
      .code(403)
      .header('www-authenticate', challenge)
      .send({ message: `The scope ${scope} is needed.` })
  }
}

function scopesOf(claims: object | string): string[] {
  return typeof claims === 'object' && 'scope' in claims && typeof claims.scope === 'string'
    ? claims.scope.split(' ')
    : []
}
