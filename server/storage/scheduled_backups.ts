import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Seconds } from '../protocol/time.ts'
import { backUpSqlite } from './sqlite_backup.ts'

export interface BackupPolicy {
  readonly directory: string
  readonly every_seconds: Seconds
  /** How many are kept. */
  readonly keep: number
}

const NAME = /^gatehouse-\d{8}T\d{6}Z\.db$/

/**
 * The name of the backup that is due at a moment: that of the period it lies in, so that whoever makes it first has made
 * it for all, restarts included.
 */
export function backupName(now: Seconds, every_seconds: Seconds): string {
  const began = new Date((now - (now % every_seconds)) * 1000)
  return `gatehouse-${began.toISOString().replace(/[-:]|\.\d+/g, '')}.db`
}

/** Which of the files in a folder are backups that nobody has to keep any more. */
export function outlived(files: readonly string[], keep: number): string[] {
  // The names sort by time.
  return files
    .filter((name) => NAME.test(name))
    .toSorted()
    .slice(0, -keep)
}

/**
 * Makes the backup that is due, if nobody has, and deletes those that are too many.
 *
 * @param database the path of the SQLite file
 * @returns the path of the backup that was made; undefined: none was due
 */
export async function runBackupSchedule(
  database: string,
  { directory, every_seconds, keep }: BackupPolicy,
  now: Seconds,
): Promise<string | undefined> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, backupName(now, every_seconds))
  if (existsSync(file)) return undefined
  await backUpSqlite(database, file)
  for (const name of outlived(await readdir(directory), keep)) await rm(join(directory, name), { force: true })
  return file
}
