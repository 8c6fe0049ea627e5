import type { Seconds } from '../protocol/time.ts'
import type { Driver, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, AuditRecord, AuditSeal, Page, PageRequest } from './records.ts'
import * as sql from './statements.ts'
import { auditSteps } from './transition.ts'

/** Above every `audit_id`, all of which are hexadecimal. */
const AFTER_LAST = 'g'

export interface AuditStore {
  appendAudit(audit: Audit): Promise<void>
  listAudit(filter: { event?: string; account_id?: string }, page: PageRequest): Promise<Page<AuditRecord>>
  /** Gives up to `limit` unsealed records the next seal; `hash` computes the link from the previous hash and the records. */
  sealAudit(
    hash: (previous_hash: string, records: readonly AuditRecord[]) => string,
    now: Seconds,
    limit: number,
  ): Promise<'sealed' | 'nothing_to_seal' | 'lost_race'>
  /** Seals after `after`, each with its records, oldest first. */
  readSeals(after: number, limit: number): Promise<{ seal: AuditSeal; records: AuditRecord[] }[]>
}

export function auditStore(driver: Driver): AuditStore {
  return {
    async appendAudit(audit) {
      await driver.batch(auditSteps(audit))
    },

    async listAudit(filter, page) {
      const columns = (['event', 'account_id'] as const).filter((name) => filter[name] !== undefined)
      const before = readCursor(page.cursor, [AFTER_LAST] as const)
      const values = columns.map((name) => filter[name] ?? null)
      const rows = await driver.query<AuditRecord>(sql.listAudit(columns), [...before, page.limit + 1, ...values])
      return pageOf(rows, page, (last) => [last.audit_id])
    },

    async sealAudit(hash, now, limit) {
      const [last] = await driver.query<{ seal: number; hash: string }>(sql.SELECT_LAST_SEAL, [])
      const records = await driver.query<AuditRecord>(sql.LIST_UNSEALED_AUDIT, [limit])
      const from = records[0]?.audit_id
      const to = records.at(-1)?.audit_id
      if (from === undefined || to === undefined) return 'nothing_to_seal'

      const seal = (last?.seal ?? 0) + 1
      const previous_hash = last?.hash ?? ''
      const steps: Step[] = [
        { sql: sql.INSERT_SEAL, values: [seal, previous_hash, hash(previous_hash, records), now], must_change: 1 },
        // A record that arrived among them since, or was sealed by another node, is not covered by this hash.
        { sql: sql.SEAL_AUDIT, values: [seal, from, to], must_change: records.length },
      ]
      const outcome = await driver.batch(steps)
      return outcome.committed ? 'sealed' : 'lost_race'
    },

    async readSeals(after, limit) {
      const seals = await driver.query<AuditSeal>(sql.LIST_SEALS, [after, limit])
      const first = seals[0]
      const last = seals.at(-1)
      if (first === undefined || last === undefined) return []
      const rows = await driver.query<AuditRecord & { seal: number }>(sql.LIST_SEALED_AUDIT, [first.seal, last.seal])
      const sealed = Map.groupBy(rows, (row) => row.seal)
      return seals.map((seal) => ({
        seal,
        records: (sealed.get(seal.seal) ?? []).map(({ seal: _seal, ...record }) => record),
      }))
    },
  }
}
