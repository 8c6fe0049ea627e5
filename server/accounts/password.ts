/**
 * Password hashing: argon2id behind a bounded gate. Whatever is checked costs the same work, so that the time of an
 * answer says nothing of whether an account exists.
 *
 * @see [OWASP Password Storage](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
 */
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import type { Random } from '../deps.ts'
import type { Seconds } from '../protocol/time.ts'
import { createGate } from './gate.ts'
import {
  type Argon2idParameters,
  hashArgon2id,
  isAffordable,
  passwordHashFormat,
  SALT_LENGTH,
} from './password_hash_formats.ts'
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

export interface PasswordHasherOptions extends Argon2idParameters {
  /**
   * How many hashes run at once; each holds a thread of libuv's pool, which signing needs too. 0: one less than there
   * are cores, at least 1.
   */
  readonly concurrency: number
  /** How many may wait for their turn. */
  readonly queue_length: number
  readonly random: Random
}

/** @throws RangeError when the parameters ask for more than a stored hash may cost. */
export async function createPasswordHasher(options: PasswordHasherOptions): Promise<PasswordHasher> {
  if (!isAffordable(options)) throw new RangeError('these argon2id parameters are more than a stored hash may have')
  const concurrency = options.concurrency || Math.max(1, availableParallelism() - 1)
  const gate = createGate({ concurrency, queue_length: options.queue_length })

  const started = performance.now()
  const decoy = await argon2id(Buffer.from(options.random.bytes(32)).toString('base64'))
  const seconds_each = (performance.now() - started) / 1000
  // By then a full line has moved on.
  const retry_after = Math.max(1, Math.ceil((options.queue_length / concurrency + 1) * seconds_each))

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
      if (stored === null || format === undefined || normalized === undefined) {
        await inTurn(() => argon2.verify(decoy, normalized ?? ''))
        return { valid: false, rehash: false }
      }
      const valid = await inTurn(() => format.verify(stored, normalized))
      return { valid, rehash: valid && format.needsRehash(stored, options) }
    },
  }
}
