import { accountStore } from './account_store.ts'
import { auditStore } from './audit_store.ts'
import { clientStore } from './client_store.ts'
import type { Driver, Step } from './driver.ts'
import { grantStore } from './grant_store.ts'
import { keyStore } from './key_store.ts'
import { resourceStore } from './resource_store.ts'
import * as sql from './statements.ts'
import type { Store } from './store.ts'
import { throttleStore } from './throttle_store.ts'

/** A grant outlives its last token by this long: a late request then hears that it has expired, not that it never was. */
const GRANT_MEMORY_SECONDS = 86_400

/** The store over any driver. @param driver of a database that has been migrated. */
export function sqlStore(driver: Driver): Store {
  return {
    ...accountStore(driver),
    ...clientStore(driver),
    ...resourceStore(driver),
    ...grantStore(driver),
    ...throttleStore(driver),
    ...keyStore(driver),
    ...auditStore(driver),

    async sweep(now, limit) {
      const steps: Step[] = [
        { sql: sql.SWEEP_GRANTS, values: [now - GRANT_MEMORY_SECONDS, limit] },
        { sql: sql.SWEEP_REVOKED_ACCESS_TOKENS, values: [now, limit] },
        { sql: sql.SWEEP_THROTTLES, values: [now, limit] },
        { sql: sql.SWEEP_ONE_TIME_HANDLES, values: [now, limit] },
        { sql: sql.SWEEP_LOCKS, values: [now, limit] },
      ]
      const outcome = await driver.batch(steps)
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
