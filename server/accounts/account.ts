import type { Config } from '../../config/schema.ts'
import type { Deps } from '../deps.ts'
import type { Account, AccountProfile } from '../protocol/account.ts'
import { foldIdentifier, isIdentifier } from '../protocol/identifier.ts'
import { randomId } from '../protocol/random_id.ts'
import type { Seconds } from '../protocol/time.ts'
import { commonPasswords } from './common_passwords.ts'
import { isUnusable } from './password_hashes/django.ts'
import { passwordHashFormat } from './password_hashes/index.ts'
import { checkNewPassword, describePasswordProblem, type PasswordProblem } from './password_policy.ts'
import { changedProfile, type ProfileChange, profileProblem } from './profile.ts'

/** What is asked of a new account. Without `password` and `password_hash` nobody can sign in with a password. */
export interface NewAccount {
  readonly username: string
  readonly email?: string | null | undefined
  readonly email_verified?: boolean | undefined
  readonly name?: string | null | undefined
  readonly password?: string | undefined
  /** A hash made elsewhere, in a form that `password_hashes/` knows; Django's `!…` for none. */
  readonly password_hash?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly disabled?: boolean | undefined
  /** When it was made elsewhere; left out: now. */
  readonly created_at?: Seconds | undefined
  readonly legacy_user_id?: string | null | undefined
  readonly profile?: ProfileChange | undefined
}

/** Why a field cannot be taken, in a sentence for a person. */
export interface AccountProblem {
  readonly field: keyof NewAccount
  readonly message: string
  /** For who says it in another language. */
  readonly password_problem?: PasswordProblem
}

export type NewAccountDeps = Pick<Deps, 'passwords' | 'clock' | 'random'> & {
  readonly config: Pick<Config, 'passwords'>
}

export const MOST_USERNAME_CHARACTERS = 150
const UNKNOWN_HASH =
  'This is not a password hash that is known here, or it costs more to check than is allowed (see docs/migrate).'
const MAX = {
  username: MOST_USERNAME_CHARACTERS,
  email: 254,
  name: 200,
  role: 64,
  roles: 32,
  legacy_user_id: 255,
} as const

/**
 * Makes an account that can be stored, or says all that is wrong with it. Whether its identifiers are free is for
 * `Store.createAccount` to say. Rejects with `HasherBusy` when too many passwords are being hashed.
 */
export async function newAccount(
  deps: NewAccountDeps,
  wanted: NewAccount,
): Promise<{ readonly account: Account } | { readonly problems: readonly AccountProblem[] }> {
  const username = wanted.username.trim()
  const email = wanted.email?.trim() || null
  const name = wanted.name?.trim() || null
  const roles = [...new Set(wanted.roles ?? [])]
  const profile = changedProfile({}, wanted.profile ?? {})
  const legacy_user_id = wanted.legacy_user_id ?? null

  const problems = [
    ...checkMembers({ username, email, name, roles, profile, email_verified: wanted.email_verified === true }),
    ...checkOrigin(wanted, deps.clock.now()),
    ...(await checkPassword(deps, wanted, { username, email })),
  ]
  if (problems.length > 0) return { problems }

  const { password, password_hash } = wanted
  const brought = password_hash === undefined || isUnusable(password_hash) ? null : password_hash
  const hash = password === undefined ? brought : await deps.passwords.hash(password)
  const now = deps.clock.now()
  const account: Account = {
    account_id: randomId(deps.random),
    username,
    email,
    email_verified_at: wanted.email_verified === true ? now : null,
    name,
    profile,
    roles,
    password_hash: hash,
    disabled_at: wanted.disabled === true ? now : null,
    created_at: wanted.created_at ?? now,
    updated_at: now,
    legacy_user_id,
  }
  return { account }
}

function checkMembers(account: {
  username: string
  email: string | null
  email_verified: boolean
  name: string | null
  roles: readonly string[]
  profile: AccountProfile
}): AccountProblem[] {
  const { username, email, email_verified, name, roles, profile } = account
  const problems: AccountProblem[] = []
  const refuse = (field: AccountProblem['field'], message: string) => problems.push({ field, message })

  if (!isText(username, MAX.username) || !isIdentifier(foldIdentifier(username))) {
    refuse('username', `A user name has 1 to ${MAX.username} characters, none of them a control character.`)
  }
  // RFC 5321 §4.5.3.1.3: a path has 256 octets, two of them its angle brackets. Only a letter sent there can prove more.
  if (email !== null && !(isText(email, MAX.email) && /^[^\s@]+@[^\s@]+$/.test(email))) {
    refuse('email', 'This is not an e-mail address.')
  }
  if (email === null && email_verified) refuse('email_verified', 'There is no e-mail address that could be verified.')
  if (name !== null && !isText(name, MAX.name)) {
    refuse('name', `A name has at most ${MAX.name} characters, none of them a control character.`)
  }
  if (roles.length > MAX.roles || !roles.every((role) => isText(role, MAX.role) && role === role.trim())) {
    refuse('roles', `There are at most ${MAX.roles} roles, each a text of 1 to ${MAX.role} characters.`)
  }
  const wrong = profileProblem(profile)
  if (wrong !== undefined) refuse('profile', wrong)
  return problems
}

function checkOrigin({ legacy_user_id, created_at }: NewAccount, now: Seconds): AccountProblem[] {
  const problems: AccountProblem[] = []
  if (legacy_user_id !== null && legacy_user_id !== undefined && !isText(legacy_user_id, MAX.legacy_user_id)) {
    const message = `The id of another system has 1 to ${MAX.legacy_user_id} characters, none of them a control character.`
    problems.push({ field: 'legacy_user_id', message })
  }
  if (created_at !== undefined && (created_at < 0 || created_at > now)) {
    problems.push({ field: 'created_at', message: 'This instant is in the future, or before 1970.' })
  }
  return problems
}

async function checkPassword(
  deps: NewAccountDeps,
  { password, password_hash }: NewAccount,
  owner: { username: string; email: string | null },
): Promise<AccountProblem[]> {
  if (password_hash !== undefined) {
    if (password !== undefined) return [{ field: 'password_hash', message: 'Give a password or its hash, not both.' }]
    if (isUnusable(password_hash) || passwordHashFormat(password_hash) !== undefined) return []
    return [{ field: 'password_hash', message: UNKNOWN_HASH }]
  }
  if (password === undefined) return []
  const { min_length } = deps.config.passwords
  const verdict = checkNewPassword(password, { ...owner, min_length, common: await commonPasswords() })
  if (verdict === 'ok') return []
  const message = describePasswordProblem(verdict, min_length)
  return [{ field: 'password', message, password_problem: verdict }]
}

/** Valid Unicode of 1 to `max` characters without control characters: what both databases store and a page can show. */
function isText(text: string, max: number): boolean {
  return text !== '' && text.isWellFormed() && !/\p{Cc}/u.test(text) && Array.from(text).length <= max
}
