/**
 * SHA-crypt, what Unix keeps in `/etc/shadow`: `$5$` (SHA-256) and `$6$` (SHA-512). Step by step as specified, tested
 * with the vectors of the specification.
 *
 * @see [Unix crypt using SHA-256 and SHA-512](https://www.akkadia.org/drepper/SHA-crypt.txt)
 */
import { hash } from 'node:crypto'
import { isSame } from './format.ts'

const MAX_ROUNDS = 1_000_000
const MIN_ROUNDS = 1000
const LONGEST_PASSWORD_BYTES = 256
const DEFAULT_ROUNDS = 5000
const STORED = /^\$([56])\$(?:rounds=([1-9]\d{0,8})\$)?([^$]{0,16})\$([./A-Za-z\d]+)$/
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

interface Variant {
  readonly algorithm: 'sha256' | 'sha512'
  readonly length: number
  readonly characters: number
}
const VARIANTS: Readonly<Record<string, Variant>> = {
  5: { algorithm: 'sha256', length: 32, characters: 43 },
  6: { algorithm: 'sha512', length: 64, characters: 86 },
}

export function isShaCrypt(stored: string): boolean {
  return parse(stored) !== undefined
}

/** Takes its time (half a second for 656,000 rounds) and never lets go of the thread. */
export function verifyShaCrypt(stored: string, password: string): boolean {
  const parsed = parse(stored)
  const bytes = Buffer.from(password)
  // Its cost grows with the password's length. musl draws the line at the same place.
  if (parsed === undefined || bytes.length > LONGEST_PASSWORD_BYTES) return false
  const made = encode(digestOf(parsed, bytes), parsed.variant)
  return isSame(Buffer.from(made), Buffer.from(parsed.tag))
}

interface Parsed {
  readonly variant: Variant
  readonly rounds: number
  readonly salt: Buffer
  readonly tag: string
}

function parse(stored: string): Parsed | undefined {
  const [, id = '', asked, salt, tag] = STORED.exec(stored) ?? []
  const variant = VARIANTS[id]
  if (variant === undefined || salt === undefined || tag?.length !== variant.characters) return undefined
  // What is less than a thousand counts as a thousand.
  const rounds = asked === undefined ? DEFAULT_ROUNDS : Math.max(MIN_ROUNDS, Number(asked))
  return rounds > MAX_ROUNDS ? undefined : { variant, rounds, salt: Buffer.from(salt), tag }
}

function digestOf({ variant: { algorithm, length }, rounds, salt }: Parsed, password: Buffer): Buffer {
  const sha = (...parts: Uint8Array[]) => hash(algorithm, Buffer.concat(parts), 'buffer')
  /** A digest, over and over, as long as asked. */
  const spread = (digest: Buffer, size: number) => Buffer.alloc(size, size === 0 ? undefined : digest)

  // Steps 4 to 8.
  const b = sha(password, salt, password)
  // Steps 1 to 3, 9 to 12.
  const a_parts: Buffer[] = [password, salt, spread(b, password.length)]
  for (let bits = password.length; bits > 0; bits >>>= 1) a_parts.push(bits & 1 ? b : password)
  const a = sha(...a_parts)
  // Steps 13 to 16: P. Steps 17 to 20: S.
  const p = spread(sha(...Array.from({ length: password.length }, () => password)), password.length)
  const s = spread(sha(...Array.from({ length: 16 + (a[0] ?? 0) }, () => salt)), salt.length)
  // Step 21.
  let c = a
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1
    const parts = [odd ? p : c]
    if (round % 3 !== 0) parts.push(s)
    if (round % 7 !== 0) parts.push(p)
    parts.push(odd ? c : p)
    c = sha(...parts)
  }
  return c.subarray(0, length)
}

/** Step 22: three bytes at a time, in an order of its own, lowest six bits first. */
function encode(digest: Buffer, { algorithm, length }: Variant): string {
  const third = Math.floor(length / 3)
  const groups: [number, number, number, number][] = []
  let [x, y, z] = [0, third, 2 * third]
  for (let index = 0; index < third; index++) {
    groups.push([x, y, z, 4])
    ;[x, y, z] = algorithm === 'sha512' ? [y + 1, z + 1, x + 1] : [z + 1, x + 1, y + 1]
  }
  const at = (index: number) => (index < 0 ? 0 : (digest[index] ?? 0))
  groups.push(algorithm === 'sha512' ? [-1, -1, 63, 2] : [-1, 31, 30, 3])
  return groups
    .map(([first, second, last, characters]) => {
      let bits = (at(first) << 16) | (at(second) << 8) | at(last)
      let text = ''
      for (let index = 0; index < characters; index++) {
        text += ALPHABET.charAt(bits & 63)
        bits >>>= 6
      }
      return text
    })
    .join('')
}
