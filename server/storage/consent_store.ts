import type { Consent } from '../protocol/consent.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, Page, PageRequest } from './records.ts'
import { REVOKE_GRANTS_OF_CONSENT } from './statements.ts'
import * as sql from './statements_authorization.ts'
import { transition } from './transition.ts'

interface ConsentRow extends Omit<Consent, 'resources' | 'redirect_hosts' | 'claims'> {
  readonly resources: string
  readonly redirect_hosts: string
  readonly claims: string
}

export interface ConsentStore {
  findConsent(account_id: string, client_id: string): Promise<Consent | undefined>
  /** Replaces what was there. */
  saveConsent(consent: Consent, audit: Audit): Promise<void>
  listConsents(filter: { account_id?: string; client_id?: string }, page: PageRequest): Promise<Page<Consent>>
  /** Takes it away and revokes all grants of this client by this account (`consent_withdrawn`) in the same commit. */
  withdrawConsent(account_id: string, client_id: string, now: Seconds, audit: Audit): Promise<'withdrawn' | 'not_found'>
}

export function consentStore(driver: Driver): ConsentStore {
  return {
    async findConsent(account_id, client_id) {
      const [row] = await driver.query<ConsentRow>(sql.SELECT_CONSENT, [account_id, client_id])
      return row && consentOf(row)
    },

    async saveConsent(consent, audit) {
      const { account_id, client_id, scope, resources, redirect_hosts, claims, granted_at, updated_at } = consent
      const lists = [resources, redirect_hosts, claims].map((list) => JSON.stringify(list))
      const values = [account_id, client_id, scope, ...lists, granted_at, updated_at]
      await transition(driver, [{ sql: sql.SAVE_CONSENT, values }], audit)
    },

    async listConsents(filter, page) {
      const filters = (['account_id', 'client_id'] as const).filter((name) => filter[name] !== undefined)
      const after = readCursor(page.cursor, ['', ''] as const)
      const values = [...after, page.limit + 1, ...filters.map((name) => filter[name] ?? null)]
      const rows = await driver.query<ConsentRow>(sql.listConsents(filters), values)
      return pageOf(rows.map(consentOf), page, (last) => [last.account_id, last.client_id])
    },

    async withdrawConsent(account_id, client_id, now, audit) {
      const steps: Step[] = [
        { sql: sql.DELETE_CONSENT, values: [account_id, client_id], must_change: 1 },
        // What is not a grant yet must not become one. First these: who exchanges one now, is done before or too late.
        { sql: sql.EXPIRE_CODES_OF_CONSENT, values: [account_id, client_id, now] },
        { sql: sql.DENY_DEVICES_OF_CONSENT, values: [account_id, client_id, now] },
        { sql: REVOKE_GRANTS_OF_CONSENT, values: [now, 'consent_withdrawn', account_id, client_id] },
      ]
      const outcome = await transition(driver, steps, audit)
      return outcome.committed ? 'withdrawn' : 'not_found'
    },
  }
}

function consentOf(row: ConsentRow): Consent {
  const resources: string[] = JSON.parse(row.resources)
  const redirect_hosts: string[] = JSON.parse(row.redirect_hosts)
  const claims: string[] = JSON.parse(row.claims)
  return { ...row, resources, redirect_hosts, claims }
}
