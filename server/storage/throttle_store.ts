import type { Seconds } from '../protocol/time.ts'
import type { Driver, Step } from './driver.ts'
import type { ThrottleLimit, ThrottleOutcome } from './records.ts'
import * as sql from './statements.ts'
import { happens } from './transition.ts'

const MONTH_SECONDS = 30 * 86_400
const UNLIMITED = Number.MAX_SAFE_INTEGER

interface ThrottleRow {
  readonly window_ends_at: Seconds
  readonly consecutive: number
  readonly locks: number
  readonly locked_until: Seconds
}

export interface ThrottleStore {
  /** Counts an attempt against every limit, before the check that it guards; all or none are counted. */
  consumeAttempt(limits: readonly ThrottleLimit[], now: Seconds): Promise<ThrottleOutcome>
  /** A success: the attempt is given back and the failures in a row forgotten. */
  giveBackAttempt(keys: readonly string[]): Promise<void>
  /** The check could not be made: this attempt is as if it had never been, and earlier failures still count. */
  withdrawAttempt(keys: readonly string[]): Promise<void>
  /** An administrator's or a password reset's: the counters start anew. */
  resetThrottle(keys: readonly string[]): Promise<void>
}

export function throttleStore(driver: Driver): ThrottleStore {
  /** Says how long the refusal lasts, and locks the key when its limit has just been passed. */
  async function refuse(limit: ThrottleLimit, now: Seconds): Promise<ThrottleOutcome> {
    const { key, lock_base_seconds, lock_max_seconds } = limit
    const [row] = await driver.query<ThrottleRow>(sql.SELECT_THROTTLE, [key])
    const refused = (retry_after: Seconds, newly_locked = false): ThrottleOutcome => {
      return { outcome: 'refused', key, retry_after: Math.max(1, retry_after), newly_locked }
    }
    // Given back or reset in between.
    if (row === undefined) return refused(1)
    if (row.locked_until > now) return refused(row.locked_until - now)
    if (row.consecutive >= (limit.max_consecutive ?? UNLIMITED)) {
      return refused(Math.max(lock_max_seconds, limit.window_seconds))
    }
    if (row.window_ends_at <= now) return refused(1)
    if (lock_base_seconds === 0) return refused(row.window_ends_at - now)

    const seconds = Math.min(lock_base_seconds * 2 ** row.locks, lock_max_seconds)
    const locked_until = now + seconds
    const values = [key, row.locks, limit.limit, locked_until, keepUntil(limit, locked_until)]
    // Of all who were refused at once, one makes the lock; none does when an attempt was given back meanwhile.
    return refused(seconds, await happens(driver, { sql: sql.LOCK_THROTTLE, values }))
  }

  return {
    async consumeAttempt(limits, now) {
      const ordered = inOrder(limits)
      const outcome = await driver.batch(ordered.map((limit) => consumeStep(limit, now)))
      if (outcome.committed) return { outcome: 'allowed' }
      const limit = ordered[outcome.failed_step]
      if (limit === undefined) throw new RangeError('a throttle refused that was not asked')
      return refuse(limit, now)
    },

    async giveBackAttempt(keys) {
      await driver.batch(giveBackSteps(keys))
    },

    async withdrawAttempt(keys) {
      await driver.batch(keys.toSorted().map((key) => ({ sql: sql.WITHDRAW_ATTEMPT, values: [key] })))
    },

    async resetThrottle(keys) {
      await driver.batch(keys.toSorted().map((key) => ({ sql: sql.DELETE_THROTTLE, values: [key] })))
    },
  }
}

/** The steps that give attempts back, for a transition that proves a success. */
export function giveBackSteps(keys: readonly string[]): Step[] {
  return keys.toSorted().map((key) => ({ sql: sql.GIVE_BACK_ATTEMPT, values: [key] }))
}

function consumeStep(limit: ThrottleLimit, now: Seconds): Step {
  const window_ends_at = now + limit.window_seconds
  const most_consecutive = limit.max_consecutive ?? UNLIMITED
  const values = [limit.key, now, window_ends_at, limit.limit, most_consecutive, keepUntil(limit, window_ends_at)]
  return { sql: sql.CONSUME_ATTEMPT, values, must_change: 1 }
}

/** Long enough to remember how often it was locked, and far longer where failures in a row are counted. */
function keepUntil(limit: ThrottleLimit, instant: Seconds): Seconds {
  return instant + Math.max(limit.lock_max_seconds, limit.max_consecutive === null ? 0 : MONTH_SECONDS)
}

/** Everyone takes rows in one order, so that nobody deadlocks. */
function inOrder(limits: readonly ThrottleLimit[]): ThrottleLimit[] {
  return limits.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
