import { type NewAccount, newAccount } from '../accounts/account.ts'
import { changedProfile, type ProfileChange } from '../accounts/profile.ts'
import type { Deps } from '../deps.ts'
import { type FieldProblem, notFound, Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Account } from '../protocol/account.ts'
import { scopesOfRoles } from '../protocol/administration.ts'
import { foldIdentifier, isIdentifier } from '../protocol/identifier.ts'
import { refuseToGrant } from './authority.ts'
import type { Administrator } from './guard.ts'

export interface AccountChange {
  readonly username?: string
  readonly email?: string | null
  readonly email_verified?: boolean
  readonly name?: string | null
  readonly roles?: readonly string[]
  /** A member left out stays as it is, null takes it away. */
  readonly profile?: ProfileChange
  /** A hash; see {@link replacePasswordHash}. */
  readonly password_hash?: string
  readonly legacy_user_id?: string | null
}

type Planned = { readonly value: Account } | { readonly problems: readonly FieldProblem[] }

/** An account by its `account_id`, or by what its owner signs in with. */
export async function findAccount(deps: Pick<Deps, 'store'>, name: string): Promise<Account | undefined> {
  const found = await deps.store.findAccount(name)
  if (found !== undefined) return found
  const identifier = foldIdentifier(name)
  return isIdentifier(identifier) ? deps.store.findAccountByIdentifier(identifier) : undefined
}

/** Who the accounts of a page are, for people to read: items with the user name, null for an account that is gone. */
export async function withUsernames<T extends { readonly account_id: string }>(
  { store }: Pick<Deps, 'store'>,
  items: readonly T[],
): Promise<(T & { username: string | null })[]> {
  const ids = [...new Set(items.map(({ account_id }) => account_id))]
  const found = await Promise.all(ids.map((account_id) => store.findAccount(account_id)))
  const names = new Map(found.flatMap((account) => (account ? [[account.account_id, account.username] as const] : [])))
  return items.map((item) => ({ ...item, username: names.get(item.account_id) ?? null }))
}

/** {@link findAccount}, or a 404. */
export async function requireAccount(deps: Pick<Deps, 'store'>, name: string): Promise<Account> {
  const account = await findAccount(deps, name)
  if (account === undefined) throw notFound('account')
  return account
}

/** The account that is asked for, its password hashed. Nothing is stored yet. */
export async function planAccount(deps: Deps, by: Administrator, wanted: NewAccount): Promise<Planned> {
  const made = await newAccount(deps, wanted)
  if ('problems' in made) return made
  refuseToGrant(by, scopesOfRoles(made.account.roles))
  return { value: made.account }
}

/** The account as it is to be. Nothing is stored yet. */
export async function planAccountChange(
  deps: Deps,
  by: Administrator,
  existing: Account,
  change: AccountChange,
): Promise<Planned> {
  const email = change.email === undefined ? existing.email : change.email
  // A new address has not been verified by the old one's letter.
  const still = existing.email_verified_at !== null && email === existing.email
  const checked = await newAccount(deps, {
    username: change.username ?? existing.username,
    email,
    email_verified: change.email_verified ?? still,
    name: change.name === undefined ? existing.name : change.name,
    roles: change.roles ?? existing.roles,
    profile: changedProfile(existing.profile, change.profile ?? {}),
    password_hash: change.password_hash,
    legacy_user_id: change.legacy_user_id === undefined ? existing.legacy_user_id : change.legacy_user_id,
  })
  if ('problems' in checked) return checked
  const { username, name, roles, profile, email_verified_at, updated_at } = checked.account
  refuseToGrant(by, scopesOfRoles(roles))
  return {
    value: {
      ...existing,
      username,
      email: checked.account.email,
      email_verified_at: still && email_verified_at !== null ? existing.email_verified_at : email_verified_at,
      name,
      roles,
      profile,
      password_hash: change.password_hash === undefined ? existing.password_hash : checked.account.password_hash,
      updated_at,
      legacy_user_id: checked.account.legacy_user_id,
    },
  }
}

export async function createAccount(deps: Deps, by: Administrator, account: Account): Promise<void> {
  const { account_id, username, roles } = account
  const audit = tell(deps, by, 'admin.account_created', account_id, { username, roles })
  if ((await deps.store.createAccount(account, [audit])) === 'identifier_taken') throw identifierTaken()
}

/** @returns `stale` when somebody else has changed it since `before` was read; nothing is changed then */
export async function updateAccount(
  deps: Deps,
  by: Administrator,
  account: Account,
  before: Account,
): Promise<'updated' | 'stale'> {
  const { account_id, username, email, name, roles } = account
  const email_verified = account.email_verified_at !== null
  const profile = Object.keys(account.profile)
  const detail = { username, email, email_verified, name, roles, profile }
  const audit = tell(deps, by, 'admin.account_updated', account_id, detail)
  const outcome = await deps.store.updateAccount(account, [audit], before)
  if (outcome === 'identifier_taken') throw identifierTaken()
  if (outcome === 'not_found') throw notFound('account')
  return outcome
}

/** Whoever is signed in with the old password is so no longer. */
export async function replacePasswordHash(
  deps: Deps,
  by: Administrator,
  account: Account,
  password_hash: string,
): Promise<void> {
  const { account_id, password_hash: expected } = account
  const audit = tell(deps, by, 'admin.password_hash_replaced', account_id)
  const change = {
    account_id,
    expected,
    password_hash,
    now: deps.clock.now(),
    ends_everything: 'revoked_by_admin',
  } as const
  if ((await deps.store.replacePasswordHash(change, [audit])) === 'replaced') return
  throw new Problem(409, 'the password was changed at the same time; try again')
}

/** Disabling ends every grant of the account in the same commit. */
export async function setDisabled(deps: Deps, by: Administrator, account: Account, disabled: boolean): Promise<void> {
  const { account_id } = account
  const now = deps.clock.now()
  const audit = [tell(deps, by, disabled ? 'admin.account_disabled' : 'admin.account_enabled', account_id)]
  const outcome = disabled
    ? await deps.store.disableAccount(account_id, now, audit)
    : await deps.store.enableAccount(account_id, now, audit)
  if (outcome === 'not_found') throw notFound('account')
}

/** A record of what an administrator did to an account. */
export function tell(
  deps: Deps,
  { actor, caller }: Administrator,
  event: `admin.${string}`,
  account_id: string,
  detail?: Readonly<Record<string, unknown>>,
) {
  return auditRecord(deps, event, { actor, account_id, caller, ...(detail === undefined ? {} : { detail }) })
}

function identifierTaken(): Problem {
  return new Problem(409, 'the user name or the e-mail address belongs to another account')
}
