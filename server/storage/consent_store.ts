import type { Consent } from '../protocol/consent.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver, SqlValue, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, ConsentChange, Page, PageRequest } from './records.ts'
import { REVOKE_GRANTS_OF_CONSENT } from './statements.ts'
import * as sql from './statements_authorization.ts'
import { happens, type NamedStep, transition } from './transition.ts'

interface ConsentRow extends Omit<Consent, 'resources' | 'redirect_hosts' | 'claims'> {
  readonly resources: string
  readonly redirect_hosts: string
  readonly claims: string
}

export interface ConsentStore {
  findConsent(account_id: string, client_id: string): Promise<Consent | undefined>
  /** Compare-and-swap, so that what is withdrawn meanwhile does not come back. */
  saveConsent(change: ConsentChange, audit: Audit): Promise<'saved' | 'consent_changed'>
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

    async saveConsent(change, audit) {
      return (await happens(driver, consentStep(change), audit)) ? 'saved' : 'consent_changed'
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

/** A consent is what it was when it was read, and is replaced. */
export function consentStep({ consent, before }: ConsentChange): NamedStep<'consent_changed'> {
  const guard = { must_change: 1, otherwise: 'consent_changed' } as const
  const values = [consent.account_id, consent.client_id, ...contentOf(consent)]
  if (before === undefined) return { ...guard, sql: sql.INSERT_CONSENT, values }
  return { ...guard, sql: sql.REPLACE_CONSENT, values: [...values, ...contentOf(before)] }
}

function contentOf({ scope, resources, redirect_hosts, claims, granted_at, updated_at }: Consent): SqlValue[] {
  const lists = [resources, redirect_hosts, claims].map((list) => JSON.stringify(list))
  return [scope, ...lists, granted_at, updated_at]
}

function consentOf(row: ConsentRow): Consent {
  const resources: string[] = JSON.parse(row.resources)
  const redirect_hosts: string[] = JSON.parse(row.redirect_hosts)
  const claims: string[] = JSON.parse(row.claims)
  return { ...row, resources, redirect_hosts, claims }
}
