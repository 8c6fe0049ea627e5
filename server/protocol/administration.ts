import { ADMIN_ROLE } from './account.ts'
import { ADMIN_SCOPES, isReservedScope } from './scope.ts'

/**
 * Nobody grants what they lack.
 *
 * @param held the scopes of whoever asks
 * @param given the scopes that someone would hold afterwards
 * @returns the scopes of the admin API that would be given away without being held
 */
export function scopesLacking(held: readonly string[], given: readonly string[]): readonly string[] {
  return given.filter((scope) => isReservedScope(scope) && !held.includes(scope))
}

/** The scopes of the admin API that come with an account's roles. */
export function scopesOfRoles(roles: readonly string[]): readonly string[] {
  return roles.includes(ADMIN_ROLE) ? ADMIN_SCOPES : []
}
