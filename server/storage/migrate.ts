import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '../protocol/time.ts'
import type { Driver, Step } from './driver.ts'
import * as sql from './statements.ts'

export interface Migration {
  readonly version: number
  /** The file's. */
  readonly name: string
  readonly text: string
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string
}

/** Reads `NNNN_what.sql` files, in order. @param folder the package's own one when not given. */
export function readMigrations(folder: string = migrationsFolder()): Migration[] {
  const names = readdirSync(folder).filter((name) => /^\d{4}_\w+\.sql$/.test(name))
  return names.toSorted().map((name) => {
    const text = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n')
    return { version: Number(name.slice(0, 4)), name, text, checksum: createHash('sha256').update(text).digest('hex') }
  })
}

/**
 * Brings the database up to the code, forward only. Each migration commits together with its row in
 * `schema_migrations`, and inserts that row first: the row is the lease. A second node that starts at the same time
 * waits for the row's primary key, and then finds the work done.
 *
 * @throws when a migration that was applied has changed since, or the database is ahead of the code.
 */
export async function migrate(driver: Driver, clock: Clock, migrations = readMigrations()): Promise<void> {
  const create = [{ sql: sql.CREATE_SCHEMA_MIGRATIONS, values: [] }]
  // Of two nodes that create the table at once, PostgreSQL fails one.
  await driver.batch(create).catch(() => driver.batch(create))
  const applied = await appliedMigrations(driver)
  assertKnown(applied, migrations)
  for (const migration of migrations) {
    if (!applied.has(migration.version)) await driver.batch(stepsOf(migration, clock))
  }
  assertKnown(await appliedMigrations(driver), migrations)
}

type Applied = Map<number, { readonly version: number; readonly name: string; readonly checksum: string }>

async function appliedMigrations(driver: Driver): Promise<Applied> {
  const rows = await driver.query<{ version: number; name: string; checksum: string }>(sql.LIST_SCHEMA_MIGRATIONS, [])
  return new Map(rows.map((row) => [row.version, row]))
}

function assertKnown(applied: Applied, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.version, migration]))
  for (const { version, name, checksum } of applied.values()) {
    const migration = known.get(version)
    if (migration === undefined) {
      throw new Error(`the database is newer than this version of Gatehouse (it has ${name}): start the newer version`)
    }
    if (migration.checksum !== checksum) {
      throw new Error(`${name} has changed since it was applied: restore it, and put changes into a new migration`)
    }
  }
}

function stepsOf({ version, name, checksum, text }: Migration, clock: Clock): Step[] {
  const statements = text
    .replace(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
  return [
    { sql: sql.INSERT_SCHEMA_MIGRATION, values: [version, name, checksum, clock.now()], must_change: 1 },
    ...statements.map((statement) => ({ sql: statement, values: [] })),
  ]
}

/** In the package's root, which is nearer from the sources than from `dist`. */
function migrationsFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'migrations')
  }
  throw new Error('the migrations folder is missing: install Gatehouse again')
}
