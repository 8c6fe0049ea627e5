/**
 * The limits on guessing. Attempts are counted before the check that they guard and given back by a success, so that
 * parallel guesses cannot outrun the count and honest sign-ins cost nothing.
 *
 * @see [NIST SP 800-63B-4 §3.2.2](https://pages.nist.gov/800-63-4/sp800-63b.html#throttle) rate limiting
 */
import type { ThrottleLimit } from '../storage/records.ts'
import type { Seconds } from './time.ts'

export interface ThrottlePolicy {
  readonly account_attempts_per_minute: number
  readonly address_attempts_per_minute: number
  readonly client_failures_per_minute: number
  readonly lock_base_seconds: Seconds
  readonly lock_max_seconds: Seconds
  readonly max_consecutive_failures: number
}

/**
 * A keyed digest (the vault's): strangers choose the values, and a counter's key has the same size whatever they
 * choose.
 */
export type ThrottleDigest = (label: string, value: string) => string

const MINUTE = 60
const HOUR = 3600
const YEAR = 365 * 86_400
/** So many services behind one address may fail at the same time, each up to its own limit. */
const CLIENTS_BEHIND_AN_ADDRESS = 5
const NO_LOCK = { lock_base_seconds: 0, lock_max_seconds: 0 } as const

/**
 * The limits that a sign-in passes, the most general first: one that refuses is not told apart by whose account it is.
 *
 * @param attempt.identifier folded; it counts whether or not an account has it
 */
export function signInLimits(
  attempt: { identifier: string; address_prefix: string },
  policy: ThrottlePolicy,
  digest: ThrottleDigest,
): ThrottleLimit[] {
  const { identifier, address_prefix } = attempt
  return [
    perMinute(digest('throttle:address', address_prefix), policy.address_attempts_per_minute),
    {
      // Guesses from everywhere together. However slow they are, they end here until a reset.
      key: accountThrottleKey(identifier, digest),
      limit: Number.MAX_SAFE_INTEGER,
      window_seconds: YEAR,
      max_consecutive: policy.max_consecutive_failures,
      ...NO_LOCK,
    },
    {
      // Only this address is locked, so that a stranger cannot keep the owner out.
      // An address prefix has no space in it, so no two pairs are the same text.
      ...perMinute(
        digest('throttle:account_address', `${address_prefix} ${identifier}`),
        policy.account_attempts_per_minute,
      ),
      lock_base_seconds: policy.lock_base_seconds,
      lock_max_seconds: policy.lock_max_seconds,
    },
  ]
}

/** The counter of failures in a row, which only a success or a reset puts back. */
export function accountThrottleKey(identifier: string, digest: ThrottleDigest): string {
  return digest('throttle:account', identifier)
}

/**
 * The limit on failed authentications of one client (RFC 6749 §2.3.1: it must be protected against brute force).
 * Counted by address prefix as well: otherwise a stranger with a wrong secret could keep an honest service from its tokens.
 */
export function clientAuthLimit(
  attempt: { client_id: string; address_prefix: string },
  policy: ThrottlePolicy,
  digest: ThrottleDigest,
): ThrottleLimit {
  const { client_id, address_prefix } = attempt
  return perMinute(digest('throttle:client_auth', `${address_prefix} ${client_id}`), policy.client_failures_per_minute)
}

/**
 * The limit on failed authentications from one address, whichever clients they name: each leaves a record, and names
 * can be made up without end.
 */
export function clientAuthAddressLimit(
  address_prefix: string,
  policy: ThrottlePolicy,
  digest: ThrottleDigest,
): ThrottleLimit {
  const limit = policy.client_failures_per_minute * CLIENTS_BEHIND_AN_ADDRESS
  return perMinute(digest('throttle:client_auth_address', address_prefix), limit)
}

/**
 * The limits on guesses at the user codes of devices (RFC 8628 §5.1), the most general first. By account rather than by
 * session: a new session is a sign-in away.
 */
export function userCodeLimits(
  attempt: { account_id: string; address_prefix: string },
  policy: ThrottlePolicy,
  digest: ThrottleDigest,
): ThrottleLimit[] {
  return [
    perMinute(digest('throttle:user_code_address', attempt.address_prefix), policy.address_attempts_per_minute),
    {
      ...perMinute(digest('throttle:user_code_account', attempt.account_id), policy.account_attempts_per_minute),
      lock_base_seconds: policy.lock_base_seconds,
      lock_max_seconds: policy.lock_max_seconds,
    },
  ]
}

/** The limit on what is kept for strangers of one address, whatever it is: one counter, so that they fill one row only. */
export function strangerLimit(
  address_prefix: string,
  policy: { readonly strangers_per_minute: number },
  digest: ThrottleDigest,
): ThrottleLimit {
  return perMinute(digest('throttle:stranger', address_prefix), policy.strangers_per_minute)
}

/** The limits on clients that register themselves while anybody may: the most general first. */
export function registrationLimits(
  address_prefix: string,
  policy: { readonly max_per_hour: number; readonly max_per_address_per_hour: number },
  digest: ThrottleDigest,
): ThrottleLimit[] {
  const perHour = (key: string, limit: number) => ({ ...perMinute(key, limit), window_seconds: HOUR })
  return [
    perHour(digest('throttle:registration', ''), policy.max_per_hour),
    perHour(digest('throttle:registration_address', address_prefix), policy.max_per_address_per_hour),
  ]
}

function perMinute(key: string, limit: number): ThrottleLimit {
  return { key, limit, window_seconds: MINUTE, max_consecutive: null, ...NO_LOCK }
}
