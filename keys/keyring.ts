import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../server/protocol/resource.ts'
import type { SigningKeyRecord } from '../server/storage/records.ts'

/**
 * `next`: published, signs nothing yet. `active`: signs. `retiring`: signs nothing more, published while a token of
 * its lives. `removed`: verifies nothing more.
 */
export type KeyState = 'next' | 'active' | 'retiring' | 'removed'

/**
 * The state follows from which instants are set, not from their order: the database's unique indexes hold "one next,
 * one active per algorithm" in the same terms, and a clock that jumps changes no key's state.
 */
export function keyState(key: SigningKeyRecord): KeyState {
  if (key.removed_at !== null) return 'removed'
  if (key.retired_at !== null) return 'retiring'
  return key.activated_at === null ? 'next' : 'active'
}

/** The one key of an algorithm that signs. */
export function activeKey(keys: readonly SigningKeyRecord[], alg: SigningAlgorithm): SigningKeyRecord | undefined {
  return keys.find((key) => key.alg === alg && keyState(key) === 'active')
}

/** The one key of an algorithm that will sign after the active one. */
export function nextKey(keys: readonly SigningKeyRecord[], alg: SigningAlgorithm): SigningKeyRecord | undefined {
  return keys.find((key) => key.alg === alg && keyState(key) === 'next')
}

const PUBLICATION_ORDER: readonly KeyState[] = ['active', 'next', 'retiring']

/**
 * The keys of the JWK Set: all but the removed ones. The active RS256 key comes first, for verifiers that look no
 * further, and the order is the same on every node, so that the entity tag is.
 */
export function publishedKeys(keys: readonly SigningKeyRecord[]): SigningKeyRecord[] {
  return keys
    .filter((key) => keyState(key) !== 'removed')
    .sort(
      (a, b) =>
        SIGNING_ALGORITHMS.indexOf(a.alg) - SIGNING_ALGORITHMS.indexOf(b.alg) ||
        PUBLICATION_ORDER.indexOf(keyState(a)) - PUBLICATION_ORDER.indexOf(keyState(b)) ||
        b.created_at - a.created_at ||
        (a.kid < b.kid ? -1 : 1),
    )
}
