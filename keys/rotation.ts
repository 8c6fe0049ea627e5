import type { SigningAlgorithm } from '../server/protocol/resource.ts'
import type { Seconds } from '../server/protocol/time.ts'
import type { KeyFetcher, SigningKeyRecord } from '../server/storage/records.ts'
import { unawareOf } from './fetchers.ts'
import { activeKey, keyState, nextKey } from './keyring.ts'

/**
 * When keys change.
 *
 * @see [OpenID Connect Core §10.1.1](https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys)
 */
export interface RotationPolicy {
  /** How long a key signs. */
  readonly rotation_seconds: Seconds
  /** How long a key is in the JWK Set before it signs: as long as any verifier may keep an older set. */
  readonly publish_ahead_seconds: Seconds
  /** How long a rotation that is due waits for resource servers that have not fetched the next key. */
  readonly wait_for_fetchers_seconds: Seconds
  /** Lifetime of the longest-lived token that we sign. */
  readonly longest_token_seconds: Seconds
}

/** For other nodes that learn of a rotation a little later and sign with the old key meanwhile, and for clock skew. */
export const REMOVAL_LEEWAY_SECONDS = 300

/** Something to do to the keyring now. */
export type KeyringChange =
  /** Make an active and a next key together. */
  | { readonly change: 'found'; readonly alg: SigningAlgorithm }
  | { readonly change: 'add_next'; readonly alg: SigningAlgorithm }
  | {
      readonly change: 'activate'
      readonly alg: SigningAlgorithm
      readonly kid: string
      readonly retire: string | null
    }
  | { readonly change: 'remove'; readonly alg: SigningAlgorithm; readonly kid: string }

/** What an algorithm lacks before it can sign and be rotated; undefined: nothing. */
export function missingKeys(keys: readonly SigningKeyRecord[], alg: SigningAlgorithm): KeyringChange | undefined {
  const next = nextKey(keys, alg)
  if (activeKey(keys, alg) !== undefined) return next === undefined ? { change: 'add_next', alg } : undefined
  // Without an active key nothing signs at all: a key that some verifiers know is the best there is.
  return next === undefined ? { change: 'found', alg } : { change: 'activate', alg, kid: next.kid, retire: null }
}

/** What is due now. An activation is to be carried out together with a new next key. */
export function dueChanges(
  keys: readonly SigningKeyRecord[],
  now: Seconds,
  policy: RotationPolicy,
  algorithms: readonly SigningAlgorithm[],
  fetchers: readonly KeyFetcher[] = [],
): KeyringChange[] {
  const due: KeyringChange[] = []
  for (const alg of algorithms) {
    const change = missingKeys(keys, alg) ?? dueActivation(keys, now, policy, alg, fetchers)
    if (change !== undefined) due.push(change)
  }
  for (const { retired_at, alg, kid, removed_at } of keys) {
    if (retired_at === null || removed_at !== null) continue
    // The last token it signed has expired.
    const unused_at = retired_at + policy.longest_token_seconds + REMOVAL_LEEWAY_SECONDS
    if (unused_at <= now) due.push({ change: 'remove', alg, kid })
  }
  return due
}

function dueActivation(
  keys: readonly SigningKeyRecord[],
  now: Seconds,
  policy: RotationPolicy,
  alg: SigningAlgorithm,
  fetchers: readonly KeyFetcher[] = [],
): KeyringChange | undefined {
  const active = activeKey(keys, alg)
  const next = nextKey(keys, alg)
  if (active === undefined || next === undefined || now < dueAt(keys, active, next, policy)) return undefined
  if (waitingFor(keys, now, policy, alg, fetchers) !== undefined) return undefined
  return { change: 'activate', alg, kid: next.kid, retire: active.kid }
}

