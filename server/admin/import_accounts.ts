import { isDeepStrictEqual } from 'node:util'
import type { NewAccount } from '../accounts/account.ts'
import { passwordHashFormat } from '../accounts/password_hashes/index.ts'
import type { Deps } from '../deps.ts'
import { type FieldProblem, Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Account, ADMIN_ROLE } from '../protocol/account.ts'
import { foldIdentifier, isIdentifier } from '../protocol/identifier.ts'
import type { AccountImport, AuditRecord } from '../storage/records.ts'
import { planAccount, planAccountChange, tell } from './account_changes.ts'
import type { Administrator } from './guard.ts'

export const OUTCOMES = ['created', 'updated', 'unchanged', 'skipped', 'conflict', 'refused'] as const
export type RowOutcome = (typeof OUTCOMES)[number]

export type ImportedAccount = Omit<NewAccount, 'password'>
export type ImportRow = { readonly value: ImportedAccount } | { readonly errors: readonly FieldProblem[] }

export interface RowResult {
  readonly outcome: RowOutcome
  readonly account_id?: string
  readonly errors?: readonly FieldProblem[]
}

export interface ImportOptions {
  /** What becomes of a row whose account is there and differs. */
  readonly on_conflict: 'fail' | 'skip' | 'update'
  readonly dry_run: boolean
  /** Another system may call somebody `admin` who is none here: their rows are refused unless asked for. */
  readonly allow_admins: boolean
}

interface Item {
  readonly index: number
  readonly row: ImportedAccount
  /** How often somebody else was faster. */
  readonly races: number
}

type Decision = { readonly result: RowResult; readonly change?: AccountImport }

const MAX_RACES = 3

/**
 * Brings accounts in, in one commit as far as their names differ. A row whose account is there and the same is
 * `unchanged`, so a file can be sent again.
 *
 * @returns one result for each row
 */
export async function importAccounts(
  deps: Deps,
  by: Administrator,
  rows: readonly ImportRow[],
  options: ImportOptions,
): Promise<RowResult[]> {
  const results: RowResult[] = rows.map((row) => ({ outcome: 'refused', ...('errors' in row ? row : {}) }))
  /** What a dry run would have made. */
  const imagined: Account[] = []
  let pending: Item[] = rows.flatMap((row, index) => ('value' in row ? [{ index, row: row.value, races: 0 }] : []))
  while (pending.length > 0) {
    const { wave, later } = parted(pending)
    const existing = accountsByName([...(await findExisting(deps, wave)), ...imagined])
    const changes: { item: Item; change: AccountImport; result: RowResult }[] = []
    for (const item of wave) {
      const { result, change } = await decide(deps, by, item.row, existing, options)
      if (change === undefined) results[item.index] = result
      else changes.push({ item, change, result })
    }
    const raced = options.dry_run ? [] : await commit(deps, by, changes)
    for (const { item, result, change } of changes) {
      if (raced.includes(item)) continue
      results[item.index] = result
      if (options.dry_run) imagined.push(change.account)
    }
    for (const item of raced) {
      if (item.races < MAX_RACES) later.push({ ...item, races: item.races + 1 })
      else results[item.index] = conflict('username', 'The account is being changed by somebody else; try again.')
    }
    pending = later
  }
  if (!options.dry_run) await deps.store.appendAudit([batchRecord(deps, by, results)])
  return results
}

/** Rows that share a name with an earlier one wait until that one is there. */
function parted(items: readonly Item[]): { wave: Item[]; later: Item[] } {
  const taken = new Set<string>()
  const [wave, later]: [Item[], Item[]] = [[], []]
  for (const item of items) {
    const names = namesOf(item.row)
    if (names.some((name) => taken.has(name))) later.push(item)
    else wave.push(item)
    for (const name of names) taken.add(name)
  }
  return { wave, later }
}

type Named = Pick<ImportedAccount, 'username' | 'email' | 'legacy_user_id'>

function identifiersOf({ username, email }: Named): string[] {
  return [...new Set([username, email ?? username].map(foldIdentifier))].filter(isIdentifier)
}

/** Identifiers and ids of another system, which are told apart by what no identifier begins with. */
function namesOf(named: Named): string[] {
  const { legacy_user_id } = named
  return [...identifiersOf(named), ...(legacy_user_id == null ? [] : [`\0${legacy_user_id}`])]
}

async function findExisting({ store }: Deps, items: readonly Item[]): Promise<readonly Account[]> {
  const identifiers = [...new Set(items.flatMap(({ row }) => identifiersOf(row)))]
  const legacy_user_ids = items.flatMap(({ row }) => row.legacy_user_id ?? [])
  return store.findAccounts({ identifiers, legacy_user_ids })
}

function accountsByName(accounts: readonly Account[]): ReadonlyMap<string, Account> {
  return new Map(accounts.flatMap((account) => namesOf(account).map((name): [string, Account] => [name, account])))
}

