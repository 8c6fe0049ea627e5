import Database from 'better-sqlite3'
import * as sql from './statements_tables.ts'
import type { Table } from './tables.ts'
import type { Window } from './window.ts'

/** How long it waits for the writes under way. */
const BUSY_TIMEOUT_MS = 10_000

/**
 * Takes the write lock of a database and keeps it: servers go on reading, and their writes wait or are refused.
 *
 * @param path of the file
 */
export function holdSqliteWrites(path: string, tables: readonly Table[]): Window {
  const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    db.pragma('synchronous = FULL')
    db.exec('BEGIN IMMEDIATE')
  } catch (error) {
    db.close()
    throw error
  }
  return {
    async freeze() {
      for (const table of tables) for (const statement of sql.freezeTable('sqlite', table)) db.exec(statement)
      db.exec('COMMIT')
      db.close()
    },
    async release() {
      db.close()
    },
  }
}

/** Lets a frozen database be written to again. */
export function thawSqlite(path: string, tables: readonly Table[]): void {
  const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    db.pragma('synchronous = FULL')
    db.transaction(() => {
      for (const table of tables) for (const statement of sql.thawTable('sqlite', table)) db.exec(statement)
    }).immediate()
  } finally {
    db.close()
  }
}
