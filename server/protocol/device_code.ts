/**
 * A device that waits for a person to let it in elsewhere.
 *
 * @see [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)
 */
import type { AuthorizationDetail } from './authorization_request.ts'
import type { Confirmation } from './confirmation.ts'
import { OAuthError } from './errors.ts'
import type { Seconds } from './time.ts'

export interface DeviceCode {
  readonly device_code_digest: string
  readonly user_code_digest: string
  readonly client_id: string
  /** The grant that it becomes. */
  readonly grant_id: string
  readonly scope: string
  readonly resources: readonly string[]
  readonly authorization_details: readonly AuthorizationDetail[]
  /** The key of the device, when it showed one. */
  readonly dpop_jkt: string | null
  readonly interval_seconds: Seconds
  readonly last_polled_at: Seconds | null
  /** The session whose person entered the user code: only that one decides. */
  readonly claimed_session_id: string | null
  readonly approved_at: Seconds | null
  readonly denied_at: Seconds | null
  /** Who approved it, and how they had signed in; null before. */
  readonly account_id: string | null
  readonly auth_time: Seconds | null
  readonly amr: readonly string[] | null
  readonly acr: string | null
  readonly redeemed_at: Seconds | null
  readonly expires_at: Seconds
  readonly created_at: Seconds
  /** Where the device asked from, for the person to compare. */
  readonly address_prefix: string | null
  readonly user_agent: string | null
}

/** The grant type by which a device polls. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** The labels of the two codes' digests in the vault. */
export const DEVICE_CODE_LABEL = 'device_code'
export const USER_CODE_LABEL = 'user_code'

// §6.1: consonants, so that no word comes of it, and none that is taken for a digit.
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8
/** The largest multiple of 20 that a byte holds: what is above would favour the first letters. */
const FAIR = 240
/** As typed, with whatever stands between the letters. */
const MAX_TYPED_CHARACTERS = 64

/** 20^8 codes: a guess at one of a thousand that wait hits once in 25 million. @returns the letters alone */
export function newUserCode(random: { bytes(length: number): Uint8Array }): string {
  let code = ''
  while (code.length < LENGTH) {
    for (const byte of random.bytes(LENGTH)) if (byte < FAIR && code.length < LENGTH) code += LETTERS[byte % 20]
  }
  return code
}

/** As people are shown it. */
export function formatUserCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/**
 * The letters of what a person has typed: case does not matter (§6.1), nor what no code has in it.
 *
 * @returns undefined when no code can be meant
 */
export function readUserCode(typed: string | undefined): string | undefined {
  if (typed === undefined || typed.length > MAX_TYPED_CHARACTERS) return undefined
  const letters = typed.replace(/[^BCDFGHJKLMNPQRSTVWXZ]/gi, '').toUpperCase()
  return letters.length === LENGTH ? letters : undefined
}

export interface DeviceCodePresented {
  readonly client_id: string
  readonly confirmation: Confirmation | undefined
}

/** A device code that its person has approved. */
export type ApprovedDeviceCode = DeviceCode & { readonly account_id: string; readonly auth_time: Seconds }

/**
 * Whether a device code is in the hands that it was given to, and there is still something to wait for. Comes before the
 * poll counts.
 *
 * @param device_code undefined: there is none of that name
 * @throws {OAuthError} `invalid_grant`, `expired_token`, `access_denied`
 * @see [RFC 8628 §3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5)
 */
export function assertMayPoll(
  device_code: DeviceCode | undefined,
  { client_id, confirmation }: DeviceCodePresented,
  now: Seconds,
): asserts device_code is DeviceCode {
  // RFC 6749 §5.2: issued to another client. Nobody learns that another has it.
  if (device_code === undefined || device_code.client_id !== client_id) {
    throw invalidDeviceCode('unknown, or of another client')
  }
  const jkt = confirmation !== undefined && 'jkt' in confirmation ? confirmation.jkt : undefined
  // As RFC 9449 §10 has it for authorization codes: the key that began is the key that goes on.
  if (device_code.dpop_jkt !== null && jkt !== device_code.dpop_jkt) {
    throw new OAuthError('invalid_grant', 'the DPoP key is not that of the device authorization request')
  }
  if (device_code.redeemed_at !== null) return
  // A 400 like all of them (RFC 6749 §5.2).
  if (device_code.denied_at !== null) throw new OAuthError('access_denied', 'the person refused', { status: 400 })
  if (now >= device_code.expires_at)
    throw new OAuthError('expired_token', 'the device code is expired; ask for another')
}

/** @throws {OAuthError} `authorization_pending` while nobody has decided */
export function assertApproved(device_code: DeviceCode): asserts device_code is ApprovedDeviceCode {
  if (device_code.approved_at !== null && device_code.account_id !== null && device_code.auth_time !== null) return
  throw new OAuthError('authorization_pending', 'the person has not decided yet')
}

/** One answer for every device code that is good for nothing. */
export function invalidDeviceCode(detail: string): OAuthError {
  return new OAuthError('invalid_grant', 'device code invalid or used', { detail })
}
