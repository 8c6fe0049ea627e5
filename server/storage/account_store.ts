import { type Account, type AccountProfile, ADMIN_ROLE } from '../protocol/account.ts'
import type { RevokedBecause } from '../protocol/grant.ts'
import { foldIdentifier } from '../protocol/identifier.ts'
import type { SessionEndedBecause } from '../protocol/session.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver, SqlValue, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { AccountImport, Audit, Page, PageRequest, PasswordHashChange } from './records.ts'
import * as sql from './statements.ts'
import { DENY_DEVICES_OF_ACCOUNT } from './statements_authorization.ts'
import { END_SESSIONS_OF_ACCOUNT, QUEUE_DELIVERIES_OF_ACCOUNT } from './statements_sessions.ts'
import { happens, type NamedStep, transition } from './transition.ts'

/** A row of `accounts`. */
export type AccountRow = Omit<Account, 'roles' | 'profile'> & { readonly roles: string; readonly profile: string }
/** An account beside a row of another table; it may be gone. */
export type AccountColumns = { readonly [K in keyof AccountRow as `account_${K}`]: AccountRow[K] | null }

export function accountOf(row: AccountRow): Account {
  const roles: string[] = JSON.parse(row.roles)
  const profile: AccountProfile = JSON.parse(row.profile)
  return { ...row, roles, profile }
}

export function joinedAccount(row: AccountColumns): Account | undefined {
  const { account_account_id, account_username, account_roles, account_profile } = row
  const { account_created_at, account_updated_at } = row
  if (account_account_id === null || account_username === null || account_roles === null) return undefined
  if (account_profile === null || account_created_at === null || account_updated_at === null) return undefined
  return accountOf({
    account_id: account_account_id,
    username: account_username,
    email: row.account_email,
    email_verified_at: row.account_email_verified_at,
    name: row.account_name,
    roles: account_roles,
    profile: account_profile,
    password_hash: row.account_password_hash,
    disabled_at: row.account_disabled_at,
    created_at: account_created_at,
    updated_at: account_updated_at,
    legacy_user_id: row.account_legacy_user_id,
  })
}

/**
 * The account must not be disabled, nor be until the batch has ended: checking a password takes longer than disabling an
 * account, and the commit decides which came first.
 */
export function enabledSteps(account_id: string): NamedStep<'account_disabled'>[] {
  return [
    { sql: sql.HOLD_ACCOUNT, values: [account_id] },
    { sql: sql.SELECT_DISABLED_ACCOUNT, values: [account_id], must_change: 0, otherwise: 'account_disabled' },
  ]
}

/** How long the lock row of {@link AccountStore.createFirstAdministrator} stays before it is swept. */
const LOCK_SECONDS = 60
const ADMIN_IN_JSON = JSON.stringify(ADMIN_ROLE)

