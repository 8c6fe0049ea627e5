import type { Seconds } from './time.ts'

/**
 * What else is known of a person, in the words of OpenID Connect. Nothing here says who they are to this server.
 *
 * @see [OpenID Connect Core 1.0 §5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims)
 */
export interface AccountProfile {
  readonly given_name?: string
  readonly family_name?: string
  readonly middle_name?: string
  readonly nickname?: string
  readonly profile?: string
  readonly picture?: string
  readonly website?: string
  readonly gender?: string
  readonly birthdate?: string
  readonly zoneinfo?: string
  readonly locale?: string
  readonly phone_number?: string
  readonly phone_number_verified?: boolean
  /** @see [§5.1.1](https://openid.net/specs/openid-connect-core-1_0.html#AddressClaim) */
  readonly address?: Readonly<
    Partial<Record<'formatted' | 'street_address' | 'locality' | 'region' | 'postal_code' | 'country', string>>
  >
}

/** A person who can sign in. `account_id` is the `sub` of every token that speaks of them, and never changes. */
export interface Account {
  readonly account_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: Seconds | null
  readonly name: string | null
  readonly profile: AccountProfile
  /** `admin` opens the admin API; anything else is the deployment's own. */
  readonly roles: readonly string[]
  /** A PHC string, or what another system had made; null for an account that cannot sign in with a password. */
  readonly password_hash: string | null
  readonly disabled_at: Seconds | null
  readonly created_at: Seconds
  readonly updated_at: Seconds
  /** What the system that it came from knew it by; null: it was made here. No two accounts share one. */
  readonly legacy_user_id: string | null
}

/** The role whose holders may use the admin API. */
export const ADMIN_ROLE = 'admin'
