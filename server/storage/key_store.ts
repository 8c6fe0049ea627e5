import type { SigningAlgorithm } from '../protocol/resource.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type {
  Audit,
  KeyFetch,
  KeyFetcher,
  OneTimeHandle,
  Page,
  PageRequest,
  SigningKeyRecord,
  VaultSecretRecord,
} from './records.ts'
import * as sql from './statements.ts'
import { happens, transition } from './transition.ts'

export interface KeyStore {
  listSigningKeys(): Promise<SigningKeyRecord[]>
  /** Inserts keys; a second `next` or `active` key of one algorithm loses, and nothing is inserted. */
  insertSigningKeys(keys: readonly SigningKeyRecord[], audit: Audit): Promise<'inserted' | 'lost_race'>
  /**
   * The active key retires and the next one becomes active, in one commit, with a new next key.
   */
  activateSigningKey(
    change: { kid: string; retire: string | null; next: SigningKeyRecord | null; now: Seconds },
    audit: Audit,
  ): Promise<'activated' | 'lost_race'>
  /** Removes every key of an algorithm and inserts these in their place. The private halves of the removed are erased. */
  replaceSigningKeys(
    change: { alg: string; keys: readonly SigningKeyRecord[]; now: Seconds },
    audit: Audit,
  ): Promise<'replaced' | 'lost_race'>
  /** Its private half is erased. */
  removeSigningKey(kid: string, now: Seconds, audit: Audit): Promise<'removed' | 'lost_race'>
  /** Re-wraps under another key-encryption key. */
  replaceSealedSigningKey(kid: string, expected: string, sealed: string): Promise<'replaced' | 'stale'>
  /**
   * Notes the last fetch of each of these fetchers.
   *
   * @param kept how many stay of each resource's fetchers, and of those that name none; the others have fetched longest ago
   */
  recordKeyFetches(
    fetches: readonly KeyFetch[],
    kept: { readonly of_resource: number; readonly of_others: number },
  ): Promise<void>
  listKeyFetchers(page: PageRequest): Promise<Page<KeyFetcher>>
  listVaultSecrets(): Promise<VaultSecretRecord[]>
  insertVaultSecret(secret: VaultSecretRecord): Promise<'inserted' | 'exists'>
  replaceSealedVaultSecret(
    name: string,
    key_id: number,
    expected: string,
    sealed: string,
  ): Promise<'replaced' | 'stale'>
  /** Supersedes every earlier handle of the same purpose and subject. */
  createOneTimeHandle(handle: OneTimeHandle, audit: Audit): Promise<void>
  /** Whether a handle could still be claimed. A page may say so; only a claim decides. */
  isOneTimeHandleLive(digest: string, purpose: OneTimeHandle['purpose'], now: Seconds): Promise<boolean>
}

interface KeyFetcherRow extends Omit<KeyFetcher, 'resource' | 'kids' | 'signing_alg'> {
  /** Empty: none. A part of the primary key is never null. */
  readonly resource: string
  readonly kids: string
  readonly signing_alg: SigningAlgorithm | null
}

function keyFetcherOf({ resource, kids, signing_alg, ...row }: KeyFetcherRow): KeyFetcher {
  return {
    resource: resource === '' ? null : resource,
    ...row,
    kids: JSON.parse(kids),
    // The default resource may be there without a row.
    signing_alg: signing_alg ?? 'RS256',
  }
}

