import { existsSync, statSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { keyState } from '../../keys/keyring.ts'
import { loadSigningKey } from '../../keys/loaded_key.ts'
import { openVault } from '../../keys/vault.ts'
import { systemClock, systemRandom } from '../main.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver } from '../storage/driver.ts'
import { readMigrations } from '../storage/migrate.ts'
import { openDriver } from '../storage/open.ts'
import type { SigningKeyRecord } from '../storage/records.ts'
import { sqlStore } from '../storage/sql_store.ts'
import { LIST_SCHEMA_MIGRATIONS } from '../storage/statements.ts'
import type { Store } from '../storage/store.ts'
import { attempt, type Finding, fail, ok, warn } from './findings.ts'
import { count } from './output.ts'

interface Examined {
  readonly findings: Finding[]
  /** Of the RS256 key that signs; undefined when none was found. */
  readonly active_kid: string | undefined
}

/** Files, database, vault and keys. Nothing is made or changed. */
export async function examineDatabase(config: Config, now: Seconds): Promise<Examined> {
  const files = examineFiles(config)
  const path = sqlitePath(config)
  if (path !== undefined && !existsSync(path)) {
    const missing = fail('database', `${path} is not there`, 'Make it with the first start: gatehouse serve')
    return { findings: [...files, missing], active_kid: undefined }
  }
  let active_kid: string | undefined
  const remedy =
    path === undefined
      ? 'Check `database` in the configuration, and that the database runs and lets this user in.'
      : `Check that ${path} is the database, and that this user may write it: run this as its owner.`
  const database = await attempt('database', remedy, async () => {
    const driver = openDriver({ database: config.database, max_connections: 1 })
    try {
      const findings = await examineSchema(driver)
      if (findings.some(({ status }) => status === 'fail')) return findings
      const store = sqlStore(driver)
      const records = await store.listSigningKeys()
      active_kid = records.find((key) => key.alg === 'RS256' && keyState(key) === 'active')?.kid
      return [...findings, ...(await examineVault(config, store, records)), ...examineKeys(config, records, now)]
    } finally {
      await driver.close()
    }
  })
  return { findings: [...files, ...database], active_kid }
}

function examineFiles(config: Config): Finding[] {
  const path = sqlitePath(config)
  const database = path === undefined ? [] : [path, `${path}-wal`, `${path}-shm`]
  const files = [config.data_dir, ...database, config.keys.key_encryption_key_file].filter((file) => existsSync(file))
  // Windows guards files by access lists, which the mode does not show.
  if (process.platform === 'win32') return []
  const open = files.filter((file) => (statSync(file).mode & 0o077) !== 0)
  if (open.length === 0) return [ok('files', `${count(files.length, 'path')}, the owner's alone`)]
  return open.map((file) => fail('files', `${file} is open to other users`, `Run: chmod go-rwx ${file}`))
}

async function examineSchema(driver: Driver): Promise<Finding[]> {
  await driver.query('SELECT 1 AS answer', [])
  const findings = [ok('database', `${driver.engine} answers`)]
  const known = readMigrations()
  // It answers, so what fails now is that the table is not there yet.
  const applied = await driver.query<{ version: number }>(LIST_SCHEMA_MIGRATIONS, []).catch(() => [])
  const done = new Set(applied.map(({ version }) => version))
  const missing = known.filter(({ version }) => !done.has(version))
  const ahead = applied.some(({ version }) => known.every((migration) => migration.version !== version))
  if (ahead) {
    findings.push(
      fail('migrations', 'the database is newer than this program', 'Install the newer version of Gatehouse.'),
    )
  } else if (missing.length > 0) {
    const message = `${count(missing.length, 'migration')} not applied`
    findings.push(fail('migrations', message, 'They are applied at the next start: gatehouse serve'))
  } else findings.push(ok('migrations', `current (${count(known.length, 'migration')})`))
  if (driver.engine === 'sqlite') findings.push(await examineDurability(driver))
  return findings
}

/** @see [SQLite: synchronous](https://www.sqlite.org/pragma.html#pragma_synchronous) */
async function examineDurability(driver: Driver): Promise<Finding> {
  const [row] = await driver.query<{ synchronous: number }>('PRAGMA synchronous', [])
  if (row?.synchronous === 2) return ok('durability', 'synchronous = FULL')
  return fail('durability', 'SQLite does not sync every commit', 'Use the SQLite that Gatehouse was installed with.')
}

async function examineVault(config: Config, store: Store, records: readonly SigningKeyRecord[]): Promise<Finding[]> {
  const { key_encryption_key_file } = config.keys
  const sealed = await store.listVaultSecrets()
  if (sealed.length === 0) return [fail('vault', 'it is empty', 'It is made at the first start: gatehouse serve')]
  const remedy = `Put the right key-encryption key file back: ${key_encryption_key_file}`
  return attempt('vault', remedy, async () => {
    const vault = await openVault({ key_encryption_key_file, store, random: systemRandom, clock: systemClock })
    for (const record of records) if (keyState(record) !== 'removed') await loadSigningKey(record, vault)
    return [ok('vault', 'it opens, and so does every signing key')]
  })
}

const DAY = 86_400

function examineKeys({ keys }: Config, records: readonly SigningKeyRecord[], now: Seconds): Finding[] {
  const active = records.find((key) => key.alg === 'RS256' && keyState(key) === 'active')
  if (active === undefined) return [fail('keys', 'no RS256 key signs', 'It is made at the next start: gatehouse serve')]
  const age = now - (active.activated_at ?? active.created_at)
  const days = `${Math.floor(age / DAY)} days`
  const overdue = age > keys.rotation_seconds + DAY
  const findings = [
    overdue
      ? warn(
          'keys',
          `${active.kid} has signed for ${days}`,
          'Is the server running? It rotates by itself; or run: gatehouse keys rotate',
        )
      : ok('keys', `${active.kid} signs, since ${days}`),
  ]
  const next = records.find((key) => key.alg === 'RS256' && keyState(key) === 'next')
  if (next === undefined)
    findings.push(warn('keys', 'no next key is published', 'The running server makes one: gatehouse serve'))
  else findings.push(ok('keys', `${next.kid} is next`))
  return findings
}

function sqlitePath({ database }: Config): string | undefined {
  return database.startsWith('sqlite:') && database !== 'sqlite::memory:' ? database.slice('sqlite:'.length) : undefined
}
