import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { RefreshTokenProfile } from './client.ts'
import type { Grant } from './grant.ts'
import type { Seconds } from './time.ts'

/**
 * Refresh tokens are not stored. A token names its grant and a generation under a MAC, and the grant's row says which
 * generation is current: so garbage is refused without a look at the database, every old token is recognised for as
 * long as the grant lives, and a stolen database yields none.
 *
 *     gth_rt_ base64url( version ‖ mac_key_id ‖ grant_id ‖ generation ‖ HMAC-SHA-256 truncated to 128 bits ) checksum
 *
 * @see [RFC 9700 §4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14) refresh token protection
 */
const PREFIX = 'gth_rt_'
const VERSION = 1
const GRANT_ID_BYTES = 16
const MAC_BYTES = 16
const HEADER_BYTES = 2 + GRANT_ID_BYTES
// A generation is at most 2^49 - 1: seven groups of seven bits.
const MAX_GENERATION_BYTES = 7
const CHECKSUM_CHARACTERS = 6
const MAX_CHARACTERS = 100

export interface RefreshToken {
  readonly grant_id: string
  readonly generation: number
}

/** The key that MACs a token, and the number under which it is found again. */
export interface RefreshTokenMacKey {
  /** 1 to 255. */
  readonly mac_key_id: number
  readonly key: KeyObject
}

/** The one text of a generation of a grant: deriving it again gives the same token. */
export function formatRefreshToken({ grant_id, generation }: RefreshToken, macKey: RefreshTokenMacKey): string {
  const signed = Buffer.concat([
    Buffer.of(VERSION, macKey.mac_key_id),
    Buffer.from(grant_id, 'base64url'),
    Buffer.from(encodeVarint(generation)),
  ])
  const body = PREFIX + Buffer.concat([signed, mac(signed, macKey.key)]).toString('base64url')
  return body + checksum(body)
}

/**
 * Reads a token of ours.
 *
 * @param findKey the MAC key of a number, if it is still honoured
 * @returns undefined for whatever this server did not make, or made with a key it has dropped
 */
export function parseRefreshToken(
  token: string,
  findKey: (mac_key_id: number) => RefreshTokenMacKey | undefined,
): RefreshToken | undefined {
  if (!token.startsWith(PREFIX) || token.length > MAX_CHARACTERS) return undefined
  const body = token.slice(0, -CHECKSUM_CHARACTERS)
  if (checksum(body) !== token.slice(-CHECKSUM_CHARACTERS)) return undefined
  const encoded = body.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // A token has one spelling: base64url decoders forgive stray bits, and we do not.
  if (bytes.toString('base64url') !== encoded) return undefined
  if (bytes.length <= HEADER_BYTES + MAC_BYTES || bytes[0] !== VERSION) return undefined
  const macKey = findKey(bytes[1] ?? 0)
  if (macKey === undefined) return undefined
  const signed = bytes.subarray(0, -MAC_BYTES)
  if (!timingSafeEqual(mac(signed, macKey.key), bytes.subarray(-MAC_BYTES))) return undefined
  const generation = decodeVarint(signed.subarray(HEADER_BYTES))
  if (generation === undefined) return undefined
  return { grant_id: signed.subarray(2, HEADER_BYTES).toString('base64url'), generation }
}

/** Whether a string claims to be one of our refresh tokens: enough to say "wrong type", never to trust it. */
export function looksLikeRefreshToken(token: string): boolean {
  return token.startsWith(PREFIX)
}

function mac(signed: Uint8Array, key: KeyObject): Buffer {
  return createHmac('sha256', key).update('gatehouse refresh token\0').update(signed).digest().subarray(0, MAC_BYTES)
}

/** Catches a token that was cut or mistyped, and lets a secret scanner tell a leak from a look-alike; it proves nothing. */
function checksum(body: string): string {
  return hash('sha256', body, 'base64url').slice(0, CHECKSUM_CHARACTERS)
}

/** Little-endian groups of seven bits, as in LEB128. */
function encodeVarint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return [...bytes, rest]
}

function decodeVarint(bytes: Uint8Array): number | undefined {
  if (bytes.length === 0 || bytes.length > MAX_GENERATION_BYTES) return undefined
  let value = 0
  for (const byte of bytes.toReversed()) value = value * 0x80 + (byte & 0x7f)
  const canonical = encodeVarint(value)
  return canonical.length === bytes.length && canonical.every((byte, i) => byte === bytes[i]) ? value : undefined
}

/** What a profile allows. Lifetimes are the client's own or the configuration's. */
export interface RefreshPolicy {
  readonly profile: RefreshTokenProfile
  /** How long after a rotation the previous token is answered as a retry: 0 for `strict`. */
  readonly reuse_window_seconds: Seconds
  readonly idle_seconds: Seconds
  readonly access_token_seconds: Seconds
}

export type RefreshDecision =
  /** Swap the generation; the answer is the next one. */
  | { readonly outcome: 'rotate'; readonly idle_expires_at: Seconds }
  /** `fixed`: the answer is the same token, and only its idle lifetime moves. */
  | { readonly outcome: 'touch'; readonly idle_expires_at: Seconds }
  /** A retry: the answer is the current generation, and an access token no longer-lived than the one that got lost. */
  | { readonly outcome: 'resend'; readonly access_token_not_after: Seconds }
  /** A retry after the window, forgiven once. */
  | { readonly outcome: 'resend_late' }
  /** Suspicious, both of them. */
  | { readonly outcome: 'refuse'; readonly reason: 'refresh token reused' | 'not yet issued' }
  /** Somebody else holds a token of this grant: end it. */
  | { readonly outcome: 'revoke' }

/**
 * Decides what a presented generation gets, once the token is known to be genuine and the client's own, and the grant
 * neither revoked nor expired nor closed to it.
 *
 * @param request.bound whether the caller authenticated as the client or proved possession of a key: then whoever
 *   holds a leaked token alone cannot have made this call
 */
export function decideRefresh(request: {
  presented: number
  grant: Grant
  policy: RefreshPolicy
  bound: boolean
  now: Seconds
}): RefreshDecision {
  const { presented, grant, policy, bound, now } = request
  const idle_expires_at = Math.min(now + policy.idle_seconds, grant.absolute_expires_at)

  // A genuine MAC over a generation that never was: the database went back in time.
  if (presented > grant.generation) return { outcome: 'refuse', reason: 'not yet issued' }
  if (presented === grant.generation) {
    return { outcome: policy.profile === 'fixed' ? 'touch' : 'rotate', idle_expires_at }
  }
  if (presented === grant.generation - 1) {
    const first_expires_at = grant.rotated_at + policy.access_token_seconds
    if (now < grant.rotated_at + policy.reuse_window_seconds) {
      // Where the first has expired already (a window longer than its life), one second: clients refuse a token born dead.
      return { outcome: 'resend', access_token_not_after: Math.max(first_expires_at, now + 1) }
    }
    if (policy.profile === 'resilient' && mayForgive(presented, grant)) return { outcome: 'resend_late' }
  }
  // RFC 9700 §4.14.2: the server cannot tell which party sent the old token, so a bearer's grant is revoked.
  return bound ? { outcome: 'refuse', reason: 'refresh token reused' } : { outcome: 'revoke' }
}

/**
 * One late replay is a lost response. A second of the same generation, or one of the generation that such a replay
 * handed out, is a thief and a victim taking turns.
 */
function mayForgive(presented: number, grant: Grant): boolean {
  return grant.late_replay_generation === null || grant.late_replay_generation < presented - 1
}
