/**
 * Scopes: space-separated in every message, sets in every rule.
 *
 * @see [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)
 */

// scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** In a client's registration: every scope that is not reserved. */
export const ANY = '*'

/** The scopes of this server's own admin API. They mean nothing at any other resource. */
export const ADMIN_SCOPES = ['gatehouse:read', 'gatehouse:write'] as const

/**
 * The scopes that ask about a person. UserInfo answers them, so they mean the same whatever resource a token is for.
 *
 * @see [OpenID Connect Core 1.0 §5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims), [§11](https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess)
 */
export const PERSON_SCOPES = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'] as const

export function isPersonScope(scope: string): boolean {
  return PERSON_SCOPES.some((known) => known === scope)
}

/** Scopes that no wildcard covers. */
export function isReservedScope(scope: string): boolean {
  return scope.startsWith('gatehouse:')
}

/** The scopes of a space-separated list, each once; undefined when one is no scope-token. */
export function parseScope(scope: string): readonly string[] | undefined {
  const tokens = scope.split(' ').filter((token) => token !== '')
  return tokens.every((token) => SCOPE_TOKEN.test(token)) ? [...new Set(tokens)] : undefined
}

/** The list as messages carry it. */
export function formatScope(scopes: Iterable<string>): string {
  return [...new Set(scopes)].join(' ')
}
