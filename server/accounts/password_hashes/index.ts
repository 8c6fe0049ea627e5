/** The forms in which a stored password hash may come. Another one is a file here and a line in `FORMATS`. */
import { argon2Format } from './argon2.ts'
import { bcryptFormat } from './bcrypt.ts'
import { betterAuthFormat } from './better_auth.ts'
import { djangoArgon2Format, djangoBcryptFormat, djangoPbkdf2Format, djangoScryptFormat } from './django.ts'
import { firebaseFormat } from './firebase.ts'
import { foreignFormat, type PasswordHashFormat } from './format.ts'
import { inHashThread } from './hash_threads.ts'
import { pbkdf2Format } from './pbkdf2.ts'
import { scryptFormat } from './scrypt.ts'
import { isShaCrypt } from './sha_crypt.ts'

/** `$5$` and `$6$`: JavaScript, and so in a thread. */
const shaCryptFormat = foreignFormat({
  accepts: isShaCrypt,
  verify: (stored, password) => inHashThread({ algorithm: 'sha_crypt', stored, password }),
})

const FORMATS: readonly PasswordHashFormat[] = [
  argon2Format,
  bcryptFormat,
  pbkdf2Format,
  scryptFormat,
  shaCryptFormat,
  djangoPbkdf2Format,
  djangoArgon2Format,
  djangoBcryptFormat,
  djangoScryptFormat,
  firebaseFormat,
  betterAuthFormat,
]

/** @returns the format of a stored hash, or undefined when none accepts it. */
export function passwordHashFormat(stored: string): PasswordHashFormat | undefined {
  return FORMATS.find((format) => format.accepts(stored))
}
