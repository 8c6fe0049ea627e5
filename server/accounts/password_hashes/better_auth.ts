/**
 * better-auth: `SALT:KEY`, both hexadecimal. The salt goes into scrypt as the text that it is, and the password after
 * NFKC.
 *
 * @see [better-auth](https://github.com/better-auth/better-auth/blob/main/packages/better-auth/src/crypto/password.ts)
 */
import { foreignFormat, isSame } from './format.ts'
import { scrypt } from './scrypt.ts'

const STORED = /^([\da-f]{32}):([\da-f]{128})$/
const COST = { n: 16_384, r: 16, p: 1 } as const

export const betterAuthFormat = foreignFormat({
  accepts: (stored) => STORED.test(stored),
  async verify(stored, password) {
    const [, salt, key] = STORED.exec(stored) ?? []
    if (salt === undefined || key === undefined) return false
    const hash = Buffer.from(key, 'hex')
    return isSame(await scrypt(password.normalize('NFKC'), salt, hash.length, COST), hash)
  },
})
