/** Who has fetched which keys: rules without effects. */
import type { SigningAlgorithm } from '../server/protocol/resource.ts'
import type { KeyFetcher } from '../server/storage/records.ts'

const LONGEST_AGENT = 40

/**
 * The program behind a user agent, so that an update makes no new fetcher of it.
 *
 * @param user_agent the header; anybody may write anything there
 * @returns its first product's name (RFC 9110 §10.1.5), or `unknown`
 */
export function agentFamily(user_agent: string | undefined): string {
  return /^[\w.!#$%&'*+^`|~-]+/.exec(user_agent ?? '')?.[0].slice(0, LONGEST_AGENT) ?? 'unknown'
}

/**
 * The fetchers of registered resources that would refuse tokens of the next key: those that know the key that signs now
 * and not the one that will. Who does not even know the present one has gone, or is broken already.
 */
export function unawareOf(
  fetchers: readonly KeyFetcher[],
  { alg, active, next }: { readonly alg: SigningAlgorithm; readonly active: string; readonly next: string },
): readonly KeyFetcher[] {
  return fetchers.filter(
    ({ resource, signing_alg, kids }) =>
      resource !== null && signing_alg === alg && kids.includes(active) && !kids.includes(next),
  )
}
