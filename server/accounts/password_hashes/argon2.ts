/**
 * Argon2, as a PHC string: our own hashes (argon2id), and those of others, argon2i and argon2d as well.
 *
 * @see [PHC string format](https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md)
 * @see [RFC 9106](https://www.rfc-editor.org/rfc/rfc9106) Argon2
 */
import argon2 from 'argon2'
import type { Argon2Parameters, PasswordHashFormat } from './format.ts'

/** In bytes. RFC 9106 §3.1: 16 are recommended for password hashing. */
export const SALT_LENGTH = 16
const TAG_LENGTH = 32

/** What a stored hash may make us spend: its parameters were chosen elsewhere, and `verify` obeys them. */
const MAX = { memory_kib: 256 * 1024, time_cost: 10, parallelism: 8 } as const

// Version 16 is what argon2 was before RFC 9106; left out, it is meant.
const PHC =
  /^\$(argon2(?:id|i|d))(?:\$v=(16|19))?\$(m=[1-9]\d{0,6},(?:t=[1-9]\d?,p=[1-9]|p=[1-9],t=[1-9]\d?))\$([A-Za-z\d+/]{11,86})\$([A-Za-z\d+/]{22,86})$/

/** What {@link hashArgon2id} writes. */
const OURS = /^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d\$[A-Za-z\d+/]{22}\$[A-Za-z\d+/]{43}$/

export const argon2Format: PasswordHashFormat = {
  accepts: (stored) => parse(stored) !== undefined,
  verify: (stored, password) => argon2.verify(stored, password),
  needsRehash(stored, today) {
    const was = parse(stored)
    return (
      was === undefined ||
      was.type !== 'argon2id' ||
      was.version !== 19 ||
      was.memory_kib !== today.memory_kib ||
      was.time_cost !== today.time_cost ||
      was.parallelism !== today.parallelism ||
      was.salt_length < SALT_LENGTH ||
      was.tag_length !== TAG_LENGTH
    )
  },
  isForeign: (stored) => !OURS.test(stored),
}

/** Whether argon2 can be run with these parameters, and we are willing to. */
export function isAffordable({ memory_kib, time_cost, parallelism }: Argon2Parameters): boolean {
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
export async function hashArgon2id(password: string, salt: Uint8Array, cost: Argon2Parameters): Promise<string> {
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

function parse(stored: string) {
  const [, type, version = '16', parameters, salt = '', tag = ''] = PHC.exec(stored) ?? []
  if (parameters === undefined) return undefined
  const cost = Object.fromEntries(parameters.split(',').map((pair) => pair.split('=')))
  const [memory_kib, time_cost, parallelism] = [Number(cost.m), Number(cost.t), Number(cost.p)]
  if (!isAffordable({ memory_kib, time_cost, parallelism })) return undefined
  // Base64 never leaves one character over.
  if (salt.length % 4 === 1 || tag.length % 4 === 1) return undefined
  const lengths = { salt_length: byteLength(salt), tag_length: byteLength(tag) }
  return { type, version: Number(version), memory_kib, time_cost, parallelism, ...lengths }
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

function byteLength(base64: string): number {
  return Math.floor((base64.length * 3) / 4)
}
