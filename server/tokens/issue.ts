import type { Deps } from '../deps.ts'
import { ACCESS_TOKEN_TYP, accessTokenClaims } from '../protocol/access_token.ts'
import type { Entitlement } from '../protocol/grant.ts'
import { randomId } from '../protocol/random_id.ts'
import type { Target } from '../protocol/target.ts'
import type { Seconds } from '../protocol/time.ts'

export interface IssuedAccessToken {
  readonly access_token: string
  readonly jti: string
  /** Seconds it still lives. */
  readonly expires_in: Seconds
  readonly scope: string
}

/**
 * Signs an access token. What comes in is already decided and committed: an {@link Entitlement} from the gate that
 * every path passes, and a {@link Target}.
 *
 * @param not_after a retry's token does not outlive the one that got lost
 */
export async function issueAccessToken(
  deps: Pick<Deps, 'config' | 'keys' | 'random'>,
  entitlement: Entitlement,
  target: Target,
  now: Seconds,
  not_after = Number.POSITIVE_INFINITY,
): Promise<IssuedAccessToken> {
  const expires_at = Math.min(now + target.access_token_seconds, not_after)
  const jti = randomId(deps.random)
  const claims = accessTokenClaims(entitlement, target, { iss: deps.config.issuer, jti, now, expires_at })
  const access_token = await deps.keys.sign(target.signing_alg, ACCESS_TOKEN_TYP, claims)
  return { access_token, jti, expires_in: expires_at - now, scope: target.scope }
}
