import type { Driver, Step } from './driver.ts'
import type { SigningKeyRecord, VaultSecretRecord } from './records.ts'
import * as sql from './statements.ts'
import type { KeyStore } from './store.ts'
import { happens, transition } from './transition.ts'

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
