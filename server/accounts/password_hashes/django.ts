/**
 * Django's own strings, as they are in `auth_user.password`. MD5 is not among them: what it hides is no secret.
 *
 * @see [Django: how passwords are stored](https://docs.djangoproject.com/en/stable/topics/auth/passwords/)
 */
import { hash as digest } from 'node:crypto'
import { argon2Format } from './argon2.ts'
import { isBcrypt, verifyBcrypt } from './bcrypt.ts'
import { foreignFormat, isSame, readBase64 } from './format.ts'
import { isAffordablePbkdf2, type Pbkdf2, verifyPbkdf2 } from './pbkdf2.ts'
import { isAffordableScrypt, scrypt } from './scrypt.ts'

const PBKDF2 = /^pbkdf2_(sha256|sha1)\$([1-9]\d{0,6})\$([^$]{1,128})\$([A-Za-z\d+/=]{28,88})$/
const SCRYPT = /^scrypt\$([1-9]\d{0,8})\$([^$]{1,128})\$([1-9]\d{0,2})\$([1-9]\d?)\$([A-Za-z\d+/=]{28,128})$/
/** `make_password(None)`: nobody can sign in with a password. */
const UNUSABLE = /^!/

export function isUnusable(stored: string): boolean {
  return UNUSABLE.test(stored)
}

/** `pbkdf2_sha256$ITERATIONS$SALT$HASH`, and the same with SHA-1. The salt is text. */
export const djangoPbkdf2Format = foreignFormat({
  accepts: (stored) => parsePbkdf2(stored) !== undefined,
  async verify(stored, password) {
    const parsed = parsePbkdf2(stored)
    return parsed !== undefined && verifyPbkdf2(parsed, password)
  },
})

/** `argon2$argon2id$v=19$…`: a PHC string behind the name. */
export const djangoArgon2Format = foreignFormat({
  accepts: (stored) => stored.startsWith('argon2$argon2') && argon2Format.accepts(stored.slice('argon2'.length)),
  verify: (stored, password) => argon2Format.verify(stored.slice('argon2'.length), password),
})

/** `bcrypt$$2b$…`, and `bcrypt_sha256$$2b$…`, which no password is too long for: its SHA-256 in hexadecimal is hashed. */
export const djangoBcryptFormat = foreignFormat({
  accepts: (stored) => isBcrypt(parseBcrypt(stored)?.hash ?? ''),
  async verify(stored, password) {
    const parsed = parseBcrypt(stored)
    if (parsed === undefined) return false
    return verifyBcrypt(parsed.hash, parsed.sha256 ? digest('sha256', password, 'hex') : password)
  },
})

/** `scrypt$N$SALT$R$P$HASH`. */
export const djangoScryptFormat = foreignFormat({
  accepts: (stored) => parseScrypt(stored) !== undefined,
  async verify(stored, password) {
    const parsed = parseScrypt(stored)
    return (
      parsed !== undefined && isSame(await scrypt(password, parsed.salt, parsed.hash.length, parsed.cost), parsed.hash)
    )
  },
})

function parsePbkdf2(stored: string): Pbkdf2 | undefined {
  const [, name, iterations, salt, hash64 = ''] = PBKDF2.exec(stored) ?? []
  const hash = readBase64(hash64, 'padded')
  if (name === undefined || salt === undefined || hash === undefined) return undefined
  const parsed = { digest: name, iterations: Number(iterations), salt: Buffer.from(salt), hash }
  return isAffordablePbkdf2(parsed) ? parsed : undefined
}

function parseBcrypt(stored: string): { readonly sha256: boolean; readonly hash: string } | undefined {
  const [, name, hash] = /^(bcrypt|bcrypt_sha256)\$(\$2[\s\S]*)$/.exec(stored) ?? []
  return hash === undefined ? undefined : { sha256: name === 'bcrypt_sha256', hash }
}

function parseScrypt(stored: string) {
  const [, n, salt, r, p, hash64 = ''] = SCRYPT.exec(stored) ?? []
  const hash = readBase64(hash64, 'padded')
  if (salt === undefined || hash === undefined) return undefined
  const cost = { n: Number(n), r: Number(r), p: Number(p) }
  return isAffordableScrypt(cost) ? { cost, salt, hash } : undefined
}
