import { accountStore } from './account_store.ts'
import { auditStore } from './audit_store.ts'
import { authorizationStore } from './authorization_store.ts'
import { clientStore } from './client_store.ts'
import { consentStore } from './consent_store.ts'
import { deviceCodeStore } from './device_code_store.ts'
import type { Driver } from './driver.ts'
import { grantStore } from './grant_store.ts'
import { keyStore } from './key_store.ts'
import { logoutStore } from './logout_store.ts'
import { registrationStore } from './registration_store.ts'
import { resourceStore } from './resource_store.ts'
import { restoreStore } from './restore_store.ts'
import { announcing } from './revoked.ts'
import { sessionStore } from './session_store.ts'
import { signalStore } from './signal_store.ts'
import * as sql from './statements.ts'
import * as authorization from './statements_authorization.ts'
import * as sessions from './statements_sessions.ts'
import { SWEEP_SIGNALS } from './statements_signals.ts'
import { statusStore } from './status_store.ts'
import type { Store } from './store.ts'
import { throttleStore } from './throttle_store.ts'

const DAY_SECONDS = 86_400
const WEEK_SECONDS = 7 * DAY_SECONDS
const QUARTER_SECONDS = 100 * DAY_SECONDS

/** What is swept, and how long after its end. */
const SWEEPS: readonly (readonly [sql: string, memory_seconds: number])[] = [
  // For a day a late request hears that the grant or the code has expired, and a replay still finds what to revoke.
  [sql.SWEEP_GRANTS, DAY_SECONDS],
  [authorization.SWEEP_AUTHORIZATION_CODES, DAY_SECONDS],
  [authorization.SWEEP_DEVICE_CODES, DAY_SECONDS],
  // For a week an administrator sees what has ended and who has heard of it.
  [sessions.SWEEP_SESSIONS, WEEK_SECONDS],
  [sessions.SWEEP_ENDED_SESSIONS, WEEK_SECONDS],
  [sessions.SWEEP_LOGOUT_DELIVERIES, WEEK_SECONDS],
  // Taken or not: who polls no more often than that hears of it from the status lists.
  [SWEEP_SIGNALS, WEEK_SECONDS],
  // Longer than a key signs as a rule: who fetched when it began is still known when it ends.
  [sql.SWEEP_KEY_FETCHERS, QUARTER_SECONDS],
  [sql.SWEEP_REVOKED_ACCESS_TOKENS, 0],
  [sql.SWEEP_THROTTLES, 0],
  [sql.SWEEP_ONE_TIME_HANDLES, 0],
  [sql.SWEEP_LOCKS, 0],
  [authorization.SWEEP_INTERACTIONS, 0],
  [authorization.SWEEP_PUSHED_REQUESTS, 0],
  [authorization.SWEEP_USED_IDS, 0],
  [authorization.SWEEP_INITIAL_ACCESS_TOKENS, 0],
]

/** The store over any driver. @param driver of a database that has been migrated. */
export function sqlStore(database: Driver): Store {
  const { driver, onRevoked } = announcing(database)
  return {
    ...accountStore(driver),
    ...clientStore(driver),
    ...resourceStore(driver),
    ...grantStore(driver),
    ...sessionStore(driver),
    ...authorizationStore(driver),
    ...consentStore(driver),
    ...deviceCodeStore(driver),
    ...registrationStore(driver),
    ...logoutStore(driver),
    ...statusStore(driver, onRevoked),
    ...signalStore(driver),
    ...throttleStore(driver),
    ...restoreStore(driver),
    ...keyStore(driver),
    ...auditStore(driver),

    async sweep(now, limit) {
      const outcome = await driver.batch(SWEEPS.map(([sql, memory]) => ({ sql, values: [now - memory, limit] })))
      return outcome.committed ? outcome.results.reduce((sum, result) => sum + result.changes, 0) : 0
    },

    async ping() {
      await driver.query(sql.PING, [])
    },

    close() {
      return driver.close()
    },
  }
}
