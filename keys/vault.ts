import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Random } from '../server/deps.ts'
import type { Clock } from '../server/protocol/time.ts'
import type { Store } from '../server/storage/store.ts'
import { type Envelope, openEnvelope, parseEnvelope, rewrapEnvelope, sealEnvelope } from './envelope.ts'
import { createKeyEncryptionKeyFile, readKeyEncryptionKeys } from './key_encryption_keys.ts'
import { VaultError } from './vault_error.ts'

/** A key for the MACs of refresh tokens. Tokens name it, so that older ones are known after a change of key. */
export interface MacKey {
  /** 1 to 255: one byte of the token. */
  readonly mac_key_id: number
  readonly key: KeyObject
}

type VaultStore = Pick<
  Store,
  'listVaultSecrets' | 'insertVaultSecret' | 'replaceSealedVaultSecret' | 'listSigningKeys' | 'replaceSealedSigningKey'
>

/** Secrets at rest: what the database holds is useless without the key-encryption key file. */
export interface Vault {
  /** @param where table, column and row: authenticated, so that a sealed value cannot be moved to another place */
  seal(where: string, plaintext: Uint8Array): string
  /** @throws {VaultError} for another place, an unknown key-encryption key, or a value that was altered */
  open(where: string, sealed: string): Uint8Array
  /**
   * What is stored in place of a handle or a secret that we handed out: HMAC-SHA-256 with a key of the vault, base64url.
   *
   * @param label the type of the handle, so that one type never passes for another; without a NUL
   */
  digest(label: string, handle: string): string
  /** For the refresh tokens made now. */
  readonly refreshTokenMacKey: MacKey
  findRefreshTokenMacKey(mac_key_id: number): MacKey | undefined
  /** Puts every sealed value under the active key-encryption key. @returns how many were under another one. */
  rewrap(store: VaultStore): Promise<number>
}

export interface VaultOptions {
  /** Created on first start. */
  readonly key_encryption_key_file: string
  readonly store: VaultStore
  readonly random: Random
  readonly clock: Clock
}

/** Where a signing key's private half is sealed to. */
export function signingKeyPlace(kid: string): string {
  return `signing_keys/private_key_sealed/${kid}`
}

const SECRET_BYTES = 32
const CHECK = Buffer.from('gatehouse')

