import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import type { Random } from '../server/deps.ts'

/**
 * Envelope encryption: each value has its own data key, and only that key is encrypted under a key-encryption key, so
 * that changing the latter re-encrypts 32 bytes and never the value.
 *
 * `v1 . kek_id . wrapping iv . wrapped data key . iv . ciphertext`, the parts in base64url, each ciphertext with its tag.
 *
 * @see [NIST SP 800-38D](https://doi.org/10.6028/NIST.SP.800-38D) AES-256-GCM, 96-bit IV, 128-bit tag
 */
export interface Envelope {
  readonly kek_id: string
  readonly wrap_iv: Buffer
  readonly wrapped_key: Buffer
  readonly iv: Buffer
  readonly ciphertext: Buffer
}

export interface KeyEncryptionKey {
  readonly kek_id: string
  readonly key: KeyObject
}

const VERSION = 'v1'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16

/** What a key-encryption key may be called: it is a part of the envelope, so it holds no dot. */
export const KEK_ID = /^[A-Za-z0-9_-]{1,64}$/

/** @param where table, column and row of the value: authenticated, so that it opens nowhere else */
export function sealEnvelope(kek: KeyEncryptionKey, where: string, plaintext: Uint8Array, random: Random): string {
  const data_key = random.bytes(KEY_BYTES)
  const iv = Buffer.from(random.bytes(IV_BYTES))
  const ciphertext = encrypt(data_key, iv, valueContext(where), plaintext)
  return formatEnvelope({ ...wrap(kek, where, data_key, random), iv, ciphertext })
}

/** @returns undefined when the key is another one, the place is another one, or a bit has changed. */
export function openEnvelope(kek: KeyEncryptionKey, where: string, envelope: Envelope): Buffer | undefined {
  const data_key = unwrap(kek, where, envelope)
  if (data_key === undefined) return undefined
  return decrypt(data_key, envelope.iv, valueContext(where), envelope.ciphertext)
}

/** The same value under another key-encryption key. @returns undefined when `from` does not open it. */
export function rewrapEnvelope(
  from: KeyEncryptionKey,
  to: KeyEncryptionKey,
  where: string,
  envelope: Envelope,
  random: Random,
): string | undefined {
  const data_key = unwrap(from, where, envelope)
  if (data_key === undefined) return undefined
  return formatEnvelope({ ...envelope, ...wrap(to, where, data_key, random) })
}

/** @returns undefined for anything that {@link sealEnvelope} does not write, byte for byte. */
export function parseEnvelope(sealed: string): Envelope | undefined {
  const parts = sealed.split('.')
  const [version, kek_id, wrap_iv, wrapped_key, iv, ciphertext] = parts
  if (version !== VERSION || parts.length !== 6 || kek_id === undefined || !KEK_ID.test(kek_id)) return undefined
  const envelope: Envelope = {
    kek_id,
    wrap_iv: Buffer.from(wrap_iv ?? '', 'base64url'),
    wrapped_key: Buffer.from(wrapped_key ?? '', 'base64url'),
    iv: Buffer.from(iv ?? '', 'base64url'),
    ciphertext: Buffer.from(ciphertext ?? '', 'base64url'),
  }
  if (envelope.wrap_iv.length !== IV_BYTES || envelope.iv.length !== IV_BYTES) return undefined
  if (envelope.wrapped_key.length !== KEY_BYTES + TAG_BYTES || envelope.ciphertext.length < TAG_BYTES) return undefined
  // RFC 4648 §3.5: base64 has several spellings of the same bytes; only the canonical one is ours.
  return formatEnvelope(envelope) === sealed ? envelope : undefined
}

function formatEnvelope(envelope: Envelope): string {
  const parts = [envelope.wrap_iv, envelope.wrapped_key, envelope.iv, envelope.ciphertext]
  return [VERSION, envelope.kek_id, ...parts.map((part) => part.toString('base64url'))].join('.')
}

function wrap(kek: KeyEncryptionKey, where: string, data_key: Uint8Array, random: Random) {
  const wrap_iv = Buffer.from(random.bytes(IV_BYTES))
  const wrapped_key = encrypt(kek.key, wrap_iv, wrapContext(kek.kek_id, where), data_key)
  return { kek_id: kek.kek_id, wrap_iv, wrapped_key }
}

function unwrap(kek: KeyEncryptionKey, where: string, envelope: Envelope): Buffer | undefined {
  if (kek.kek_id !== envelope.kek_id) return undefined
  return decrypt(kek.key, envelope.wrap_iv, wrapContext(kek.kek_id, where), envelope.wrapped_key)
}

function wrapContext(kek_id: string, where: string): Buffer {
  return Buffer.from(`gatehouse ${VERSION} key\0${kek_id}\0${where}`)
}

function valueContext(where: string): Buffer {
  return Buffer.from(`gatehouse ${VERSION} value\0${where}`)
}

function encrypt(key: KeyObject | Uint8Array, iv: Buffer, context: Buffer, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(context)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: KeyObject | Uint8Array, iv: Buffer, context: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(context)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const plaintext = decipher.update(sealed.subarray(0, -TAG_BYTES))
  try {
    return Buffer.concat([plaintext, decipher.final()])
  } catch {
    return undefined
  }
}
