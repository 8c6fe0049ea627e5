import { access } from 'node:fs/promises'
import type { Driver } from './driver.ts'
import { sqlitePath } from './open.ts'
import { holdPostgresWrites, thawPostgres } from './postgres_window.ts'
import { holdSqliteWrites, thawSqlite } from './sqlite_window.ts'
import { readTables, type Table } from './tables.ts'
import type { Window } from './window.ts'

/** Begins the time in which nobody can write to a database. @param database its address */
export async function holdWrites(driver: Driver, database: string, tables: readonly Table[]): Promise<Window> {
  if (driver.engine === 'postgres') return holdPostgresWrites(database, tables)
  return holdSqliteWrites(sqlitePath(database) ?? '', tables)
}

/** Lets a database be written to again that a copy has closed. */
export async function thaw(driver: Driver, database: string): Promise<void> {
  const tables = await readTables(driver)
  if (driver.engine === 'postgres') await thawPostgres(database, tables)
  else thawSqlite(sqlitePath(database) ?? '', tables)
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