/**
 * Opens the vault; on the first start it makes the key-encryption key file and the vault's secrets.
 *
 * @throws {VaultError} when the file is missing, unsafe or not the one that the database was encrypted under
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const { store, random, clock } = options
  const path = options.key_encryption_key_file
  const keks = await keyEncryptionKeys(options)
  const [active] = keks

  const find = (envelope: Envelope) => {
    const kek = keks.find(({ kek_id }) => kek_id === envelope.kek_id)
    if (kek !== undefined) return kek
    throw new VaultError(
      `The database is encrypted under the key-encryption key ${envelope.kek_id}, which ${path} does not hold. Put that key back into the file, or copy the file from the node that made it.`,
    )
  }

  const parse = (where: string, sealed: string) => {
    const envelope = parseEnvelope(sealed)
    if (envelope === undefined) throw new VaultError(`${where} holds no sealed value. Restore it from a backup.`)
    return envelope
  }

  const damaged = (where: string, envelope: Envelope) =>
    new VaultError(
      `${where} cannot be opened: the key-encryption key ${envelope.kek_id} in ${path} is not the one it was sealed with, or the value was altered or moved. Restore the file or the database from a backup.`,
    )

  const seal = (where: string, plaintext: Uint8Array) => sealEnvelope(active, where, plaintext, random)

  const open = (where: string, sealed: string) => {
    const envelope = parse(where, sealed)
    const plaintext = openEnvelope(find(envelope), where, envelope)
    if (plaintext === undefined) throw damaged(where, envelope)
    return plaintext
  }

  const rewrapped = (where: string, sealed: string) => {
    const envelope = parse(where, sealed)
    if (envelope.kek_id === active.kek_id) return undefined
    const rewrapped = rewrapEnvelope(find(envelope), active, where, envelope, random)
    if (rewrapped === undefined) throw damaged(where, envelope)
    return rewrapped
  }

  /** Where two processes make a secret at once, the database keeps the first, and both use that one. */
  const makeSecret = (name: string, plaintext: Uint8Array) =>
    store.insertVaultSecret({ name, key_id: 1, sealed: seal(secretPlace(name, 1), plaintext), created_at: clock.now() })

  const readSecrets = async () => {
    const records = await store.listVaultSecrets()
    // First of all, so that a wrong key-encryption key says so whatever else the database holds.
    const check = records.find(({ name }) => name === 'check')
    if (check !== undefined && !CHECK.equals(open(secretPlace('check', 1), check.sealed))) {
      throw new VaultError(`${secretPlace('check', 1)} holds another value than ours. Restore the database.`)
    }
    return records.map(({ name, key_id, sealed }) => ({ name, key_id, value: open(secretPlace(name, key_id), sealed) }))
  }

  let secrets = await readSecrets()
  const missing = (name: string) => secrets.every((secret) => secret.name !== name)
  if (missing('check')) await makeSecret('check', CHECK)
  if (missing('handle_digest')) await makeSecret('handle_digest', random.bytes(SECRET_BYTES))
  if (missing('refresh_token_mac')) await makeSecret('refresh_token_mac', random.bytes(SECRET_BYTES))
  secrets = await readSecrets()

  const digestKey = secrets.find(({ name }) => name === 'handle_digest')
  const macKeys = new Map<number, MacKey>()
  for (const { name, key_id, value } of secrets) {
    if (name !== 'refresh_token_mac' || key_id < 1 || key_id > 255) continue
    macKeys.set(key_id, { mac_key_id: key_id, key: createSecretKey(value) })
  }
  const refreshTokenMacKey = macKeys.get(Math.max(...macKeys.keys()))
  if (digestKey === undefined || refreshTokenMacKey === undefined) {
    throw new VaultError('The database did not keep the secrets of the vault. Run: gatehouse doctor')
  }
  const digest_key = createSecretKey(digestKey.value)

  return {
    seal,
    open,
    digest(label, handle) {
      return createHmac('sha256', digest_key).update(`${label}\0${handle}`).digest('base64url')
    },
    refreshTokenMacKey,
    findRefreshTokenMacKey(mac_key_id) {
      return macKeys.get(mac_key_id)
    },
    async rewrap(store) {
      let count = 0
      for (const { name, key_id, sealed } of await store.listVaultSecrets()) {
        const replacement = rewrapped(secretPlace(name, key_id), sealed)
        if (replacement === undefined) continue
        const outcome = await store.replaceSealedVaultSecret(name, key_id, sealed, replacement)
        if (outcome === 'replaced') count += 1
      }
      for (const { kid, removed_at, private_key_sealed } of await store.listSigningKeys()) {
        // A removed key signs nothing again: it may become unreadable with the old key-encryption key.
        if (removed_at !== null) continue
        const replacement = rewrapped(signingKeyPlace(kid), private_key_sealed)
        if (replacement === undefined) continue
        const outcome = await store.replaceSealedSigningKey(kid, private_key_sealed, replacement)
        if (outcome === 'replaced') count += 1
      }
      return count
    },
  }
}

async function keyEncryptionKeys({ key_encryption_key_file: path, store, random }: VaultOptions) {
  // Asked before the file is looked for: another process's first start makes the file first and the secrets then.
  const encrypted = (await store.listVaultSecrets()).length > 0
  let keks = await readKeyEncryptionKeys(path)
  if (keks === undefined && encrypted) {
    throw new VaultError(
      `The database is encrypted, and its key-encryption key file ${path} is missing. Put the file back from your copy; without it the database cannot be used.`,
    )
  }
  if (keks === undefined) {
    await createKeyEncryptionKeyFile(path, random)
    keks = await readKeyEncryptionKeys(path)
  }
  const [active, ...others] = keks ?? []
  if (active === undefined) throw new VaultError(`The key-encryption key file ${path} vanished. Start again.`)
  return [active, ...others] as const
}

function secretPlace(name: string, key_id: number): string {
  return `vault_secrets/sealed/${name}/${key_id}`
}
