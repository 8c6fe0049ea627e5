/**
 * Assertions of other issuers as grants: which are taken, and what they allow.
 *
 * @see [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)
 * @see [Identity Assertion JWT Authorization Grant](https://datatracker.ietf.org/doc/draft-ietf-oauth-identity-assertion-authz-grant/)
 */
import { readScope } from './authorization_parameters.ts'
import type { Client } from './client.ts'
import { claimsProblem, type JwtHeader, readHeader, type UnverifiedJwt } from './client_jwt.ts'
import { type Confirmation, confirms } from './confirmation.ts'
import { OAuthError } from './errors.ts'
import { clientSigningAlgorithms, type Profile } from './profile.ts'
import { normalizeResource } from './target.ts'
import type { Seconds } from './time.ts'

export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** The type of an identity assertion that was made for one client (ID-JAG §3). */
const ID_JAG = 'oauth-id-jag+jwt'
/** RFC 7523 §3 point 4: an exp unreasonably far in the future may be rejected. */
const MAX_LIFETIME_SECONDS = 3600
// Point 7 leaves jti to us: an assertion that could be shown again would be a password for as long as it lives.
const REQUIRED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'jti']

export interface Assertion {
  readonly header: JwtHeader
  readonly iss: string
  readonly sub: string
  readonly jti: string
  readonly exp: Seconds
  /** When the issuer says that the person signed in there, or else that it wrote this. */
  readonly auth_time: Seconds
  /** The most that it allows; undefined: it does not say. */
  readonly scope: string | undefined
  readonly resources: readonly string[] | undefined
}

export interface AssertionRules {
  /** Ours. */
  readonly issuer: string
  readonly profile: Profile
  readonly trusted_issuers: readonly string[]
  readonly client: Pick<Client, 'client_id' | 'origin'>
  readonly confirmation: Confirmation | undefined
}

/**
 * Reads an assertion whose signature is verified next.
 *
 * @param jwt undefined: it is none
 * @throws {OAuthError} `invalid_grant` (RFC 7521 §4.1.1)
 */
export function readAssertion(jwt: UnverifiedJwt | undefined, rules: AssertionRules, now: Seconds): Assertion {
  if (jwt === undefined) throw invalidAssertion('not a JWT, or too long')
  const { claims } = jwt
  const { iss, sub, jti, exp } = claims
  if (typeof iss !== 'string' || !rules.trusted_issuers.includes(iss)) throw invalidAssertion('of an unknown issuer')
  const algorithms = clientSigningAlgorithms(rules.profile)
  const header = readHeader(jwt.header, { algorithms, typ: ['', 'jwt', ID_JAG] })
  if (typeof header === 'string') throw invalidAssertion(header)
  const is_id_jag = /^(?:application\/)?oauth-id-jag\+jwt$/i.test(String(jwt.header.typ))
  const audience = is_id_jag || rules.profile === 'fapi2' ? [rules.issuer] : [rules.issuer, `${rules.issuer}/token`]
  const required_claims = is_id_jag ? [...REQUIRED_CLAIMS, 'iat', 'client_id'] : REQUIRED_CLAIMS
  const max_lifetime_seconds = MAX_LIFETIME_SECONDS
  const problem =
    claimsProblem(claims, { issuer: iss, audience, required_claims, max_lifetime_seconds }, now) ??
    holderProblem(claims, rules)
  if (problem !== undefined) throw invalidAssertion(problem)
  if (typeof sub !== 'string' || typeof jti !== 'string' || typeof exp !== 'number') {
    throw invalidAssertion('sub is not a string')
  }
  return { header, iss, sub, jti, exp, auth_time: authTime(claims, now), ...limitsOf(claims) }
}

/** Whether it is in the hands that it was made for, where it says so. */
function holderProblem(
  { client_id, cnf }: UnverifiedJwt['claims'],
  { client, confirmation }: AssertionRules,
): string | undefined {
  if (client_id !== undefined && client_id !== client.client_id) return 'made for another client'
  // Anybody can be a client that registered itself: it shows what was made for it, and nothing that it found.
  if (client_id === undefined && client.origin !== 'admin') return 'not made for this client, which registered itself'
  if (cnf === undefined) return undefined
  const bound = confirmationIn(cnf)
  return bound !== undefined && confirms(confirmation, bound) ? undefined : 'bound to another key'
}

function confirmationIn(cnf: unknown): Confirmation | undefined {
  if (typeof cnf !== 'object' || cnf === null) return undefined
  if ('jkt' in cnf && typeof cnf.jkt === 'string') return { jkt: cnf.jkt }
  const x5t = 'x5t#S256' in cnf ? cnf['x5t#S256'] : undefined
  return typeof x5t === 'string' ? { 'x5t#S256': x5t } : undefined
}

/** When the person signed in there. Where the issuer does not say, nobody is to take it for lately (RFC 9470 §4). */
function authTime({ auth_time }: UnverifiedJwt['claims'], now: Seconds): Seconds {
  return typeof auth_time === 'number' && auth_time >= 0 ? Math.min(Math.floor(auth_time), now) : 0
}

function limitsOf({ scope, resource }: UnverifiedJwt['claims']): Pick<Assertion, 'scope' | 'resources'> {
  const resources = resource === undefined ? undefined : [resource].flat()
  if (scope !== undefined && typeof scope !== 'string') throw invalidAssertion('scope is not a string')
  if (resources !== undefined && !resources.every((one) => typeof one === 'string')) {
    throw invalidAssertion('resource is neither a string nor a list of them')
  }
  return { scope, resources: resources?.map((one) => normalizeResource(String(one))) }
}

/**
 * What is asked for, within what the assertion allows; where nothing is asked for, all of that.
 *
 * @throws {OAuthError} `invalid_scope`, `invalid_target`
 */
export function askedWithin(
  { scope, resources }: Pick<Assertion, 'scope' | 'resources'>,
  asked: { readonly scope?: string; readonly resource: readonly string[] },
  client: Pick<Client, 'scope'>,
): { readonly scope: string | undefined; readonly resource: readonly string[] } {
  if (resources !== undefined && !asked.resource.every((one) => resources.includes(normalizeResource(one)))) {
    throw new OAuthError('invalid_target', 'the assertion is not for this resource')
  }
  const allowed = scope?.split(' ') ?? []
  if (scope !== undefined && asked.scope?.split(' ').some((one) => !allowed.includes(one))) {
    throw new OAuthError('invalid_scope', 'the scope exceeds that of the assertion')
  }
  return {
    // The issuer may allow more than this client is registered for: it gets what is in both.
    scope: asked.scope ?? (scope === undefined ? undefined : readScope(scope, client, '')),
    resource: asked.resource.length > 0 ? asked.resource : (resources ?? []),
  }
}

/** One answer for every assertion that is good for nothing. */
export function invalidAssertion(detail: string): OAuthError {
  return new OAuthError('invalid_grant', 'the assertion is not valid', { detail })
}
