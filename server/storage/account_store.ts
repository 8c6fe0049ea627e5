import { type Account, ADMIN_ROLE } from '../protocol/account.ts'
import { foldIdentifier } from '../protocol/identifier.ts'
import type { Driver, SqlValue, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import * as sql from './statements.ts'
import type { AccountStore } from './store.ts'
import { happens, transition } from './transition.ts'

/** A row of `accounts`. */
export type AccountRow = Omit<Account, 'roles'> & { readonly roles: string }

export function accountOf(row: AccountRow): Account {
  const roles: string[] = JSON.parse(row.roles)
  return { ...row, roles }
}

/** How long the lock row of {@link AccountStore.createFirstAdministrator} stays before it is swept. */
const LOCK_SECONDS = 60
const ADMIN_IN_JSON = JSON.stringify(ADMIN_ROLE)

export function accountStore(driver: Driver): AccountStore {
  async function findAccount(account_id: string): Promise<Account | undefined> {
    const [row] = await driver.query<AccountRow>(sql.SELECT_ACCOUNT, [account_id])
    return row && accountOf(row)
  }

  async function whyNot(account_id: string): Promise<'unchanged' | 'not_found'> {
    return (await findAccount(account_id)) === undefined ? 'not_found' : 'unchanged'
  }

  return {
    findAccount,

    async createAccount(account, audit) {
      const steps = [
        { sql: sql.INSERT_ACCOUNT, values: valuesOf(account), must_change: 1 },
        ...identifierSteps(account),
      ]
      const outcome = await transition(driver, steps, audit)
      return outcome.committed ? 'created' : 'identifier_taken'
    },

    async createFirstAdministrator(account, setup_link_digest, now, audit) {
      const steps: Step[] = [
        // Two links at once: the second waits here, and then sees the first one's administrator.
        { sql: sql.TAKE_LOCK, values: ['first_administrator', now + LOCK_SECONDS] },
        { sql: sql.CLAIM_ONE_TIME_HANDLE, values: [setup_link_digest, 'setup_link', now], must_change: 1 },
        { sql: sql.INSERT_FIRST_ADMINISTRATOR, values: [...valuesOf(account), ADMIN_IN_JSON], must_change: 1 },
        ...identifierSteps(account),
      ]
      const outcome = await transition(driver, steps, audit)
      if (outcome.committed) return 'created'
      return outcome.failed_step <= 2 ? 'link_spent' : 'identifier_taken'
    },

    async findAccountByIdentifier(identifier) {
      const [row] = await driver.query<AccountRow>(sql.SELECT_ACCOUNT_BY_IDENTIFIER, [identifier])
      return row && accountOf(row)
    },

    async listAccounts(page) {
      const after = readCursor(page.cursor, [-1, ''] as const)
      const rows = await driver.query<AccountRow>(sql.LIST_ACCOUNTS, [...after, page.limit + 1])
      return pageOf(rows.map(accountOf), page, (last) => [last.created_at, last.account_id])
    },

    async updateAccount(account, audit) {
      const { account_id, username, email, email_verified_at, name, roles, updated_at } = account
      const values = [account_id, username, email, email_verified_at, name, JSON.stringify(roles), updated_at]
      const steps: Step[] = [
        { sql: sql.UPDATE_ACCOUNT, values, must_change: 1 },
        { sql: sql.DELETE_IDENTIFIERS, values: [account_id] },
        ...identifierSteps(account),
      ]
      const outcome = await transition(driver, steps, audit)
      if (outcome.committed) return 'updated'
      return outcome.failed_step === 0 ? 'not_found' : 'identifier_taken'
    },

    async replacePasswordHash({ account_id, expected, password_hash, now }, audit) {
      const step = { sql: sql.REPLACE_PASSWORD_HASH, values: [account_id, expected, password_hash, now] }
      return (await happens(driver, step, audit)) ? 'replaced' : 'stale'
    },

    async disableAccount(account_id, now, audit) {
      const steps: Step[] = [
        { sql: sql.DISABLE_ACCOUNT, values: [account_id, now], must_change: 1 },
        { sql: sql.REVOKE_GRANTS_OF_ACCOUNT, values: [now, 'account_disabled', account_id] },
      ]
      const outcome = await transition(driver, steps, audit)
      return outcome.committed ? 'disabled' : whyNot(account_id)
    },

    async enableAccount(account_id, now, audit) {
      const step = { sql: sql.ENABLE_ACCOUNT, values: [account_id, now] }
      return (await happens(driver, step, audit)) ? 'enabled' : whyNot(account_id)
    },

    async hasAdministrator() {
      const rows = await driver.query(sql.SELECT_ADMINISTRATOR, [ADMIN_IN_JSON])
      return rows.length > 0
    },
  }
}

function valuesOf(account: Account): SqlValue[] {
  return [
    account.account_id,
    account.username,
    account.email,
    account.email_verified_at,
    account.name,
    JSON.stringify(account.roles),
    account.password_hash,
    account.disabled_at,
    account.created_at,
    account.updated_at,
  ]
}

/** One name space for usernames and addresses; in one order, so that two accounts cannot deadlock over two of them. */
function identifierSteps(account: Account): Step[] {
  const identifiers = new Set([account.username, account.email ?? account.username].map(foldIdentifier))
  return [...identifiers]
    .toSorted()
    .map((identifier) => ({ sql: sql.INSERT_IDENTIFIER, values: [identifier, account.account_id], must_change: 1 }))
}
