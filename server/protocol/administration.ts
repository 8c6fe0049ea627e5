import { ADMIN_ROLE } from './account.ts'
import { type Client, isConfidential } from './client.ts'
import { ADMIN_SCOPES, isReservedScope, parseScope } from './scope.ts'

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

/**
 * Whether the client may read everything of its own accord. The scope of one that acts for people alone is what those may
 * delegate to it, and gives it nothing.
 */
export function readsEverything(client: Client): boolean {
  const by_itself = isConfidential(client) && client.grant_types.includes('client_credentials')
  return by_itself && parseScope(client.scope)?.includes('gatehouse:read') === true
}
