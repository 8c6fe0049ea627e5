import type { Deps } from '../deps.ts'
import { type Client, isConfidential } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { strangerLimit } from '../protocol/throttle.ts'

type StrangerDeps = Pick<Deps, 'config' | 'store' | 'clock' | 'vault'>

/** Whether anybody could be this client: it proves nothing, or it made itself. */
export function isStranger(client: Client): boolean {
  return !isConfidential(client) || client.origin !== 'admin'
}

/**
 * Counts what is about to be kept for somebody whom nobody knows yet: a paused request, a pushed one, a device code.
 * Each is gone when it expires; until then, one address fills the database only so far.
 *
 * @returns the refusal when there are too many
 */
export async function countStranger(deps: StrangerDeps, address_prefix: string): Promise<OAuthError | undefined> {
  const counted = await deps.store.consumeAttempt([limitOf(deps, address_prefix)], deps.clock.now())
  if (counted.outcome === 'allowed') return undefined
  const { retry_after } = counted
  return new OAuthError('temporarily_unavailable', 'too many requests from this address', { status: 429, retry_after })
}

/** The counter that {@link countStranger} counts with: who turns out to be somebody gives theirs back. */
export function strangerKey(deps: StrangerDeps, address_prefix: string): string {
  return limitOf(deps, address_prefix).key
}

function limitOf({ config, vault }: StrangerDeps, address_prefix: string) {
  return strangerLimit(address_prefix, config.throttle, (label, value) => vault.digest(label, value))
}
