/**
 * Token Status List: one bit for each grant, published in lists that anybody may read. It says whether the grant has been
 * revoked, and nothing else about it.
 *
 * @see [Token Status List](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/)
 */
import type { Seconds } from './time.ts'

/** What an access token says about its status (§6.1). */
export interface StatusClaim {
  readonly status_list: { readonly idx: number; readonly uri: string }
}

/** How many grants share a list: 16 KiB before it is compressed, some 2 KiB after with one in a hundred revoked. */
export const LIST_LENGTH = 2 ** 17
const LIST_BYTES = LIST_LENGTH / 8

/** The media type of a list, and without `application/` the `typ` of its header (§5.1). */
export const STATUS_LIST_TYP = 'statuslist+jwt'

/** Below the issuer. */
export const STATUS_LISTS_PATH = '/status-lists'

/** A list is not believed for longer than so many times its ttl. */
const TTLS_TO_EXPIRY = 10

/** @param status_index of the grant, which is 0 or more */
export function statusClaim(issuer: string, status_index: number): StatusClaim {
  const list = listOf(status_index)
  return { status_list: { idx: status_index - list * LIST_LENGTH, uri: statusListUri(issuer, list) } }
}

/** The number of the list that an index is in. */
export function listOf(status_index: number): number {
  return Math.floor(status_index / LIST_LENGTH)
}

export function statusListUri(issuer: string, list: number): string {
  return `${issuer}${STATUS_LISTS_PATH}/${list}`
}

/** @returns the number of a list, as it stands in its address; undefined: it is none of ours */
export function parseListNumber(text: string): number | undefined {
  return /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : undefined
}

/** The lists that grants may be in. @param extent the least index that a grant has, and the one that comes next */
export function listsOf({ first_index, next_index }: { readonly first_index: number; readonly next_index: number }) {
  const first = listOf(first_index)
  return { first, last: next_index === first_index ? first - 1 : listOf(next_index - 1) }
}

export function emptyList(): Uint8Array {
  return new Uint8Array(LIST_BYTES)
}

/** §4.1: bit 0 is the least significant one of byte 0. @returns whether it was not set before */
export function setRevoked(list: Uint8Array, status_index: number): boolean {
  const index = status_index % LIST_LENGTH
  const byte = list[index >> 3] ?? 0
  const mask = 1 << (index & 7)
  list[index >> 3] = byte | mask
  return (byte & mask) === 0
}

/**
 * The claims of a list token (§5.1).
 *
 * @param lst the bits, compressed with DEFLATE in the ZLIB format, base64url
 * @param ttl how long it may be kept before a fresh one is fetched
 */
export function statusListClaims(issuer: string, list: number, lst: string, now: Seconds, ttl: Seconds) {
  return {
    sub: statusListUri(issuer, list),
    iss: issuer,
    iat: now,
    exp: now + TTLS_TO_EXPIRY * ttl,
    ttl,
    status_list: { bits: 1, lst },
  }
}
