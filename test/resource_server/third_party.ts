/** Verifiers that nobody here wrote, each set up as its documentation and ours say. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import express, { type Request as ExpressRequest, type Response as ExpressResponse, type NextFunction } from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'
import * as oauth from 'oauth4webapi'
import { buildResourceServer } from '../../examples/resource_server/app.ts'

export interface Trusted {
  readonly issuer: string
  readonly audience: string
  readonly jwks_uri: string
}

/** @returns for each token `taken`, `refused`, or what else came of it: an outage, or a failure. */
export type Judge = (tokens: readonly string[]) => Promise<string[]>

type Test = { teardown(handler: () => unknown): void }
type MakeJudge = (t: Test, trusted: Trusted) => Promise<Judge>

/** @param isRefusal whether an error says that the token is bad */
function judging(verify: (token: string) => Promise<unknown>, isRefusal: (error: unknown) => boolean): Judge {
  return (tokens) =>
    Promise.all(
      tokens.map((token) =>
        verify(token).then(
          () => 'taken',
          (error: unknown) => (isRefusal(error) ? 'refused' : `failed: ${String(error)}`),
        ),
      ),
    )
}

/** By what an API answers: RFC 6750 §3.1 has 401, and 400 for what is malformed. */
function judgingApi(url: string): Judge {
  return async (tokens) => {
    const said: string[] = []
    for (const token of tokens) {
      const { status } = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      said.push(status === 200 ? 'taken' : status === 401 || status === 400 ? 'refused' : `failed: ${status}`)
    }
    return said
  }
}

const jose: MakeJudge = async (_t, { issuer, audience, jwks_uri }) => {
  const keys = createRemoteJWKSet(new URL(jwks_uri), { cooldownDuration: 0 })
  const requiredClaims = ['sub', 'exp', 'iat', 'jti', 'client_id']
  const rules = { issuer, audience, typ: 'at+jwt', algorithms: ['RS256'], requiredClaims }
  return judging(
    (token) => jwtVerify(token, keys, rules),
    // It says `Expected 200 OK` and the like by this class alone.
    (error) =>
      error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC' && error.code !== 'ERR_JWKS_TIMEOUT',
  )
}

const oauth4webapi: MakeJudge = async (_t, { issuer, audience, jwks_uri }) => {
  const as = { issuer, jwks_uri }
  const options = { [oauth.allowInsecureRequests]: true, signingAlgorithms: ['RS256'] }
  return judging(
    (token) => {
      const headers = { authorization: `Bearer ${token}` }
      return oauth.validateJwtAccessToken(as, new Request(audience, { headers }), audience, options)
    },
    // No key in the set: it says so by this code, as of anything else that it cannot do.
    (error) =>
      error instanceof oauth.WWWAuthenticateChallengeError ||
      error instanceof oauth.UnsupportedOperationError ||
      (error instanceof oauth.OperationProcessingError && error.code !== oauth.RESPONSE_IS_NOT_CONFORM),
  )
}

const expressOauth2JwtBearer: MakeJudge = async (t, { issuer, audience }) => {
  const app = express()
  const guard = auth({ issuerBaseURL: issuer, audience, tokenSigningAlg: 'RS256', strict: true, clockTolerance: 0 })
  app.get('/', guard, (_request, response) => void response.json({}))
  app.use((error: unknown, _request: ExpressRequest, response: ExpressResponse, _next: NextFunction) => {
    const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500
    response.status(status).json({})
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return judgingApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

const jwksRsa: MakeJudge = async (_t, { issuer, audience, jwks_uri }) => {
  const client = jwksClient({ jwksUri: jwks_uri })
  const verify = (token: string) =>
    new Promise((resolve, reject) => {
      jsonwebtoken.verify(
        token,
        ({ kid }, done) => {
          client.getSigningKey(kid).then(
            (key) => done(null, key.getPublicKey()),
            (error: Error) => done(error),
          )
        },
        { algorithms: ['RS256'], issuer, audience },
        (error, claims) => (error === null ? resolve(claims) : reject(error)),
      )
    })
  return judging(
    verify,
    (error) => error instanceof jsonwebtoken.JsonWebTokenError && !/ECONN|fetch|socket|timeout/i.test(error.message),
  )
}

const fastifyJwt: MakeJudge = async (t, { issuer, audience }) => {
  const app = await buildResourceServer(issuer, audience)
  t.teardown(() => app.close())
  return judgingApi(`${await app.listen({ port: 0, host: '127.0.0.1' })}/me`)
}

export const NODE_VERIFIERS = {
  jose,
  oauth4webapi,
  'express-oauth2-jwt-bearer, strict': expressOauth2JwtBearer,
  'jwks-rsa and jsonwebtoken': jwksRsa,
  '@fastify/jwt, as in examples/resource_server': fastifyJwt,
} as const

/** @param library as `verify_tokens.py` names it. @param bin of the environment that has it */
export function pythonJudge(bin: string, library: 'pyjwt' | 'simplejwt' | 'authlib', trusted: Trusted): Judge {
  return async (tokens) => {
    const program = new URL('python/verify_tokens.py', import.meta.url).pathname
    const signal = AbortSignal.timeout(60_000)
    const child = spawn(`${bin}/python`, [program, library], { signal, env: { PYTHONDONTWRITEBYTECODE: '1' } })
    child.stdin.end(JSON.stringify({ ...trusted, tokens }))
    const closed = once(child, 'close')
    const [said, errors_text] = await Promise.all([text(child.stdout), text(child.stderr)])
    const [code] = await closed
    if (code !== 0) throw new Error(`${library} ended with ${String(code)}:\n${errors_text}`)
    return JSON.parse(said)
  }
}
