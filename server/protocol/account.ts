import type { Seconds } from './time.ts'

/** A person who can sign in. `account_id` is the `sub` of every token that speaks of them, and never changes. */
export interface Account {
  readonly account_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: Seconds | null
  readonly name: string | null
  /** `admin` opens the admin API; anything else is the deployment's own. */
  readonly roles: readonly string[]
  /** A PHC string, or null for an account that cannot sign in with a password. */
  readonly password_hash: string | null
  readonly disabled_at: Seconds | null
  readonly created_at: Seconds
  readonly updated_at: Seconds
}

/** The role whose holders may use the admin API. */
export const ADMIN_ROLE = 'admin'
