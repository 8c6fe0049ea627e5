import type { Clock } from '../protocol/time.ts'
import type { Driver } from './driver.ts'
import { migrate } from './migrate.ts'
import { sqlStore } from './sql_store.ts'
import { openSqlite } from './sqlite.ts'
import type { Store } from './store.ts'

export interface StorageConfig {
  /** `sqlite:PATH`, `sqlite::memory:` or `postgres://…`. */
  readonly database: string
}

/** Opens the database, brings its schema up to date and gives the store. */
export async function openStore(config: StorageConfig, clock: Clock): Promise<Store> {
  const driver = openDriver(config)
  try {
    await migrate(driver, clock)
  } catch (error) {
    await driver.close()
    throw error
  }
  return sqlStore(driver)
}

/** @throws a `TypeError` for an address that names no engine. */
export function openDriver({ database }: StorageConfig): Driver {
  if (database.startsWith('sqlite:')) return openSqlite(database.slice('sqlite:'.length))
  throw new TypeError('database is sqlite:PATH or postgres://…')
}
