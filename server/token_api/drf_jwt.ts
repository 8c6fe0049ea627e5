import type { Caller, Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { AccessTokenClaims } from '../protocol/access_token.ts'
import { OAuthError } from '../protocol/errors.ts'
import { expiry, type Grant, mayIssue } from '../protocol/grant.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { refreshPolicy } from '../tokens/refresh.ts'
import { resolveTarget } from '../tokens/resources.ts'
import { standingOf, verifyAccessToken } from '../tokens/verify.ts'
import { TokenApiError } from './errors.ts'
import { readBody, requireTexts } from './fields.ts'
import { obtain } from './obtain.ts'

/**
 * The three calls of djangorestframework-jwt, simplejwt's predecessor, for clients that have not moved on. There is one
 * token, and whoever has it, while it lives, gets the next one: until the grant ends, as any other.
 *
 * @see [djangorestframework-jwt](https://jpadilla.github.io/django-rest-framework-jwt/)
 */
export interface OneToken {
  readonly token: string
}

/** Every refusal is a 400, in the words of the package. */
const refusal = (message: string) => new TokenApiError(400, { non_field_errors: [message] })

const cannotLogIn = () => refusal('Unable to log in with provided credentials.')
const notDecoded = () => refusal('Error decoding signature.')
/** Also of a token that was revoked, for which the package has no word: it is over. */
const tokenOver = () => refusal('Signature has expired.')
const refreshOver = () => refusal('Refresh has expired.')
const invalidPayload = () => refusal('Invalid payload.')

// Each lost race means that another caller moved the grant.
const MAX_RACES = 8

/** `POST /api-token-auth/`: a name and a password for a token, and with it a new grant. */
export async function obtainToken(deps: Deps, rawBody: unknown, caller: Caller): Promise<OneToken> {
  try {
    const { access } = await obtain(deps, rawBody, caller)
    return { token: access }
  } catch (error) {
    throw error instanceof TokenApiError && error.status === 401 ? cannotLogIn() : error
  }
}

/** `POST /api-token-verify/`: the token again, if it stands. */
export async function verifyToken(deps: Deps, rawBody: unknown): Promise<OneToken> {
  const { token } = requireTexts(readBody(rawBody), ['token'])
  if ((await standingOf(deps, await readToken(deps, token))) === undefined) throw tokenOver()
  return { token }
}

/**
 * `POST /api-token-refresh/`: a new token for one that lives, as long as the grant may be refreshed. The grant's refresh
 * token, which nobody here has, is not rotated; its idle lifetime moves.
 */
export async function refreshToken(deps: Deps, rawBody: unknown, caller: Caller): Promise<OneToken> {
  const { token } = requireTexts(readBody(rawBody), ['token'])
  const claims = await readToken(deps, token)
  if (!isOwnSimpleToken(claims, deps.config.token_api.client_id)) throw invalidPayload()
  for (let race = 0; race < MAX_RACES; race++) {
    const next = await attempt(deps, claims, caller)
    if (next !== undefined) return { token: next }
  }
  throw new OAuthError('temporarily_unavailable', 'the grant is being changed, try again', { retry_after: 1 })
}

async function readToken(deps: Deps, token: string): Promise<AccessTokenClaims> {
  const verified = await verifyAccessToken(deps, token)
  switch (verified.outcome) {
    case 'valid':
      return verified.claims
    case 'expired':
      throw tokenOver()
    case 'wrong_type':
    case 'invalid':
      throw notDecoded()
  }
}

/** Issued by this API: for no other client, bound to no key, and not exchanged from what was (RFC 8693). */
function isOwnSimpleToken({ client_id, cnf, act, exchanged_from }: AccessTokenClaims, login_client: string): boolean {
  return client_id === login_client && cnf === undefined && act === undefined && exchanged_from === undefined
}

/** @returns undefined: the race was lost */
async function attempt(deps: Deps, claims: AccessTokenClaims, caller: Caller): Promise<string | undefined> {
  const standing = await standingOf(deps, claims)
  if (standing === undefined) throw tokenOver()
  const { client, account, grant } = standing
  if (grant === null || account === null) throw invalidPayload()
  const entitlement = mayIssue({ client, account, grant })
  if (typeof entitlement === 'string') throw tokenOver()
  const now = deps.clock.now()
  if (expiry(grant, now) !== undefined) throw refreshOver()
  // What the token was for, and no more than that: what its grant holds may be more.
  const resource = typeof claims.aud === 'string' ? [claims.aud] : claims.aud
  const target = await resolveTarget(deps, { client, account, granted: grant }, { resource, scope: claims.scope ?? '' })
  const { idle_seconds } = refreshPolicy(deps.config, client, target.access_token_seconds)
  if (!(await keepAlive(deps, grant, Math.min(now + idle_seconds, grant.absolute_expires_at), caller))) {
    return undefined
  }
  return (await issueAccessToken(deps, entitlement, target, { now })).access_token
}

/** The commit says that the grant still stood: a revocation acknowledged before it wins. @returns false: it has moved */
async function keepAlive(deps: Deps, grant: Grant, idle_expires_at: number, caller: Caller): Promise<boolean> {
  const { grant_id, generation, account_id, client_id, session_id } = grant
  const fields = { account_id, client_id, grant_id, session_id, caller, detail: { generation, by: 'access_token' } }
  const outcome = await deps.store.touchGrant({ grant_id, generation, now: deps.clock.now(), idle_expires_at }, [
    auditRecord(deps, 'refresh.rotated', fields),
  ])
  return outcome !== 'stale'
}
