import type { LogoutDelivery } from '../protocol/logout.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, Page, PageRequest } from './records.ts'
import * as sql from './statements_sessions.ts'
import { happens } from './transition.ts'

export interface LogoutStore {
  /** Takes up to `limit` deliveries that are due and moves them to `retry_at`, so that no other node tries them meanwhile. */
  claimLogoutDeliveries(now: Seconds, retry_at: Seconds, limit: number): Promise<LogoutDelivery[]>
  settleLogoutDelivery(
    delivery: Pick<
      LogoutDelivery,
      'session_id' | 'client_id' | 'next_attempt_at' | 'delivered_at' | 'failed_at' | 'last_error'
    >,
    audit: Audit,
  ): Promise<void>
  listLogoutDeliveries(
    filter: { client_id?: string; session_id?: string },
    page: PageRequest,
  ): Promise<Page<LogoutDelivery>>
}

export function logoutStore(driver: Driver): LogoutStore {
  return {
    async claimLogoutDeliveries(now, retry_at, limit) {
      const step: Step = { sql: sql.CLAIM_LOGOUT_DELIVERIES, values: [now, retry_at, limit] }
      const outcome = await driver.batch([step])
      return outcome.committed ? ((outcome.results[0]?.rows ?? []) as unknown as LogoutDelivery[]) : []
    },

    async settleLogoutDelivery(delivery, audit) {
      const { session_id, client_id, next_attempt_at, delivered_at, failed_at, last_error } = delivery
      const values = [session_id, client_id, next_attempt_at, delivered_at, failed_at, last_error]
      await happens(driver, { sql: sql.SETTLE_LOGOUT_DELIVERY, values }, audit)
    },

    async listLogoutDeliveries(filter, page) {
      const filters = (['client_id', 'session_id'] as const).filter((name) => filter[name] !== undefined)
      const after = readCursor(page.cursor, [-1, '', ''] as const)
      const values = [...after, page.limit + 1, ...filters.map((name) => filter[name] ?? null)]
      const rows = await driver.query<LogoutDelivery>(sql.listLogoutDeliveries(filters), values)
      return pageOf(rows, page, (last) => [last.created_at, last.session_id, last.client_id])
    },
  }
}
