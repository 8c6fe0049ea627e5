import { existsSync } from 'node:fs'
import { chmod, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'

/** Pages that are copied before whoever else wants the processor gets it. */
const PAGES_AT_ONCE = 256

/**
 * Copies a database into one file while servers use it. The copy is that of one moment, has been checked, and is there
 * whole or not at all.
 *
 * @param to a path at which nothing is yet
 * @see [SQLite: backup](https://www.sqlite.org/backup.html)
 */
export async function backUpSqlite(
  from: string,
  to: string,
  report: (share: number) => void = () => undefined,
): Promise<void> {
  if (existsSync(to)) throw new Error(`${to} is there already: name another file, or put it away`)
  const partial = `${to}.partial-${process.pid}`
  await makePrivate(partial)
  try {
    const db = new Database(from, { readonly: true, fileMustExist: true })
    try {
      await db.backup(partial, {
        progress: ({ totalPages, remainingPages }) => {
          report(totalPages === 0 ? 0 : 1 - remainingPages / totalPages)
          return PAGES_AT_ONCE
        },
      })
    } finally {
      db.close()
    }
    asOneFile(partial)
    await settle(partial, to)
  } catch (error) {
    for (const file of [partial, `${partial}-wal`, `${partial}-shm`]) await rm(file, { force: true })
    throw error
  }
}

/** @throws unless the file is a whole database */
export function assertWhole(path: string): void {
  let db: Database.Database | undefined
  try {
    db = new Database(path, { readonly: true, fileMustExist: true })
    const answer = db.pragma('integrity_check', { simple: true })
    if (answer !== 'ok') throw new Error(`${path} is damaged: ${String(answer)}`)
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
    throw new Error(`${path} is not a database that can be restored (${error.message})`, { cause: error })
  } finally {
    db?.close()
  }
}

/**
 * @returns whether no other process has the database open
 * @see [SQLite: leaving WAL mode](https://www.sqlite.org/pragma.html#pragma_journal_mode) needs every other connection gone
 */
export function isUnused(path: string): boolean {
  const db = new Database(path, { fileMustExist: true, timeout: 0 })
  try {
    return db.pragma('journal_mode = DELETE', { simple: true }) === 'delete'
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false
    throw error
  } finally {
    db.close()
  }
}

/** Puts a finished file, and its name, onto the disk. */
export async function settle(partial: string, to: string): Promise<void> {
  const file = await open(partial, 'r')
  await file.sync()
  await file.close()
  await rename(partial, to)
  const folder = await open(dirname(to), 'r')
  await folder.sync()
  await folder.close()
}

/** An empty file that only its owner may read, in place of what an earlier try has left. */
export async function makePrivate(path: string): Promise<void> {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await rm(file, { force: true })
  const file = await open(path, 'wx', 0o600)
  await file.close()
  await chmod(path, 0o600)
}

/** A copy says that it is in WAL mode, as its origin: out of it, nothing lies beside the file. */
function asOneFile(path: string): void {
  const db = new Database(path)
  try {
    db.pragma('journal_mode = DELETE')
    const answer = db.pragma('quick_check', { simple: true })
    if (answer !== 'ok') throw new Error(`the copy is damaged: ${String(answer)}`)
  } finally {
    db.close()
  }
}
