/**
 * bcrypt: `$2a$`, `$2b$` and `$2y$`, which are one function. Passwords longer than 72 bytes are cut there, as where the
 * hash was made: the rest of them never counted.
 *
 * @see [Provos and Mazières, A Future-Adaptable Password Scheme](https://www.usenix.org/legacy/events/usenix99/provos.html)
 */
import { foreignFormat } from './format.ts'
import { inHashThread } from './hash_threads.ts'

const MAX_COST = 14
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z\d]{53}$/

export function isBcrypt(stored: string): boolean {
  const cost = Number(BCRYPT.exec(stored)?.[1] ?? 0)
  return cost >= 4 && cost <= MAX_COST
}

/** In a thread: this bcrypt is JavaScript, which would hold the event loop. */
export function verifyBcrypt(stored: string, password: string): Promise<boolean> {
  return inHashThread({ algorithm: 'bcrypt', stored, password })
}

/** Also what Auth0 and Supabase store. */
export const bcryptFormat = foreignFormat({ accepts: isBcrypt, verify: verifyBcrypt })
