import type { Deps } from '../deps.ts'
import { accessTokenEvent, grantEvent, MOST_MISSED, resetEvent } from '../protocol/revocation_stream.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Revoked } from '../storage/records.ts'
import { DEEP_OVERLAP_SECONDS } from './revocations.ts'

export interface Listener {
  stop(): void
}

/**
 * Tells of revocations from now on, after those that were missed. Some may be told twice.
 *
 * @param since when the last event was that the listener has; `unknown`: it names one that is not known here; undefined: it
 *   is new. In both cases the status lists say what was before
 */
export async function listenToRevocations(
  deps: Pick<Deps, 'config' | 'store' | 'clock' | 'revocations'>,
  since: Seconds | 'unknown' | undefined,
  write: (text: string) => void,
): Promise<Listener> {
  const { config, clock, revocations } = deps
  const tell = ({ grants, access_tokens }: Revoked) => {
    const events = [
      ...grants
        .filter(({ status_index }) => status_index >= 0)
        .map(({ revoked_at, status_index }) => grantEvent(config.issuer, revoked_at, status_index)),
      ...access_tokens.map(({ revoked_at, jti, expires_at }) => accessTokenEvent(revoked_at, jti, expires_at)),
    ]
    if (events.length > 0) write(events.join(''))
  }
  await revocations.ready()
  // First what comes, then what was: between the two nothing is lost.
  let waiting: Revoked[] | undefined = []
  const stop = revocations.subscribe((revoked) => {
    if (waiting === undefined) tell(revoked)
    else waiting.push(revoked)
  })
  try {
    const missed = typeof since === 'number' ? await missedSince(deps, since) : undefined
    if (missed === undefined) {
      write(resetEvent(clock.now()))
      // No list has these.
      tell({ grants: [], access_tokens: revocations.accessTokens() })
    } else tell(missed)
    for (const revoked of waiting) tell(revoked)
    waiting = undefined
  } catch (error) {
    stop()
    throw error
  }
  return { stop }
}

/** @returns undefined: more than is worth telling */
async function missedSince(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  since: Seconds,
): Promise<Revoked | undefined> {
  const revoked_at = since - DEEP_OVERLAP_SECONDS
  const grants = await store.listRevokedGrants({ revoked_at, status_index: -2 }, MOST_MISSED + 1)
  const tokens = await store.listRevokedAccessTokens({ revoked_at, jti: '' }, MOST_MISSED + 1)
  if (grants.length + tokens.length > MOST_MISSED) return undefined
  return { grants, access_tokens: tokens.filter(({ expires_at }) => expires_at > clock.now()) }
}
