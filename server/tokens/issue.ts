import type { Deps } from '../deps.ts'
import { type AccessTokenClaims, type Actor, accessTokenClaims, type ExchangedToken } from '../protocol/access_token.ts'
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
  deps: Pick<Deps, 'config' | 'keys' | 'random' | 'vault' | 'log'>,
  entitlement: Entitlement,
  target: Target,
  options: AccessTokenOptions,
): Promise<IssuedAccessToken> {
  const claims = composeAccessToken(deps, entitlement, target, options)
  const access_token = await deps.keys.sign(target.signing_alg, target.token_typ, claims)
  if (access_token.length > deps.config.tokens.access_token_budget_bytes) {
    warnOfSize(deps, target, access_token.length, options.now)
  }
  return { access_token, jti: claims.jti, expires_in: claims.exp - options.now }
}

/** What an access token would say. Nothing is signed: for a preview. */
export function composeAccessToken(
  deps: Pick<Deps, 'config' | 'random' | 'vault'>,
  entitlement: Entitlement,
  target: Target,
  { now, confirmation, not_after = Number.POSITIVE_INFINITY, ...rest }: AccessTokenOptions,
): AccessTokenClaims {
  const { client, account } = entitlement
  const expires_at = Math.min(now + target.access_token_seconds, not_after)
  const jti = randomId(deps.random)
  // RFC 9068 §2.2: where no resource owner is involved, sub identifies the client application.
  const sub = account === null ? client.client_id : subjectOf(deps, client, account.account_id)
  const { issuer: iss, status_lists } = deps.config
  const issuance = { iss, sub, jti, now, expires_at, confirmation, status_lists: status_lists.enabled, ...rest }
  return accessTokenClaims(entitlement, target, issuance)
}

const WARN_EVERY_SECONDS: Seconds = 3600
const MOST_REMEMBERED = 1000
/** When each resource was last warned of: the log is not to fill with one line a token. */
const warned = new Map<string, Seconds>()

function warnOfSize({ log, config }: Pick<Deps, 'log' | 'config'>, { resources }: Target, bytes: number, now: Seconds) {
  const name = resources.join(' ')
  if (now - (warned.get(name) ?? Number.NEGATIVE_INFINITY) < WARN_EVERY_SECONDS) return
  if (warned.size >= MOST_REMEMBERED) warned.clear()
  warned.set(name, now)
  const { access_token_budget_bytes } = config.tokens
  log.warn({ resources, bytes, access_token_budget_bytes }, 'an access token is over its budget; proxies may refuse it')
}
