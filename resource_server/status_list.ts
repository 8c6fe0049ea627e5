/**
 * Reads Token Status Lists.
 *
 * @see [Token Status List §4, §5.1, §8.3](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/)
 */
import { base64url } from 'jose'
import { isObject, type Members } from './access_token.ts'
import { readAll } from './documents.ts'

/** What a list may be when it is unpacked: 33 million grants with one bit each. */
const MAX_BYTES = 4 * 1024 * 1024
const TTL = { least: 1, most: 86_400, otherwise: 300 }

/** The place of a token in a list. */
export interface StatusReference {
  readonly uri: string
  readonly idx: number
}

export interface StatusList {
  readonly bits: 1 | 2 | 4 | 8
  /** Unpacked. Written to when the stream tells of a revocation. */
  readonly bytes: Uint8Array
  /** Epoch seconds, by the issuer's clock. */
  readonly iat: number
  readonly exp: number | undefined
  /** Seconds. */
  readonly ttl: number
}

/** @returns undefined: the token names no list; a text: what is wrong with what it names */
export function referenceOf(status: unknown): StatusReference | string | undefined {
  if (status === undefined) return undefined
  if (!isObject(status)) return 'the status is no object'
  const { status_list } = status
  // Another mechanism, which is not ours to judge by.
  if (status_list === undefined) return undefined
  if (!isObject(status_list)) return 'the status_list is no object'
  const { idx, uri } = status_list
  if (typeof uri !== 'string') return 'the uri of the status list is missing'
  if (typeof idx !== 'number' || !Number.isSafeInteger(idx) || idx < 0) return 'the idx in the status list is no index'
  return { uri, idx }
}

/**
 * @param claims of a status list token whose signature is good
 * @param now epoch seconds
 * @returns the list, or what is wrong with it
 */
export async function readStatusList(
  claims: Members,
  { uri, issuer, now }: { readonly uri: string; readonly issuer: string; readonly now: number },
): Promise<StatusList | string> {
  const { sub, iss, iat, exp, ttl, status_list } = claims
  // §8.3: the sub claim MUST be equal to the uri, or one list would stand for another.
  if (sub !== uri) return 'the sub is another list'
  if (iss !== undefined && iss !== issuer) return 'the iss is another issuer'
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'the iat is missing'
  if (exp !== undefined && !(typeof exp === 'number' && exp > now)) return 'the list has expired'
  if (ttl !== undefined && !(typeof ttl === 'number' && ttl > 0)) return 'the ttl is no positive number'
  if (!isObject(status_list)) return 'the status_list is missing'
  const { bits, lst } = status_list
  if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) return 'the bits are not 1, 2, 4 or 8'
  if (typeof lst !== 'string') return 'the lst is missing'
  const bytes = await inflated(lst)
  if (bytes === undefined) return 'the lst cannot be unpacked'
  return { bits, bytes, iat, exp, ttl: Math.min(TTL.most, Math.max(TTL.least, ttl ?? TTL.otherwise)) }
}

/** §4.1: zlib (RFC 1950). @returns undefined: it is none, or longer than a list may be */
async function inflated(lst: string): Promise<Uint8Array | undefined> {
  try {
    const packed = new Blob([new Uint8Array(base64url.decode(lst))])
    return await readAll(packed.stream().pipeThrough(new DecompressionStream('deflate')), MAX_BYTES)
  } catch {
    return undefined
  }
}

/** §7.1: 0 is valid, all else is not. @returns undefined: the list does not reach so far */
export function statusAt({ bits, bytes }: StatusList, idx: number): number | undefined {
  const per_byte = 8 / bits
  const byte = bytes[Math.floor(idx / per_byte)]
  return byte === undefined ? undefined : (byte >> ((idx % per_byte) * bits)) & ((1 << bits) - 1)
}

/** Marks a place as invalid. */
export function revokeAt({ bits, bytes }: StatusList, idx: number): void {
  const per_byte = 8 / bits
  const at = Math.floor(idx / per_byte)
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) | (1 << ((idx % per_byte) * bits))
}
