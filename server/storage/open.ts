import { resolve } from 'node:path'
import type { Clock } from '../protocol/time.ts'
import type { Driver } from './driver.ts'
import { migrate } from './migrate.ts'
import { assertDurable, openPostgres } from './postgres.ts'
import { sqlStore } from './sql_store.ts'
import { openSqlite } from './sqlite.ts'
import { COUNT_MOVED, MOVED } from './statements_tables.ts'
import type { Store } from './store.ts'

export interface StorageConfig {
  /** `sqlite:PATH`, `sqlite::memory:` or `postgres://…`. */
  readonly database: string
  /** Size of the PostgreSQL pool; 10 by default. */
  readonly max_connections?: number
}

/** A migration may take its time, and so may another node's that is waited for. */
const MIGRATION_TIMEOUT_SECONDS = 600

/** Opens the database, brings its schema up to date and gives the store. */
export async function openStore(config: StorageConfig, clock: Clock): Promise<Store> {
  const driver = openDriver(config)
  const migrator = isPostgres(config.database)
    ? openPostgres(config.database, { max_connections: 1, timeout_seconds: MIGRATION_TIMEOUT_SECONDS })
    : driver
  try {
    if (driver.engine === 'postgres') await assertDurable(driver)
    await assertStillHere(migrator)
    await migrate(migrator, clock)
  } catch (error) {
    await driver.close()
    throw error
  } finally {
    if (migrator !== driver) await migrator.close()
  }
  return sqlStore(driver)
}

/** @throws when a copy has closed this database, so that nobody serves from where nothing can be written */
async function assertStillHere(driver: Driver): Promise<void> {
  const [row] = await driver.query<{ triggers: number }>(COUNT_MOVED[driver.engine], [])
  if (row === undefined || row.triggers === 0) return
  throw new Error(`${MOVED}: start on the one that it was copied to, or let it be written to again (gatehouse db thaw)`)
}

/** @throws a `TypeError` for an address that names no engine. */
export function openDriver({ database, max_connections = 10 }: StorageConfig): Driver {
  const path = sqlitePath(database)
  if (path !== undefined) return openSqlite(path)
  if (isPostgres(database)) return openPostgres(database, { max_connections })
  throw new TypeError('the database is sqlite:PATH or postgres://…')
}

/** Where the file of an address is; `:memory:` for none; undefined: another engine. */
export function sqlitePath(database: string): string | undefined {
  const path = /^sqlite:(.+)$/.exec(database)?.[1]
  return path === undefined || path === ':memory:' ? path : resolve(path)
}

export function isPostgres(database: string): boolean {
  return /^postgres(ql)?:\/\//.test(database)
}
