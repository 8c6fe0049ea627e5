/**
 * scrypt as a PHC string, `$scrypt$ln=16,r=8,p=1$SALT$HASH`, and what other forms of it share.
 *
 * @see [RFC 7914](https://www.rfc-editor.org/rfc/rfc7914) scrypt
 * @see [passlib](https://passlib.readthedocs.io/en/stable/lib/passlib.hash.scrypt.html#format-algorithm)
 */
import { scrypt as derive, type ScryptOptions } from 'node:crypto'
import { foreignFormat, isSame, readBase64 } from './format.ts'

const MAX_MEMORY_BYTES = 256 * 1024 * 1024
/** Lanes run one after the other, so they cost time: as much work as one lane may have memory for. */
const MAX_WORK_BYTES = 512 * 1024 * 1024
const MAX_PARALLELISM = 16
const SHORTEST_HASH = 16
const PHC = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d{0,2}),p=([1-9]\d?)\$([A-Za-z\d+/]{0,128})\$([A-Za-z\d+/]{22,172})$/

export interface ScryptCost {
  /** The cost N, a power of two. */
  readonly n: number
  readonly r: number
  readonly p: number
}

/** RFC 7914 §2: N is a power of two; 128·N·r bytes are used, p times. */
export function isAffordableScrypt({ n, r, p }: ScryptCost): boolean {
  const bytes = 128 * n * r
  return (
    n > 1 &&
    Number.isInteger(Math.log2(n)) &&
    bytes <= MAX_MEMORY_BYTES &&
    p <= MAX_PARALLELISM &&
    bytes * p <= MAX_WORK_BYTES
  )
}

export function scrypt(
  password: string,
  salt: string | Uint8Array,
  length: number,
  { n, r, p }: ScryptCost,
): Promise<Buffer> {
  // Node counts a little more than the specification's 128·N·r.
  const options: ScryptOptions = { N: n, r, p, maxmem: 128 * r * (n + p + 2) + 1024 * 1024 }
  return new Promise((resolve, reject) => {
    derive(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}

export const scryptFormat = foreignFormat({
  accepts: (stored) => parse(stored) !== undefined,
  async verify(stored, password) {
    const parsed = parse(stored)
    return (
      parsed !== undefined && isSame(await scrypt(password, parsed.salt, parsed.hash.length, parsed.cost), parsed.hash)
    )
  },
})

function parse(stored: string) {
  const [, ln, r, p, salt64 = '', hash64 = ''] = PHC.exec(stored) ?? []
  if (ln === undefined) return undefined
  const cost = { n: 2 ** Number(ln), r: Number(r), p: Number(p) }
  const [salt, hash] = [readBase64(salt64, 'unpadded'), readBase64(hash64, 'unpadded')]
  if (salt === undefined || hash === undefined || hash.length < SHORTEST_HASH) return undefined
  return isAffordableScrypt(cost) ? { cost, salt, hash } : undefined
}
