/** What is in the database about keys, as it is in memory. */
import { createHash } from 'node:crypto'
import type { SigningAlgorithm } from '../server/protocol/resource.ts'
import type { KeyFetcher, Page, SigningKeyRecord } from '../server/storage/records.ts'
import type { Store } from '../server/storage/store.ts'
import { keyState, publishedKeys } from './keyring.ts'
import { type LoadedKey, loadSigningKey } from './loaded_key.ts'
import type { Vault } from './vault.ts'

const PAGE_ROWS = 500

/** As it is served. */
export interface JwkSet {
  readonly body: string
  /** Changes with it. */
  readonly etag: string
  readonly kids: readonly string[]
}

/** The keyring as it is in memory, replaced as a whole. */
export interface Keyring {
  readonly fingerprint: string
  readonly records: readonly SigningKeyRecord[]
  /** By `kid`: the published ones. */
  readonly loaded: ReadonlyMap<string, LoadedKey>
  readonly active: ReadonlyMap<SigningAlgorithm, LoadedKey>
  readonly jwks: JwkSet
}

/**
 * @param previous what is the same is taken from there
 * @throws {VaultError} when a stored key cannot be opened or is too weak
 */
export async function readKeyring(
  { store, vault }: { readonly store: Pick<Store, 'listSigningKeys'>; readonly vault: Vault },
  previous: Keyring | undefined,
): Promise<Keyring> {
  const records = await store.listSigningKeys()
  const fingerprint = fingerprintOf(records)
  if (previous?.fingerprint === fingerprint) return previous
  const loaded = new Map<string, LoadedKey>()
  const active = new Map<SigningAlgorithm, LoadedKey>()
  for (const record of publishedKeys(records)) {
    const key = previous?.loaded.get(record.kid) ?? (await loadSigningKey(record, vault))
    loaded.set(record.kid, key)
    if (keyState(record) === 'active') active.set(record.alg, key)
  }
  // A string goes out in one write with the headers.
  const body = JSON.stringify({ keys: [...loaded.values()].map(({ jwk }) => jwk) })
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return { fingerprint, records, loaded, active, jwks: { body, etag, kids: [...loaded.keys()] } }
}

/** All who have fetched the JWK Set. */
export async function readFetchers(store: Pick<Store, 'listKeyFetchers'>): Promise<readonly KeyFetcher[]> {
  const fetchers: KeyFetcher[] = []
  let cursor: string | null = null
  do {
    const page: Page<KeyFetcher> = await store.listKeyFetchers({ limit: PAGE_ROWS, cursor })
    fetchers.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null)
  return fetchers
}

function fingerprintOf(records: readonly SigningKeyRecord[]): string {
  const instants = records.map((key) => [key.kid, key.activated_at, key.retired_at, key.removed_at].join())
  return instants.sort().join(';')
}
