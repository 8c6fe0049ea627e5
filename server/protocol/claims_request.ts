/**
 * The `claims` parameter.
 *
 * @see [OpenID Connect Core 1.0 §5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter)
 */
import { CLAIM_NAMES, type ClaimRequest, type ClaimsRequest } from './claims.ts'
import { OAuthError } from './errors.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * Reads it. What names no claim of ours, or of a request what has no meaning here, is left out (§5.5: other members MUST
 * be ignored).
 *
 * @param value JSON
 * @throws {OAuthError} `invalid_request` when it has another form than §5.5 gives it
 */
export function readClaimsRequest(value: string | undefined): ClaimsRequest | null {
  if (value === undefined) return null
  const request = parse(value)
  if (!isMembers(request)) throw malformed()
  const userinfo = readMembers(request.userinfo)
  const id_token = readMembers(request.id_token)
  return { ...(userinfo === undefined ? {} : { userinfo }), ...(id_token === undefined ? {} : { id_token }) }
}

function readMembers(members: unknown): Readonly<Record<string, ClaimRequest>> | undefined {
  if (members === undefined || members === null) return undefined
  if (!isMembers(members)) throw malformed()
  const known = Object.entries(members).filter(([name]) => CLAIM_NAMES.includes(name))
  return Object.fromEntries(known.map(([name, request]) => [name, readClaim(request)]))
}

/** §5.5.1 */
function readClaim(request: unknown): ClaimRequest {
  if (request === null) return null
  if (!isMembers(request)) throw malformed()
  const { essential, value, values } = request
  if (essential !== undefined && typeof essential !== 'boolean') throw malformed()
  if (value !== undefined && !isScalar(value)) throw malformed()
  if (values !== undefined && !(Array.isArray(values) && values.every(isScalar))) throw malformed()
  return {
    ...(essential === undefined ? {} : { essential }),
    ...(value === undefined ? {} : { value }),
    ...(values === undefined ? {} : { values }),
  }
}

/**
 * Whom the ID token has to be about, when the request says so.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequestValidation) step 4
 */
export function requestedSubject(claims: ClaimsRequest | null): string | undefined {
  const value = claims?.id_token?.sub?.value
  return typeof value === 'string' ? value : undefined
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw malformed(cause)
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function malformed(cause?: unknown): OAuthError {
  return new OAuthError('invalid_request', 'claims is malformed', { cause })
}
