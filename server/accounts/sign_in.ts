/**
 * Signing in with a password. Whoever cannot is told one thing, after the same work.
 *
 * @see [NIST SP 800-63B-4 §3.2.2](https://pages.nist.gov/800-63-4/sp800-63b.html#throttle) rate limiting
 * @see [OWASP Authentication](https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html#authentication-and-error-messages)
 */
import type { Config } from '../../config/schema.ts'
import type { Vault } from '../../keys/vault.ts'
import type { Caller, Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Account } from '../protocol/account.ts'
import { foldIdentifier, isIdentifier } from '../protocol/identifier.ts'
import { signInLimits } from '../protocol/throttle.ts'
import type { Seconds } from '../protocol/time.ts'
import { HasherBusy } from './password.ts'

export type SignIn =
  /** `give_back`: throttle keys for the commit that makes the grant, which also writes `sign_in.succeeded`. */
  | { readonly outcome: 'signed_in'; readonly account: Account; readonly give_back: readonly string[] }
  /** Nobody of this name, a wrong password, no password at all, disabled: one answer. */
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'throttled'; readonly retry_after: Seconds }
  | { readonly outcome: 'busy'; readonly retry_after: Seconds }

export type SignInDeps = Pick<Deps, 'store' | 'passwords' | 'clock' | 'random'> & {
  readonly vault: Pick<Vault, 'digest'>
  readonly config: Pick<Config, 'throttle'>
}

type Reason = 'unknown' | 'no_password' | 'wrong_password' | 'disabled'

/** Some locks end with a reset only; nobody is told to come back in a year. */
const LONGEST_RETRY_AFTER = 3600

/** @param credentials as they came: any text is an answer, never an error. */
export async function signIn(
  deps: SignInDeps,
  credentials: { readonly identifier: string; readonly password: string },
  caller: Caller,
): Promise<SignIn> {
  const { store, clock, vault } = deps
  const identifier = foldIdentifier(credentials.identifier)
  const attempt = { identifier, address_prefix: caller.address_prefix }
  const limits = signInLimits(attempt, deps.config.throttle, (label, value) => vault.digest(label, value))
  const keys = limits.map(({ key }) => key)

  // Counted before the check: guesses made all at once cannot outrun the count.
  const counted = await store.consumeAttempt(limits, clock.now())
  if (counted.outcome === 'refused') {
    if (counted.newly_locked) await auditLock(deps, identifier, caller)
    return { outcome: 'throttled', retry_after: Math.min(counted.retry_after, LONGEST_RETRY_AFTER) }
  }

  const account = await findAccount(deps, identifier)
  const stored = account?.password_hash ?? null
  const checked = await unlessBusy(deps.passwords.verify(stored, credentials.password))
  if (checked instanceof HasherBusy) {
    await store.withdrawAttempt(keys)
    return { outcome: 'busy', retry_after: checked.retry_after }
  }

  const reason = whyRefused(account, checked.valid)
  if (account === undefined || reason !== undefined) {
    // What was typed as an unknown name may be somebody's password: it is written nowhere.
    const fields = { actor: null, account_id: account?.account_id ?? null, caller, detail: { reason } }
    await store.appendAudit([auditRecord(deps, 'sign_in.refused', fields)])
    return { outcome: 'refused' }
  }
  if (checked.rehash) await rehash(deps, account, credentials.password)
  return { outcome: 'signed_in', account, give_back: keys }
}

/** The password is judged first, so that `disabled` is said only of those who know it. */
function whyRefused(account: Account | undefined, valid: boolean): Reason | undefined {
  if (account === undefined) return 'unknown'
  if (account.password_hash === null) return 'no_password'
  if (!valid) return 'wrong_password'
  return account.disabled_at === null ? undefined : 'disabled'
}

async function findAccount({ store }: SignInDeps, identifier: string): Promise<Account | undefined> {
  return isIdentifier(identifier) ? store.findAccountByIdentifier(identifier) : undefined
}

/** Once for each lock; attempts under a lock leave no trace, so that a flood cannot fill the disk. */
async function auditLock(deps: SignInDeps, identifier: string, caller: Caller): Promise<void> {
  const account = await findAccount(deps, identifier)
  const fields = { actor: null, account_id: account?.account_id ?? null, caller }
  await deps.store.appendAudit([auditRecord(deps, 'sign_in.locked', fields)])
}

/** Puts today's hash in place of an older one. When there is no room for it, or someone was faster, another day will do. */
async function rehash(deps: SignInDeps, account: Account, password: string): Promise<void> {
  const password_hash = await unlessBusy(deps.passwords.hash(password))
  if (password_hash instanceof HasherBusy) return
  const { account_id, password_hash: expected } = account
  const change = { account_id, expected, password_hash, now: deps.clock.now(), ends_everything: null }
  await deps.store.replacePasswordHash(change, [])
}

function unlessBusy<T>(work: Promise<T>): Promise<T | HasherBusy> {
  return work.catch((error: unknown) => {
    if (error instanceof HasherBusy) return error
    throw error
  })
}
