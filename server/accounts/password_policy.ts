/**
 * Which passwords may be chosen. Length and a list of what is guessed first, and no composition rules.
 *
 * @see [NIST SP 800-63B-4 §3.1.1.2](https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver)
 */
import { foldIdentifier } from '../protocol/identifier.ts'

/** Why a new password is refused. */
export type PasswordProblem =
  | 'malformed'
  | 'control_character'
  | 'too_short'
  | 'too_long'
  | 'common'
  | 'contains_identifier'
  | 'contains_product_name'

/** What a password is measured against. */
export interface PasswordContext {
  readonly username: string
  readonly email: string | null
  /** In characters (code points). */
  readonly min_length: number
  /** Lower-case passwords that everyone tries first: see `commonPasswords`. */
  readonly common: ReadonlySet<string>
}

export const MOST_PASSWORD_BYTES = 1024
const PRODUCT_NAME = 'gatehouse'
/** A shorter name turns up in honest passwords by chance. */
const SHORTEST_NAME = 3
/** A password that is nothing but a shorter piece over and over is as weak as the piece. */
const SHORTEST_REPEATED = 8

/**
 * The form of a password that is hashed and compared: NFC, so that it does not matter whether a keyboard sends `é` as
 * one character or two.
 *
 * @returns undefined when no password can look like this: it has an unpaired surrogate, or more than 1,024 bytes. It
 * is never cut or mended, since two passwords would then be one.
 */
export function normalizePassword(password: string): string | undefined {
  // NFC makes at most three UTF-16 units into two bytes. What is longer is too long, and slow to normalise: hostile
  // accents take time with the square of their number.
  if (password.length > 2 * MOST_PASSWORD_BYTES || !password.isWellFormed()) return undefined
  const normalized = password.normalize('NFC')
  return Buffer.byteLength(normalized) > MOST_PASSWORD_BYTES ? undefined : normalized
}

/** Judges a password that someone wants to have. At sign-in nothing is judged but whether it is the right one. */
export function checkNewPassword(password: string, context: PasswordContext): 'ok' | PasswordProblem {
  if (!password.isWellFormed()) return 'malformed'
  const normalized = normalizePassword(password)
  if (normalized === undefined) return 'too_long'
  // RFC 8265 §4.2.2 (OpaqueString) has no control characters. No form can send them; most come from a file's last line.
  if (/\p{Cc}/u.test(normalized)) return 'control_character'
  // NIST SP 800-63B-4 §3.1.1.2: each code point is one character.
  if (characters(normalized) < context.min_length) return 'too_short'

  const folded = foldIdentifier(normalized)
  if (isCommon(folded, context.common)) return 'common'
  if (folded.includes(PRODUCT_NAME)) return 'contains_product_name'
  const names = [context.username, context.email ?? ''].map(localPart)
  if (names.some((name) => characters(name) >= SHORTEST_NAME && folded.includes(name))) return 'contains_identifier'
  return 'ok'
}

/** What to tell a person whose password is refused. */
export function describePasswordProblem(problem: PasswordProblem, min_length: number): string {
  switch (problem) {
    case 'malformed':
      return 'This password is not valid text. Type it again.'
    case 'control_character':
      return 'This password contains a line break or another control character.'
    case 'too_short':
      return `This password is too short. It needs at least ${min_length} characters; a few words in a row do well.`
    case 'too_long':
      return `This password is too long. It may have at most ${MOST_PASSWORD_BYTES} bytes.`
    case 'common':
      return 'This password is one of the first that are tried. Choose another one.'
    case 'contains_identifier':
      return 'This password contains the user name or the e-mail address.'
    case 'contains_product_name':
      return 'This password contains the name of this service.'
  }
}

function characters(text: string): number {
  return Array.from(text).length
}

function isCommon(folded: string, common: ReadonlySet<string>): boolean {
  // `Password2026!!!` is `password` to anyone who guesses.
  const stem = folded.replace(/[\p{N}\p{P}\p{S}\s]+$/u, '')
  if (common.has(folded) || common.has(stem)) return true
  const repeated = /^(.+?)\1+$/su.exec(folded)?.[1]
  return repeated !== undefined && (characters(repeated) < SHORTEST_REPEATED || common.has(repeated))
}

function localPart(identifier: string): string {
  const at = identifier.lastIndexOf('@')
  return foldIdentifier(at === -1 ? identifier : identifier.slice(0, at))
}
