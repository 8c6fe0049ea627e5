/**
 * PBKDF2 as passlib writes it, `$pbkdf2-sha256$ROUNDS$SALT$HASH`, and as a PHC string, `$pbkdf2-sha256$i=ROUNDS,l=LENGTH$SALT$HASH`.
 * `$pbkdf2$` is SHA-1. Keycloak's credentials are brought into the second form when they are imported.
 *
 * @see [RFC 8018 §5.2](https://www.rfc-editor.org/rfc/rfc8018#section-5.2) PBKDF2
 * @see [passlib](https://passlib.readthedocs.io/en/stable/lib/passlib.hash.pbkdf2_digest.html)
 */
import { pbkdf2 as derive } from 'node:crypto'
import { promisify } from 'node:util'
import { foreignFormat, isSame, readBase64 } from './format.ts'

const MAX_ITERATIONS = 2_000_000
const SHORTEST_HASH = 16
const LONGEST_HASH = 128
const DIGESTS: Readonly<Record<string, string>> = {
  pbkdf2: 'sha1',
  'pbkdf2-sha1': 'sha1',
  'pbkdf2-sha256': 'sha256',
  'pbkdf2-sha512': 'sha512',
}
const STORED =
  /^\$(pbkdf2(?:-sha(?:1|256|512))?)\$(?:i=)?([1-9]\d{0,6})(?:,l=(\d{2,3}))?\$([^$]{0,128})\$([^$]{16,172})$/

const pbkdf2 = promisify(derive)

export interface Pbkdf2 {
  readonly digest: string
  readonly iterations: number
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** Whether we are willing to run it, and what it compares with is long enough to tell passwords apart. */
export function isAffordablePbkdf2({ iterations, hash }: Pbkdf2): boolean {
  return iterations <= MAX_ITERATIONS && hash.length >= SHORTEST_HASH && hash.length <= LONGEST_HASH
}

export async function verifyPbkdf2({ digest, iterations, salt, hash }: Pbkdf2, password: string): Promise<boolean> {
  return isSame(await pbkdf2(password, salt, iterations, hash.length, digest), hash)
}

export const pbkdf2Format = foreignFormat({
  accepts: (stored) => parse(stored) !== undefined,
  async verify(stored, password) {
    const parsed = parse(stored)
    return parsed !== undefined && verifyPbkdf2(parsed, password)
  },
})

function parse(stored: string): Pbkdf2 | undefined {
  const [, id = '', iterations, length, salt64 = '', hash64 = ''] = STORED.exec(stored) ?? []
  const digest = DIGESTS[id]
  const salt = readBase64(salt64, 'padded', 'unpadded', 'dotted')
  const hash = readBase64(hash64, 'padded', 'unpadded', 'dotted')
  if (digest === undefined || salt === undefined || hash === undefined) return undefined
  if (length !== undefined && Number(length) !== hash.length) return undefined
  const parsed = { digest, iterations: Number(iterations), salt, hash }
  return isAffordablePbkdf2(parsed) ? parsed : undefined
}