export interface AccountStore {
  /** The username and the e-mail address, folded, are identifiers; each belongs to one account. */
  createAccount(account: Account, audit: Audit): Promise<'created' | 'identifier_taken'>
  /** For the first administrator: creates the account and claims the set-up link in one step, once. */
  createFirstAdministrator(
    account: Account,
    setup_link_digest: string,
    now: Seconds,
    audit: Audit,
  ): Promise<'created' | 'identifier_taken' | 'link_spent'>
  findAccount(account_id: string): Promise<Account | undefined>
  /** @param identifier folded by `protocol/identifier.ts` */
  findAccountByIdentifier(identifier: string): Promise<Account | undefined>
  findAccountByLegacyUserId(legacy_user_id: string): Promise<Account | undefined>
  /** Every account that one of the names belongs to. @param names.identifiers folded */
  findAccounts(names: {
    readonly identifiers: readonly string[]
    readonly legacy_user_ids: readonly string[]
  }): Promise<readonly Account[]>
  /**
   * Makes and changes accounts, all of them or none. Whoever is disabled by it, or gets another password in place of one
   * that there was, is signed out in the same commit.
   *
   * @returns `stale`: the one at `index` was changed meanwhile, or one of its names has been taken
   */
  importAccounts(
    imports: readonly AccountImport[],
    now: Seconds,
    audit: Audit,
  ): Promise<{ readonly outcome: 'imported' } | { readonly outcome: 'stale'; readonly index: number }>
  listAccounts(page: PageRequest): Promise<Page<Account>>
  /**
   * Replaces username, email, email_verified_at, name, profile and roles; nothing else.
   *
   * @param before what was read of it: any other version is left alone (`stale`); left out: whatever is there
   */
  updateAccount(
    account: Account,
    audit: Audit,
    before?: Account,
  ): Promise<'updated' | 'not_found' | 'identifier_taken' | 'stale'>
  /** Compare-and-swap, so that a rehash at sign-in never overwrites a new password. */
  replacePasswordHash(change: PasswordHashChange, audit: Audit): Promise<'replaced' | 'stale'>
  /** Disables the account, revokes all its grants and ends all its sessions in the same commit. */
  disableAccount(account_id: string, now: Seconds, audit: Audit): Promise<'disabled' | 'unchanged' | 'not_found'>
  enableAccount(account_id: string, now: Seconds, audit: Audit): Promise<'enabled' | 'unchanged' | 'not_found'>
  /** Whether anyone holds the role `admin` and is not disabled. */
  hasAdministrator(): Promise<boolean>
}

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

    async findAccountByLegacyUserId(legacy_user_id) {
      const [row] = await driver.query<AccountRow>(sql.SELECT_ACCOUNT_BY_LEGACY_USER_ID, [legacy_user_id])
      return row && accountOf(row)
    },

    async findAccounts({ identifiers, legacy_user_ids }) {
      const found = new Map<string, Account>()
      const look = async (text: string, names: readonly string[]) => {
        for (let from = 0; from < names.length; from += sql.NAMES_AT_ONCE) {
          const some = names.slice(from, from + sql.NAMES_AT_ONCE)
          const filled = [...some, ...new Array<string>(sql.NAMES_AT_ONCE - some.length).fill(some[0] ?? '')]
          for (const row of await driver.query<AccountRow>(text, filled)) found.set(row.account_id, accountOf(row))
        }
      }
      await look(sql.SELECT_ACCOUNTS_BY_IDENTIFIERS, identifiers)
      await look(sql.SELECT_ACCOUNTS_BY_LEGACY_USER_IDS, legacy_user_ids)
      return [...found.values()]
    },

    async importAccounts(imports, now, audit) {
      const parts = imports.map((change) => importSteps(change, now))
      const outcome = await transition(driver, parts.flat(), audit)
      if (outcome.committed) return { outcome: 'imported' }
      const owners = parts.flatMap((part, index) => part.map(() => index))
      return { outcome: 'stale', index: owners[outcome.failed_step] ?? 0 }
    },

    async listAccounts(page) {
      const after = readCursor(page.cursor, [-1, ''] as const)
      const rows = await driver.query<AccountRow>(sql.LIST_ACCOUNTS, [...after, page.limit + 1])
      return pageOf(rows.map(accountOf), page, (last) => [last.created_at, last.account_id])
    },

    async updateAccount(account, audit, before) {
      const { account_id } = account
      const values = [account_id, ...changeableOf(account), account.updated_at]
      const update =
        before === undefined
          ? { sql: sql.UPDATE_ACCOUNT, values }
          : { sql: sql.UPDATE_ACCOUNT_AS_READ, values: [...values, ...changeableOf(before)] }
      const steps: Step[] = [
        { ...update, must_change: 1 },
        { sql: sql.DELETE_IDENTIFIERS, values: [account_id] },
        ...identifierSteps(account),
      ]
      const outcome = await transition(driver, steps, audit)
      if (outcome.committed) return 'updated'
      if (outcome.failed_step > 0) return 'identifier_taken'
      return (await whyNot(account_id)) === 'not_found' ? 'not_found' : 'stale'
    },

    async replacePasswordHash({ account_id, expected, password_hash, now, ends_everything }, audit) {
      const steps: Step[] = [
        { sql: sql.REPLACE_PASSWORD_HASH, values: [account_id, expected, password_hash, now], must_change: 1 },
        ...(ends_everything === null ? [] : endEverything(account_id, ends_everything, now)),
      ]
      return (await transition(driver, steps, audit)).committed ? 'replaced' : 'stale'
    },

    async disableAccount(account_id, now, audit) {
      const steps: Step[] = [
        { sql: sql.DISABLE_ACCOUNT, values: [account_id, now], must_change: 1 },
        ...endEverything(account_id, 'account_disabled', now),
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

/** What {@link AccountStore.updateAccount} replaces, as columns. */
function changeableOf({ username, email, email_verified_at, name, roles, profile }: Account): SqlValue[] {
  return [username, email, email_verified_at, name, JSON.stringify(roles), JSON.stringify(profile)]
}

function importSteps({ account, before }: AccountImport, now: Seconds): Step[] {
  if (before === undefined) {
    return [{ sql: sql.INSERT_ACCOUNT, values: valuesOf(account), must_change: 1 }, ...identifierSteps(account)]
  }
  const { account_id, password_hash, disabled_at, legacy_user_id } = account
  const after = [account_id, ...changeableOf(account), account.updated_at, password_hash, disabled_at, legacy_user_id]
  const values = [...after, before.password_hash, before.disabled_at, ...changeableOf(before)]
  const steps: Step[] = [
    { sql: sql.UPDATE_IMPORTED_ACCOUNT, values, must_change: 1 },
    { sql: sql.DELETE_IDENTIFIERS, values: [account_id] },
    ...identifierSteps(account),
  ]
  if (disabled_at !== null && before.disabled_at === null) {
    steps.push(...endEverything(account_id, 'account_disabled', now))
  } else if (before.password_hash !== null && password_hash !== before.password_hash) {
    steps.push(...endEverything(account_id, 'revoked_by_admin', now))
  }
  return steps
}

function endEverything(account_id: string, because: SessionEndedBecause & RevokedBecause, now: Seconds): Step[] {
  const values = [now, because, account_id]
  return [
    // Sessions before grants, as everywhere: whoever holds a session is about to make a grant.
    { sql: END_SESSIONS_OF_ACCOUNT, values },
    // Codes end with their session. Devices do not, and what is not a grant yet must not become one.
    { sql: DENY_DEVICES_OF_ACCOUNT, values: [now, account_id] },
    { sql: sql.REVOKE_GRANTS_OF_ACCOUNT, values },
    { sql: QUEUE_DELIVERIES_OF_ACCOUNT, values },
  ]
}

function valuesOf(account: Account): SqlValue[] {
  return [
    account.account_id,
    account.username,
    account.email,
    account.email_verified_at,
    account.name,
    JSON.stringify(account.roles),
    JSON.stringify(account.profile),
    account.password_hash,
    account.disabled_at,
    account.created_at,
    account.updated_at,
    account.legacy_user_id,
  ]
}

/** One name space for usernames and addresses; in one order, so that two accounts cannot deadlock over two of them. */
function identifierSteps(account: Account): Step[] {
  const identifiers = new Set([account.username, account.email ?? account.username].map(foldIdentifier))
  return [...identifiers]
    .toSorted()
    .map((identifier) => ({ sql: sql.INSERT_IDENTIFIER, values: [identifier, account.account_id], must_change: 1 }))
}
