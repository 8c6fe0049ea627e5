/**
 * Firebase's scrypt: what scrypt makes of the password is a key, and what is stored is the project's signer key
 * encrypted with it. The project's parameters are in the string, as Supabase writes them:
 *
 *     $fbscrypt$v=1,n=MEM_COST,r=ROUNDS,p=1,ss=SALT_SEPARATOR,sk=SIGNER_KEY$SALT$HASH
 *
 * `n` is the exponent (mem_cost), the rest is base64 as Firebase exports it.
 *
 * @see [Firebase's scrypt](https://github.com/firebase/scrypt)
 */
import { createCipheriv } from 'node:crypto'
import { foreignFormat, isSame, readBase64 } from './format.ts'
import { isAffordableScrypt, scrypt } from './scrypt.ts'

const STORED =
  /^\$fbscrypt\$v=1,n=([1-9]\d?),r=([1-9]\d?),p=1,ss=([A-Za-z\d+/=]{0,64}),sk=([A-Za-z\d+/=]{4,128})\$([A-Za-z\d+/=]{0,128})\$([A-Za-z\d+/=]{4,128})$/
const DERIVED_BYTES = 64
const KEY_BYTES = 32
const NO_COUNTER = Buffer.alloc(16)
const SHORTEST_SIGNER_KEY = 32

export const firebaseFormat = foreignFormat({
  accepts: (stored) => parse(stored) !== undefined,
  async verify(stored, password) {
    const parsed = parse(stored)
    if (parsed === undefined) return false
    const { salt, salt_separator, signer_key, hash, cost } = parsed
    const derived = await scrypt(password, Buffer.concat([salt, salt_separator]), DERIVED_BYTES, cost)
    const cipher = createCipheriv('aes-256-ctr', derived.subarray(0, KEY_BYTES), NO_COUNTER)
    return isSame(Buffer.concat([cipher.update(signer_key), cipher.final()]), hash)
  },
})

function parse(stored: string) {
  const [, mem_cost, rounds, ...texts] = STORED.exec(stored) ?? []
  if (mem_cost === undefined) return undefined
  const cost = { n: 2 ** Number(mem_cost), r: Number(rounds), p: 1 }
  const [salt_separator, signer_key, salt, hash] = texts.map((text) => readBase64(text, 'padded', 'unpadded'))
  if (salt_separator === undefined || signer_key === undefined || salt === undefined || hash === undefined)
    return undefined
  if (signer_key.length < SHORTEST_SIGNER_KEY || hash.length !== signer_key.length) return undefined
  return isAffordableScrypt(cost) ? { cost, salt_separator, signer_key, salt, hash } : undefined
}
