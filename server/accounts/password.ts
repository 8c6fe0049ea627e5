/**
 * Password hashing: argon2id behind a bounded gate. Whatever is checked costs the same work, so that the time of an
 * answer says nothing of whether an account exists. Hashes that were made elsewhere cost what they cost: as long as there
 * are any, every no takes as long as the slowest of them has.
 *
 * @see [OWASP Password Storage](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
 */
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import argon2 from 'argon2'
import type { Random } from '../deps.ts'
import type { Seconds } from '../protocol/time.ts'
import { createGate } from './gate.ts'
import { hashArgon2id, isAffordable, SALT_LENGTH } from './password_hashes/argon2.ts'
import type { Argon2Parameters, PasswordHashFormat } from './password_hashes/format.ts'
import { passwordHashFormat } from './password_hashes/index.ts'
import { normalizePassword } from './password_policy.ts'

export interface PasswordHasher {
  /**
   * @param password one that `checkNewPassword` has let through
   * @returns an argon2id PHC string. Rejects with {@link HasherBusy} when the line is full.
   */
  hash(password: string): Promise<string>
  /**
   * Does the same work whatever is stored: null (nobody, or no password) and anything unreadable are checked against
   * a decoy. Rejects with {@link HasherBusy} when the line is full.
   *
   * @returns whether it is the password and, if so, whether its hash is older than today's parameters.
   */
  verify(stored: string | null, password: string): Promise<{ readonly valid: boolean; readonly rehash: boolean }>
  readonly running: number
  readonly waiting: number
}

/** More passwords to check than the machine can take on: a 503, and nobody is told more than that. */
export class HasherBusy extends Error {
  readonly retry_after: Seconds

  constructor(retry_after: Seconds) {
    super('too many passwords are being checked')
    this.name = 'HasherBusy'
    this.retry_after = retry_after
  }
}

export interface PasswordHasherOptions extends Argon2Parameters {
  /**
   * How many hashes run at once; each holds a thread of libuv's pool, which signing needs too. 0: one less than there
   * are cores, at least 1.
   */
  readonly concurrency: number
  /** How many may wait for their turn. */
  readonly queue_length: number
  readonly random: Random
}

/** However slow a foreign hash has been, nobody waits longer for a no. */
const LONGEST_NO_MILLISECONDS = 3_000

/** @throws RangeError when the parameters ask for more than a stored hash may cost. */
export async function createPasswordHasher(options: PasswordHasherOptions): Promise<PasswordHasher> {
  if (!isAffordable(options)) throw new RangeError('these argon2id parameters are more than a stored hash may have')
  const concurrency = options.concurrency || Math.max(1, availableParallelism() - 1)
  const gate = createGate({ concurrency, queue_length: options.queue_length })

  const started = performance.now()
  const decoy = await argon2id(Buffer.from(options.random.bytes(32)).toString('base64'))
  const decoy_milliseconds = performance.now() - started
  // By then a full line has moved on.
  const retry_after = Math.max(1, Math.ceil(((options.queue_length / concurrency + 1) * decoy_milliseconds) / 1000))
  /** 0 until a foreign hash has been checked: without any, the decoy is like all the others. */
  let no_milliseconds = 0

  function argon2id(password: string): Promise<string> {
    return hashArgon2id(password, options.random.bytes(SALT_LENGTH), options)
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    return gate.run(work) ?? Promise.reject(new HasherBusy(retry_after))
  }

  return {
    get running() {
      return gate.running
    },
    get waiting() {
      return gate.waiting
    },
    async hash(password) {
      const normalized = normalizePassword(password)
      if (normalized === undefined) throw new TypeError('a password that the policy refuses cannot be hashed')
      return inTurn(() => argon2id(normalized))
    },
    async verify(stored, password) {
      const normalized = normalizePassword(password)
      const format = stored === null ? undefined : passwordHashFormat(stored)
      const check = async () => {
        const began = performance.now()
        if (stored === null || format === undefined || normalized === undefined) {
          await argon2.verify(decoy, normalized ?? '')
          return { valid: false, foreign: false, milliseconds: performance.now() - began }
        }
        const valid = await verifyEither(format, stored, [normalized, password])
        const foreign = format.isForeign(stored)
        return { valid, foreign, milliseconds: performance.now() - began }
      }
      const { valid, foreign, milliseconds } = await inTurn(check)
      if (foreign) {
        const slowest = Math.max(no_milliseconds, decoy_milliseconds, milliseconds)
        no_milliseconds = Math.min(slowest, LONGEST_NO_MILLISECONDS)
      }
      if (valid) return { valid, rehash: stored !== null && format?.needsRehash(stored, options) === true }
      // After the gate: waiting is no work, and keeps nobody else out.
      if (milliseconds < no_milliseconds) await sleep(no_milliseconds - milliseconds)
      return { valid: false, rehash: false }
    },
  }
}

/** Others hash what was typed; we hash its NFC. They differ for hardly anybody, and then the second one is tried. */
async function verifyEither(format: PasswordHashFormat, stored: string, [nfc, typed]: [string, string]) {
  if (await format.verify(stored, nfc)) return true
  return typed !== nfc && format.verify(stored, typed)
}
