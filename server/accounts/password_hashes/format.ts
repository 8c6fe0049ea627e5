import { timingSafeEqual } from 'node:crypto'

/** The cost of one argon2 hash, in the units of RFC 9106 §3.1. */
export interface Argon2Parameters {
  readonly memory_kib: number
  readonly time_cost: number
  readonly parallelism: number
}

/** One form in which a stored password hash may come. */
export interface PasswordHashFormat {
  /** Of this form, well-formed, and within what we are willing to spend on it. */
  accepts(stored: string): boolean
  /** @param stored one that {@link accepts} has let through */
  verify(stored: string, password: string): Promise<boolean>
  /** Whether the hash is to be replaced, now that the password is known. */
  needsRehash(stored: string, today: Argon2Parameters): boolean
  /** Whether it was made elsewhere, as far as one can tell, and so may take longer or less long than one of ours. */
  isForeign(stored: string): boolean
}

/** A form that only others write: at the first sign-in a hash of our own takes its place. */
export function foreignFormat(format: Pick<PasswordHashFormat, 'accepts' | 'verify'>): PasswordHashFormat {
  return { ...format, needsRehash: () => true, isForeign: () => true }
}

/** A text that decodes to so many bytes. `unpadded` and `padded` are base64 (RFC 4648 §4); `dotted` is passlib's. */
const BASE64 = {
  padded: /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/,
  unpadded: /^[A-Za-z\d+/]*$/,
  dotted: /^[A-Za-z\d./]*$/,
} as const

/**
 * Reads base64 in one of its spellings.
 *
 * @returns undefined for another alphabet, or a length that base64 never has
 */
export function readBase64(text: string, ...spellings: (keyof typeof BASE64)[]): Buffer | undefined {
  if (!spellings.some((spelling) => BASE64[spelling].test(text))) return undefined
  if (text.replace(/=+$/, '').length % 4 === 1) return undefined
  return Buffer.from(text.replaceAll('.', '+'), 'base64')
}

/** Comparison in constant time; only the lengths, which anybody may know, are told apart. */
export function isSame(made: Uint8Array, stored: Uint8Array): boolean {
  return made.length === stored.length && timingSafeEqual(made, stored)
}
