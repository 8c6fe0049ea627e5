import type { Deps } from '../deps.ts'
import { ACCESS_TOKEN_TYP, type Actor, accessTokenClaims, type ExchangedToken } from '../protocol/access_token.ts'
import type { Confirmation } from '../protocol/confirmation.ts'
import type { Entitlement } from '../protocol/grant.ts'
import { randomId } from '../protocol/random_id.ts'
import type { Target } from '../protocol/target.ts'
import type { Seconds } from '../protocol/time.ts'
import { subjectOf } from './subject.ts'

export interface IssuedAccessToken {
  readonly access_token: string
  readonly jti: string
  /** Seconds it still lives. */
  readonly expires_in: Seconds
}

export interface AccessTokenOptions {
  readonly now: Seconds
  /** The key that the client has shown: the token is bound to it. */
  readonly confirmation?: Confirmation | undefined
  /** A retry's token does not outlive the one that got lost. */
  readonly not_after?: Seconds | undefined
  readonly act?: Actor | undefined
  readonly exchanged_from?: readonly ExchangedToken[] | undefined
}

/**
 * Signs an access token. What comes in is already decided and committed: an {@link Entitlement} from the gate that
 * every path passes, and a {@link Target}.
 */
export async function issueAccessToken(
  deps: Pick<Deps, 'config' | 'keys' | 'random' | 'vault'>,
  entitlement: Entitlement,
  target: Target,
  { now, confirmation, not_after = Number.POSITIVE_INFINITY, ...rest }: AccessTokenOptions,
): Promise<IssuedAccessToken> {
  const { client, account } = entitlement
  const expires_at = Math.min(now + target.access_token_seconds, not_after)
  const jti = randomId(deps.random)
  // RFC 9068 §2.2: where no resource owner is involved, sub identifies the client application.
  const sub = account === null ? client.client_id : subjectOf(deps, client, account.account_id)
  const { issuer: iss, status_lists } = deps.config
  const issuance = { iss, sub, jti, now, expires_at, confirmation, status_lists: status_lists.enabled, ...rest }
  const claims = accessTokenClaims(entitlement, target, issuance)
  const access_token = await deps.keys.sign(target.signing_alg, ACCESS_TOKEN_TYP, claims)
  return { access_token, jti, expires_in: expires_at - now }
}
