import type { Seconds } from '../protocol/time.ts'
import type { Driver } from './driver.ts'
import type { RevokedAccessToken, RevokedGrant } from './records.ts'
import type { HearRevoked } from './revoked.ts'
import * as sql from './statements_status.ts'

/** How many indices are taken at once. Those that a process has left when it ends are never used. */
const LEASE = 256

export interface StatusStore {
  /** An index in the status lists that no grant has had before. */
  allotStatusIndex(): Promise<number>
  /** The index that comes next, and the least one that a grant still has. */
  readStatusExtent(): Promise<{ readonly first_index: number; readonly next_index: number }>
  /** First to last revoked, after the one that is given. */
  listRevokedGrants(after: RevokedGrant, limit: number): Promise<RevokedGrant[]>
  listRevokedAccessTokens(
    after: { readonly revoked_at: Seconds; readonly jti: string },
    limit: number,
  ): Promise<RevokedAccessToken[]>
  /** Hears of every commit of this process that has revoked something, before whoever asked for it goes on. */
  onRevoked(hear: HearRevoked): void
}

/** @param subscribe hears of every commit that has revoked something */
export function statusStore(driver: Driver, subscribe: StatusStore['onRevoked']): StatusStore {
  let next = 0
  let end = 0
  let leasing: Promise<void> | undefined

  async function lease(): Promise<void> {
    const outcome = await driver.batch([{ sql: sql.LEASE_STATUS_INDICES, values: [LEASE] }])
    const next_value = outcome.committed ? outcome.results[0]?.rows[0]?.next_value : undefined
    if (typeof next_value !== 'number') throw new RangeError('the counter of status indices is gone')
    end = next_value
    next = end - LEASE
  }

  return {
    async allotStatusIndex() {
      while (next === end) {
        leasing ??= lease().finally(() => {
          leasing = undefined
        })
        await leasing
      }
      next += 1
      return next - 1
    },

    async readStatusExtent() {
      const [row] = await driver.query<{ next_index: number; first_index: number | null }>(sql.SELECT_STATUS_EXTENT, [])
      if (row === undefined) throw new RangeError('the counter of status indices is gone')
      return { first_index: row.first_index ?? row.next_index, next_index: row.next_index }
    },

    listRevokedGrants({ revoked_at, status_index }, limit) {
      return driver.query<RevokedGrant>(sql.LIST_REVOKED_GRANTS, [revoked_at, status_index, limit])
    },

    listRevokedAccessTokens({ revoked_at, jti }, limit) {
      return driver.query<RevokedAccessToken>(sql.LIST_REVOKED_ACCESS_TOKENS, [revoked_at, jti, limit])
    },

    onRevoked: subscribe,
  }
}
