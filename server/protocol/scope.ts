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