async function decide(
  deps: Deps,
  by: Administrator,
  row: ImportedAccount,
  existing: ReadonlyMap<string, Account>,
  { on_conflict, allow_admins }: ImportOptions,
): Promise<Decision> {
  if (!allow_admins && row.roles?.includes(ADMIN_ROLE)) {
    return { result: refused('roles', 'The role admin administers this server: say that such rows are meant.') }
  }
  const found = new Map(
    namesOf(row)
      .flatMap((name) => existing.get(name) ?? [])
      .map((one) => [one.account_id, one]),
  )
  const [before, another] = found.values()
  try {
    if (before === undefined) {
      const planned = await planAccount(deps, by, row)
      if ('problems' in planned) return { result: { outcome: 'refused', errors: planned.problems } }
      const { value: account } = planned
      return { result: { outcome: 'created', account_id: account.account_id }, change: { account, before } }
    }
    const { account_id } = before
    const clash = whoseNames(row, before, another)
    if (clash !== undefined) return { result: on_conflict === 'skip' ? { outcome: 'skipped' } : clash }
    const planned = await planUpdate(deps, by, before, row)
    if ('problems' in planned) return { result: { outcome: 'refused', errors: planned.problems } }
    const fields = differences(before, planned.value)
    if (fields.length === 0) return { result: { outcome: 'unchanged', account_id } }
    if (on_conflict === 'skip') return { result: { outcome: 'skipped', account_id } }
    if (on_conflict === 'fail') {
      const errors = fields.map((field) => ({ field, message: 'The account is there already, and differs.' }))
      return { result: { outcome: 'conflict', account_id, errors } }
    }
    return { result: { outcome: 'updated', account_id }, change: { account: planned.value, before } }
  } catch (error) {
    // Of one row: nobody grants what they lack.
    if (error instanceof Problem) return { result: refused('roles', error.description) }
    throw error
  }
}

function whoseNames(row: ImportedAccount, before: Account, another: Account | undefined): RowResult | undefined {
  if (another !== undefined) return conflict('username', 'Its names belong to more than one account.')
  const ids = [row.legacy_user_id, before.legacy_user_id]
  if (ids.some((id) => id == null) || ids[0] === ids[1]) return undefined
  return conflict('legacy_user_id', 'Its names belong to an account that came with another id.')
}

function conflict(field: string, message: string): RowResult {
  return { outcome: 'conflict', errors: [{ field, message }] }
}

function refused(field: string, message: string): RowResult {
  return { outcome: 'refused', errors: [{ field, message }] }
}

/** What the row says replaces what is there; what it leaves out stays. */
async function planUpdate(deps: Deps, by: Administrator, before: Account, row: ImportedAccount) {
  const { disabled, created_at: _, password_hash, ...members } = row
  const given = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
  const planned = await planAccountChange(deps, by, before, {
    ...given,
    ...(password_hash === undefined || !mayReplace(before.password_hash) ? {} : { password_hash }),
  })
  if ('problems' in planned) return planned
  const now = deps.clock.now()
  const disabled_at = disabled === undefined ? before.disabled_at : disabled ? (before.disabled_at ?? now) : null
  return { value: { ...planned.value, disabled_at } }
}

/** A hash of our own says that its owner has signed in or changed the password since: it is newer than the file. */
function mayReplace(password_hash: string | null): boolean {
  return password_hash === null || passwordHashFormat(password_hash)?.isForeign(password_hash) !== false
}

function differences(before: Account, after: Account): string[] {
  const compared = (account: Account) => ({
    username: account.username,
    email: account.email,
    email_verified: account.email_verified_at !== null,
    name: account.name,
    profile: account.profile,
    roles: account.roles.toSorted(),
    password_hash: account.password_hash,
    disabled: account.disabled_at !== null,
    legacy_user_id: account.legacy_user_id,
  })
  const [was, is] = [compared(before), compared(after)]
  return Object.keys(was).filter((name) => !isDeepStrictEqual(Reflect.get(was, name), Reflect.get(is, name)))
}

/** All of them in one commit, but for those that somebody else has changed meanwhile. @returns these */
async function commit(
  deps: Deps,
  by: Administrator,
  changes: readonly { readonly item: Item; readonly change: AccountImport }[],
): Promise<Item[]> {
  const raced: Item[] = []
  let rest = changes
  while (rest.length > 0) {
    const audit = rest.flatMap(({ change }) => recordsOf(deps, by, change))
    const outcome = await deps.store.importAccounts(
      rest.map(({ change }) => change),
      deps.clock.now(),
      audit,
    )
    if (outcome.outcome === 'imported') break
    const { index } = outcome
    raced.push(...rest.slice(index, index + 1).map(({ item }) => item))
    rest = rest.toSpliced(index, 1)
  }
  return raced
}

/** The same as for an account that is made or changed by itself, and that it was imported. */
function recordsOf(deps: Deps, by: Administrator, { account, before }: AccountImport): AuditRecord[] {
  const { account_id, username, roles } = account
  if (before === undefined) {
    return [tell(deps, by, 'admin.account_created', account_id, { username, roles, imported: true })]
  }
  const fields = differences(before, account)
  const records = [tell(deps, by, 'admin.account_updated', account_id, { username, roles, fields, imported: true })]
  if (fields.includes('password_hash')) records.push(tell(deps, by, 'admin.password_hash_replaced', account_id))
  if (fields.includes('disabled')) {
    const event = account.disabled_at === null ? 'admin.account_enabled' : 'admin.account_disabled'
    records.push(tell(deps, by, event, account_id))
  }
  return records
}

function batchRecord(deps: Deps, { actor, caller }: Administrator, results: readonly RowResult[]): AuditRecord {
  const detail = Object.fromEntries(
    OUTCOMES.map((name): [string, number] => [name, results.filter(({ outcome }) => outcome === name).length]),
  )
  return auditRecord(deps, 'admin.accounts_imported', { actor, caller, detail })
}
