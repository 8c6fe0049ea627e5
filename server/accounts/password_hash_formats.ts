/**
 * The forms in which a stored password hash may come. Another one (bcrypt, PBKDF2, Django's own) is one more entry in
 * `FORMATS`.
 *
 * @see [PHC string format](https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md)
 * @see [RFC 9106](https://www.rfc-editor.org/rfc/rfc9106) Argon2
 */
import argon2 from 'argon2'

/** The cost of one argon2id hash, in the units of RFC 9106 §3.1. */
export interface Argon2idParameters {
  readonly memory_kib: number
  readonly time_cost: number
  readonly parallelism: number
}

/** In bytes. RFC 9106 §3.1: 16 are recommended for password hashing. */
export const SALT_LENGTH = 16
const TAG_LENGTH = 32

/** What a stored hash may make us spend: its parameters were chosen elsewhere, and `verify` obeys them. */
const MAX = { memory_kib: 256 * 1024, time_cost: 10, parallelism: 4 } as const

export interface PasswordHashFormat {
  /** How every hash of this format begins. */
  readonly prefix: string
  /** Well-formed, and within what we are willing to spend on it. */
  accepts(stored: string): boolean
  /** @param stored one that {@link accepts} has let through */
  verify(stored: string, password: string): Promise<boolean>
  /** Whether the hash is to be replaced, now that the password is known. */
  needsRehash(stored: string, today: Argon2idParameters): boolean
}

const PHC_ARGON2ID =
  /^\$argon2id\$v=19\$(m=[1-9]\d{0,6},(?:t=[1-9]\d?,p=[1-9]|p=[1-9],t=[1-9]\d?))\$([A-Za-z\d+/]{11,86})\$([A-Za-z\d+/]{22,86})$/

const argon2id: PasswordHashFormat = {
  prefix: '$argon2id$',
  accepts: (stored) => parseArgon2id(stored) !== undefined,
  verify: (stored, password) => argon2.verify(stored, password),
  needsRehash(stored, today) {
    const was = parseArgon2id(stored)
    return (
      was === undefined ||
      was.memory_kib !== today.memory_kib ||
      was.time_cost !== today.time_cost ||
      was.parallelism !== today.parallelism ||
      was.salt_length < SALT_LENGTH ||
      was.tag_length !== TAG_LENGTH
    )
  },
}

const FORMATS: readonly PasswordHashFormat[] = [argon2id]

/** @returns the format of a stored hash, or undefined when none accepts it. */
export function passwordHashFormat(stored: string): PasswordHashFormat | undefined {
  return FORMATS.find((format) => stored.startsWith(format.prefix) && format.accepts(stored))
}

/** Whether argon2id can be run with these parameters, and we are willing to. */
export function isAffordable({ memory_kib, time_cost, parallelism }: Argon2idParameters): boolean {
  return (
    memory_kib <= MAX.memory_kib &&
    time_cost <= MAX.time_cost &&
    parallelism <= MAX.parallelism &&
    // RFC 9106 §3.1: the memory size is at least 8 * p KiB.
    memory_kib >= 8 * parallelism
  )
}

/**
 * A new hash, as a PHC string. The `argon2` package writes the parameters in another order than the reference
 * implementation reads them, so the string is made here.
 *
 * @param salt {@link SALT_LENGTH} random bytes
 */
export async function hashArgon2id(password: string, salt: Uint8Array, cost: Argon2idParameters): Promise<string> {
  const { memory_kib, time_cost, parallelism } = cost
  const tag = await argon2.hash(password, {
    raw: true,
    type: argon2.argon2id,
    memoryCost: memory_kib,
    timeCost: time_cost,
    parallelism,
    hashLength: TAG_LENGTH,
    salt: Buffer.from(salt),
  })
  return `$argon2id$v=19$m=${memory_kib},t=${time_cost},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`
}

function parseArgon2id(stored: string) {
  const [, parameters, salt = '', tag = ''] = PHC_ARGON2ID.exec(stored) ?? []
  if (parameters === undefined) return undefined
  const cost = Object.fromEntries(parameters.split(',').map((pair) => [pair[0], Number(pair.slice(2))]))
  const { m: memory_kib = 0, t: time_cost = 0, p: parallelism = 0 } = cost
  if (!isAffordable({ memory_kib, time_cost, parallelism })) return undefined
  // Base64 never leaves one character over.
  if (salt.length % 4 === 1 || tag.length % 4 === 1) return undefined
  return { memory_kib, time_cost, parallelism, salt_length: byteLength(salt), tag_length: byteLength(tag) }
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

function byteLength(base64: string): number {
  return Math.floor((base64.length * 3) / 4)
}