export function keyStore(driver: Driver): KeyStore {
  return {
    listSigningKeys() {
      return driver.query<SigningKeyRecord>(sql.LIST_SIGNING_KEYS, [])
    },

    async insertSigningKeys(keys, audit) {
      const outcome = await transition(driver, keys.map(insertStep), audit)
      return outcome.committed ? 'inserted' : 'lost_race'
    },

    async activateSigningKey({ kid, retire, next, now }, audit) {
      // The unique indexes allow one active and one next key of an algorithm: each has to leave before another comes.
      const steps: Step[] = [{ sql: sql.ACTIVATE_SIGNING_KEY, values: [kid, now], must_change: 1 }]
      if (retire !== null) steps.unshift({ sql: sql.RETIRE_SIGNING_KEY, values: [retire, now], must_change: 1 })
      if (next !== null) steps.push(insertStep(next))
      const outcome = await transition(driver, steps, audit)
      return outcome.committed ? 'activated' : 'lost_race'
    },

    async replaceSigningKeys({ alg, keys, now }, audit) {
      const remove: Step = { sql: sql.REMOVE_SIGNING_KEYS, values: [alg, now] }
      const outcome = await transition(driver, [remove, ...keys.map(insertStep)], audit)
      return outcome.committed ? 'replaced' : 'lost_race'
    },

    async removeSigningKey(kid, now, audit) {
      const step = { sql: sql.REMOVE_SIGNING_KEY, values: [kid, now] }
      return (await happens(driver, step, audit)) ? 'removed' : 'lost_race'
    },

    async replaceSealedSigningKey(kid, expected, sealed) {
      const step = { sql: sql.REPLACE_SEALED_SIGNING_KEY, values: [kid, expected, sealed] }
      return (await happens(driver, step)) ? 'replaced' : 'stale'
    },

    async recordKeyFetches(fetches, { of_resource, of_others }) {
      const rows = fetches.map((fetch) => ({ ...fetch, resource: fetch.resource ?? '' }))
      // In one order everywhere: nobody deadlocks.
      const ordered = rows.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
      const record: Step[] = ordered.map(({ resource, address_prefix, agent, kids, fetched_at }) => ({
        sql: sql.RECORD_KEY_FETCH,
        values: [resource, address_prefix, agent, JSON.stringify(kids), fetched_at, fetched_at],
      }))
      const resources = [...new Set(ordered.map(({ resource }) => resource))]
      const trim: Step[] = resources.map((resource) => ({
        sql: sql.TRIM_KEY_FETCHERS,
        values: [resource, resource === '' ? of_others : of_resource],
      }))
      await transition(driver, [...record, ...trim], [])
    },

    async listKeyFetchers(page) {
      const after = readCursor(page.cursor, ['', '', ''] as const)
      const rows = await driver.query<KeyFetcherRow>(sql.LIST_KEY_FETCHERS, [...after, page.limit + 1])
      const found = pageOf(rows, page, ({ resource, address_prefix, agent }) => [resource, address_prefix, agent])
      return { ...found, items: found.items.map(keyFetcherOf) }
    },

    listVaultSecrets() {
      return driver.query<VaultSecretRecord>(sql.LIST_VAULT_SECRETS, [])
    },

    async insertVaultSecret({ name, key_id, sealed, created_at }) {
      const step = { sql: sql.INSERT_VAULT_SECRET, values: [name, key_id, sealed, created_at] }
      return (await happens(driver, step)) ? 'inserted' : 'exists'
    },

    async replaceSealedVaultSecret(name, key_id, expected, sealed) {
      const step = { sql: sql.REPLACE_SEALED_VAULT_SECRET, values: [name, key_id, expected, sealed] }
      return (await happens(driver, step)) ? 'replaced' : 'stale'
    },

    async createOneTimeHandle({ digest, purpose, subject, expires_at }, audit) {
      const steps: Step[] = [
        { sql: sql.SUPERSEDE_ONE_TIME_HANDLES, values: [purpose, subject] },
        { sql: sql.INSERT_ONE_TIME_HANDLE, values: [digest, purpose, subject, expires_at] },
      ]
      await transition(driver, steps, audit)
    },

    async isOneTimeHandleLive(digest, purpose, now) {
      const rows = await driver.query(sql.SELECT_LIVE_ONE_TIME_HANDLE, [digest, purpose, now])
      return rows.length > 0
    },
  }
}

function insertStep(key: SigningKeyRecord): Step {
  const { kid, alg, public_jwk, private_key_sealed, created_at, activated_at, retired_at, removed_at } = key
  const values = [kid, alg, public_jwk, private_key_sealed, created_at, activated_at, retired_at, removed_at]
  return { sql: sql.INSERT_SIGNING_KEY, values, must_change: 1 }
}

function placeOf({ resource, address_prefix, agent }: { resource: string; address_prefix: string; agent: string }) {
  return [resource, address_prefix, agent].join('\n')
}