/** When a key has signed for long enough, and its successor is ready. */
function dueAt(
  keys: readonly SigningKeyRecord[],
  { activated_at }: SigningKeyRecord,
  next: SigningKeyRecord,
  policy: RotationPolicy,
): Seconds {
  const signed_enough_at = activated_at === null ? Number.POSITIVE_INFINITY : activated_at + policy.rotation_seconds
  return Math.max(signed_enough_at, readyAt(keys, next, policy))
}

/** Resource servers that a rotation waits for. */
export interface Waiting {
  readonly alg: SigningAlgorithm
  readonly kid: string
  /** The rotation is due. */
  readonly due: boolean
  /** Then it happens without them. */
  readonly until: Seconds
  readonly fetchers: readonly KeyFetcher[]
}

/** Who has to fetch the next key of an algorithm before it signs; undefined: nobody, or they have had their time. */
export function waitingFor(
  keys: readonly SigningKeyRecord[],
  now: Seconds,
  policy: RotationPolicy,
  alg: SigningAlgorithm,
  fetchers: readonly KeyFetcher[] = [],
): Waiting | undefined {
  const active = activeKey(keys, alg)
  const next = nextKey(keys, alg)
  if (active === undefined || next === undefined || policy.wait_for_fetchers_seconds === 0) return undefined
  const unaware = unawareOf(fetchers, { alg, active: active.kid, next: next.kid })
  const due_at = dueAt(keys, active, next, policy)
  const until = due_at + policy.wait_for_fetchers_seconds
  if (unaware.length === 0 || until <= now) return undefined
  return { alg, kid: next.kid, due: due_at <= now, until, fetchers: unaware }
}

/** Someone asks for a rotation before it is due. */
export interface RotationRequest {
  /** Some verifiers may refuse the new key's tokens until they fetch the JWK Set again. */
  readonly force: boolean
}

export type RotationPlan =
  | { readonly outcome: 'activate'; readonly kid: string; readonly retire: string | null }
  | { readonly outcome: 'too_early'; readonly ready_at: Seconds }
  | ({ readonly outcome: 'waiting' } & Waiting)
  /** {@link missingKeys} first. */
  | { readonly outcome: 'no_next_key' }

/** Whether the next key of an algorithm may be activated at once. */
export function planRotation(
  keys: readonly SigningKeyRecord[],
  now: Seconds,
  policy: RotationPolicy,
  alg: SigningAlgorithm,
  request: RotationRequest,
  fetchers: readonly KeyFetcher[] = [],
): RotationPlan {
  const next = nextKey(keys, alg)
  if (next === undefined) return { outcome: 'no_next_key' }
  const ready_at = readyAt(keys, next, policy)
  if (!request.force) {
    if (ready_at > now) return { outcome: 'too_early', ready_at }
    const waiting = waitingFor(keys, now, policy, alg, fetchers)
    if (waiting !== undefined) return { outcome: 'waiting', ...waiting }
  }
  return { outcome: 'activate', kid: next.kid, retire: activeKey(keys, alg)?.kid ?? null }
}

/** When every JWK Set that a verifier may still hold contains the next key. */
function readyAt(keys: readonly SigningKeyRecord[], next: SigningKeyRecord, policy: RotationPolicy): Seconds {
  return isFounding(keys, next) ? next.created_at : next.created_at + policy.publish_ahead_seconds
}

/**
 * Made together with the keyring's first key: every JWK Set ever served contains it. Instants are whole seconds, so
 * the same instant alone would also fit a key made by a rotation soon after; that one has a predecessor that retired.
 */
function isFounding(keys: readonly SigningKeyRecord[], next: SigningKeyRecord): boolean {
  return keys.every(
    (key) =>
      key.created_at >= next.created_at &&
      (key.alg !== next.alg || keyState(key) === 'next' || isFirstActive(key, next)),
  )
}

function isFirstActive(key: SigningKeyRecord, next: SigningKeyRecord): boolean {
  return keyState(key) === 'active' && key.created_at === next.created_at && key.activated_at === key.created_at
}
