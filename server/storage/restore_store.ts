import type { Seconds } from '../protocol/time.ts'
import type { Driver } from './driver.ts'
import type { Audit } from './records.ts'
import { endSteps } from './session_store.ts'
import * as sql from './statements.ts'
import { LEASE_STATUS_INDICES } from './statements_status.ts'
import { EMPTY_AFTER_RESTORE } from './statements_tables.ts'
import { transition } from './transition.ts'

/**
 * Grants that may have been made since the backup: their indices in the status lists are in tokens that are still out, and
 * no other grant is to get one of them.
 */
const INDICES_SKIPPED = 2 ** 22
/** Later than anything was made. */
const EVER: Seconds = 2 ** 40

export interface RestoreStore {
  /**
   * Ends what may have been ended, or used up, since the moment that the database was put back to: every grant, every
   * session, and everything that works once.
   *
   * @returns how many grants and sessions were alive
   */
  endEverything(now: Seconds, audit: Audit): Promise<{ readonly grants: number; readonly sessions: number }>
}

export function restoreStore(driver: Driver): RestoreStore {
  return {
    async endEverything(now, audit) {
      const steps = [
        { sql: sql.revokeGrants(['issued_before']), values: [now, 'restored', EVER] },
        ...endSteps({ created_before: EVER }, 'restored', now),
        { sql: LEASE_STATUS_INDICES, values: [INDICES_SKIPPED] },
        ...EMPTY_AFTER_RESTORE.map((text) => ({ sql: text, values: [] })),
      ]
      const outcome = await transition(driver, steps, audit)
      const [grants, sessions] = outcome.committed ? outcome.results : []
      return { grants: grants?.changes ?? 0, sessions: sessions?.changes ?? 0 }
    },
  }
}
