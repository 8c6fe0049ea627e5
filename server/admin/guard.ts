import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { Caller, Deps } from '../deps.ts'
import { callerOf } from '../http/caller.ts'
import { type CertificateOf, createCertificateReader } from '../http/client_certificate.ts'
import { ACCESS_TOKEN_TYP, type AccessTokenClaims } from '../protocol/access_token.ts'
import { scopesOfRoles } from '../protocol/administration.ts'
import { OAuthError } from '../protocol/errors.ts'
import { invalidToken } from '../protocol/presented_token.ts'
import { type ADMIN_SCOPES, parseScope } from '../protocol/scope.ts'
import { authenticationProblem } from '../protocol/step_up.ts'
import type { Seconds } from '../protocol/time.ts'
import { assertConfirmed } from '../tokens/resource_access.ts'
import { builtInResources } from '../tokens/resources.ts'
import { standingOf } from '../tokens/verify.ts'
import { isCliToken } from './cli_token.ts'

/** What a route of the admin API needs. `public`: nothing. */
export type RouteScope = 'public' | (typeof ADMIN_SCOPES)[number]

/** Who calls, and what they may do. */
export interface Administrator {
  /** `sub`: an account, a client, or `cli`. */
  readonly actor: string
  readonly scopes: readonly string[]
  readonly caller: Caller
  /** Somebody beside the database, who can read it anyway. */
  readonly local: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: RouteScope
    /** How recently the person who calls has to have signed in. A client that speaks for itself never did. */
    max_age?: Seconds
  }
  interface FastifyRequest {
    administrator: Administrator | null
  }
}

/** Of routes that change what somebody signs in with: how recently their caller signed in. */
export const STEP_UP_SECONDS: Seconds = 300

const MAX_TOKEN_CHARACTERS = 8192
const REQUIRED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope']

type GuardDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'vault' | 'clock' | 'log'>

/**
 * Lets nobody in without an access token of our own for this API, and makes every route say what it needs.
 *
 * @throws from the registration of a route that declares no scope, or one too small for its method
 * @see [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4)
 */
export async function setGuard(app: FastifyInstance, deps: GuardDeps): Promise<void> {
  app.addHook('onRoute', requireDeclaration)
  app.decorateRequest('administrator', null)
  await app.register(fastifyJwt, {
    secret: { public: (_request: unknown, token: TokenOrHeader, done: KeyCallback) => findKey(deps, token, done) },
    // It takes every algorithm and requires no claim unless told, and allowedAud alone passes a token without aud.
    verify: {
      algorithms: ['RS256'],
      allowedIss: deps.config.issuer,
      allowedAud: builtInResources(deps.config).admin_resource,
      requiredClaims: REQUIRED_CLAIMS,
      checkTyp: ACCESS_TOKEN_TYP,
      cache: false,
    },
    decode: { complete: true },
  })
  const certificateOf = createCertificateReader(deps)
  app.addHook('onRequest', async (request) => {
    const { scope, max_age } = request.routeOptions.config
    if (request.is404 || scope === 'public') return
    const claims = await verifyToken(deps, request)
    await assertUnboundOrShown(deps, request, claims, certificateOf)
    const scopes = await scopesHeld(deps, claims)
    if (scope === undefined || !scopes.includes(scope)) {
      throw new OAuthError('insufficient_scope', 'the access token does not allow this')
    }
    // RFC 9470 §3: a token that was found lying around does not change what people and clients sign in with.
    if (max_age !== undefined && claims.grant_id !== undefined) {
      const problem = authenticationProblem(claims, { max_age }, deps.clock.now())
      if (problem !== undefined) throw problem
    }
    request.administrator = { actor: claims.sub, scopes, caller: callerOf(request), local: isCliToken(claims) }
  })
}

/** Who calls a route that is not public. */
export function administratorOf(request: FastifyRequest): Administrator {
  if (request.administrator === null) throw new Error(`${request.url} was reached past the guard`)
  return request.administrator
}

function requireDeclaration({ method, url, config }: RouteOptions): void {
  const scope = config?.scope
  const reads = [method].flat().every((name) => name === 'GET' || name === 'HEAD')
  if (scope === undefined || (!reads && scope !== 'gatehouse:write')) {
    throw new Error(`${String(method)} ${url} does not declare the scope it needs: config: { scope: … }`)
  }
}

/**
 * A token that is bound to a certificate comes with it. One that is bound by DPoP does not come as a bearer token (RFC
 * 9449 §7.2), and no other scheme is taken here.
 */
async function assertUnboundOrShown(
  deps: GuardDeps,
  request: FastifyRequest,
  claims: AccessTokenClaims,
  certificateOf: CertificateOf,
): Promise<void> {
  const shown = { method: request.method, htu: '', dpop: undefined, certificate: certificateOf(request) }
  await assertConfirmed(deps, shown, { scheme: 'Bearer', token: '' }, claims)
}

type KeyCallback = (error: Error | null, key: string | undefined) => void

function findKey(deps: GuardDeps, token: TokenOrHeader, done: KeyCallback): void {
  const kid = 'header' in token ? token.header.kid : token.kid
  const found = typeof kid === 'string' ? deps.keys.verificationKey(kid) : undefined
  // Without an error, no key would mean verification with a key function instead of a key.
  if (found === undefined) done(new Error('unknown kid'), undefined)
  else done(null, found.pem)
}

async function verifyToken(deps: GuardDeps, request: FastifyRequest): Promise<AccessTokenClaims> {
  const { authorization } = request.headers
  if (authorization === undefined || !/^bearer(?: |$)/i.test(authorization)) {
    throw new OAuthError('invalid_request', 'an access token is required', { status: 401 })
  }
  if (authorization.length > MAX_TOKEN_CHARACTERS) throw invalidToken('too long')
  const now = deps.clock.now()
  // Left to itself it answers 500 for a wrong typ, alg or nbf; whatever it finds wrong is the token's fault.
  const claims = await request.jwtVerify<AccessTokenClaims>({ clockTimestamp: now * 1000 }).catch((cause: unknown) => {
    throw invalidToken(cause instanceof Error ? cause.message : String(cause))
  })
  // RFC 7519 §4.1.4: not accepted on the expiry either.
  if (claims.exp <= now) throw invalidToken('expired')
  if (claims.token_type !== 'access') throw invalidToken('not an access token')
  return claims
}

/** What the token allows and its owner still holds. */
async function scopesHeld(deps: GuardDeps, claims: AccessTokenClaims): Promise<readonly string[]> {
  const granted = parseScope(claims.scope ?? '') ?? []
  if (isCliToken(claims)) return granted
  const standing = await standingOf(deps, claims)
  if (standing === undefined) throw invalidToken('revoked')
  const { client, account } = standing
  const held = account === null ? parseScope(client.scope) : scopesOfRoles(account.roles)
  return granted.filter((scope) => held?.includes(scope))
}
