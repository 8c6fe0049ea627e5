import type { AccessTokenClaims } from '../protocol/access_token.ts'
import type { ClientCertificate } from '../protocol/client_certificate.ts'
import { confirms } from '../protocol/confirmation.ts'
import { OAuthError } from '../protocol/errors.ts'
import { invalidToken, type PresentedToken } from '../protocol/presented_token.ts'
import { parseScope } from '../protocol/scope.ts'
import { type AuthenticationRequirement, authenticationProblem } from '../protocol/step_up.ts'
import { type ConfirmationDeps, shownConfirmation } from './confirmation.ts'
import { type Standing, standingOf, type VerifyDeps, verifyAccessToken } from './verify.ts'

export interface ResourceRequest {
  readonly presented: PresentedToken | undefined
  readonly method: string
  /** The address of the resource as clients know it. */
  readonly htu: string
  readonly dpop: string | readonly string[] | undefined
  readonly certificate: ClientCertificate | undefined
}

/** What a resource of ours asks of a token, and of the sign-in behind it. */
export interface ResourceRequirement extends AuthenticationRequirement {
  /** What the token has to allow, all of it; '' for nothing. */
  readonly scope: string
  /** What it has to be for; left out: that was seen to before, or any will do. */
  readonly audience?: string
}

/**
 * Lets a request to a resource of ours in: its token is genuine, stands, is in the right hands and allows this.
 *
 * @throws {OAuthError} `invalid_token`, `invalid_dpop_proof`, `use_dpop_nonce`, `insufficient_scope`,
 *   `insufficient_user_authentication`; a 401 without a code when there is no token
 * @see [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1), [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
 */
export async function admitToResource(
  deps: VerifyDeps & ConfirmationDeps,
  request: ResourceRequest,
  requirement: ResourceRequirement,
): Promise<{ readonly claims: AccessTokenClaims } & Standing> {
  const { presented } = request
  if (presented === undefined) throw tokenRequired()
  const verified = await verifyAccessToken(deps, presented.token)
  if (verified.outcome !== 'valid') throw invalidToken(verified.outcome)
  const { claims } = verified
  const { audience } = requirement
  if (audience !== undefined && ![claims.aud].flat().includes(audience)) throw invalidToken('for another audience')
  await assertConfirmed(deps, request, presented, claims)
  const standing = await standingOf(deps, claims)
  if (standing === undefined) throw invalidToken('revoked')
  const allowed = parseScope(claims.scope ?? '') ?? []
  if (!(parseScope(requirement.scope) ?? []).every((scope) => allowed.includes(scope))) {
    throw new OAuthError('insufficient_scope', 'the access token does not allow this', {
      challenge: { scope: requirement.scope },
    })
  }
  const problem = authenticationProblem(claims, requirement, deps.clock.now())
  if (problem !== undefined) throw problem
  return { claims, ...standing }
}

/** RFC 6750 §3.1: a request without any authentication information gets a challenge without an error code. */
export function tokenRequired(): OAuthError {
  return new OAuthError('invalid_request', 'an access token is required', { status: 401 })
}

/**
 * A token that is bound to a key comes with proof of the key, and as what it is.
 *
 * @throws {OAuthError}
 * @see [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1), [RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)
 */
export async function assertConfirmed(
  deps: ConfirmationDeps,
  { method, htu, dpop, certificate }: Omit<ResourceRequest, 'presented'>,
  { scheme, token }: PresentedToken,
  { cnf }: Pick<AccessTokenClaims, 'cnf'>,
): Promise<void> {
  const by_dpop = cnf !== undefined && 'jkt' in cnf
  // RFC 9449 §7.2: a bound token is not to be taken as a bearer token, nor the other way round.
  if (by_dpop !== (scheme === 'DPoP'))
    throw invalidToken(by_dpop ? 'bound, sent as a bearer token' : 'not bound by DPoP')
  if (cnf === undefined) return
  if (by_dpop && dpop === undefined) throw new OAuthError('invalid_dpop_proof', 'the DPoP proof is missing')
  const shown = await shownConfirmation(
    deps,
    { method, htu, dpop: by_dpop ? dpop : undefined, certificate },
    { access_token: token },
  )
  if (!confirms(shown, cnf)) throw invalidToken('bound to another key')
}
