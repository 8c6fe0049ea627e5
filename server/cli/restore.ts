import { copyFile, rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config/schema.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Cli, loadConfiguration, print } from './cli.ts'
import { CliError } from './exit.ts'
import { count } from './output.ts'

interface RestoreOptions {
  readonly inPlace?: boolean
  readonly keepSessions?: boolean
}

interface Restored {
  readonly file: string | null
  readonly grants_ended: number
  readonly sessions_ended: number
  /** Where the database is that was there before. */
  readonly put_away: string | null
}

/** `gatehouse restore`: an earlier database, without what has been revoked since coming back. */
export function registerRestore(program: Command, cli: Cli): void {
  program
    .command('restore')
    .argument('[file]', 'what `gatehouse backup` made')
    .description('put the SQLite database back, and end every session and grant: some may have been revoked since')
    .option(
      '--in-place',
      'the database has been put back by other means (pg_restore, Litestream): only end what is in it',
    )
    .option('--keep-sessions', 'nothing was revoked, disabled or changed since the backup: end nothing')
    .addHelpText('after', '\nExample: gatehouse restore /var/backups/gatehouse-2026-11-27.db')
    .action(async (file: string | undefined, options: RestoreOptions) => {
      const { config } = await loadConfiguration(cli)
      if ((file === undefined) !== (options.inPlace === true)) {
        throw new CliError('usage', 'Name the backup, or say --in-place.', 'Read: gatehouse restore --help')
      }
      const restored = file === undefined ? await endInPlace(cli, config) : await putBack(cli, config, file, options)
      print(cli, restored, told(restored, options))
    })
}

async function endInPlace(cli: Cli, config: Config): Promise<Restored> {
  return { file: null, put_away: null, ...(await endEverything(cli, config, config.database, {})) }
}

async function putBack(cli: Cli, config: Config, file: string, options: RestoreOptions): Promise<Restored> {
  const [{ sqlitePath }, backup] = await Promise.all([
    import('../storage/open.ts'),
    import('../storage/sqlite_backup.ts'),
  ])
  const to = sqlitePath(config.database)
  if (to === undefined || to === ':memory:') {
    const remedy = 'Put a PostgreSQL database back with its own tools, then run: gatehouse restore --in-place'
    throw new CliError('usage', 'This is for SQLite.', remedy)
  }
  const from = resolve(cli.io.cwd, file)
  const there = await stat(from).catch(() => undefined)
  if (there === undefined) throw new CliError('not_found', `There is no file ${from}.`)
  backup.assertWhole(from)
  const before = await stat(to).catch(() => undefined)
  if (before !== undefined && !backup.isUnused(to)) {
    throw new CliError('conflict', 'A server has the database open.', 'Stop it, and every other process that uses it.')
  }
  // The whole of it is made ready beside the old one, and takes its place by one renaming.
  const partial = `${to}.restoring`
  await backup.makePrivate(partial)
  try {
    await copyFile(from, partial)
    const ended = await endEverything(cli, config, `sqlite:${partial}`, options)
    const put_away = before === undefined ? null : `${to}.before-${stamp(cli)}`
    if (put_away !== null) await rename(to, put_away)
    for (const beside of [`${to}-wal`, `${to}-shm`]) await rm(beside, { force: true })
    await backup.settle(partial, to)
    return { file: from, put_away, ...ended }
  } catch (error) {
    for (const left of [partial, `${partial}-wal`, `${partial}-shm`]) await rm(left, { force: true })
    throw error
  }
}

/** Opens the database as the server would, key-encryption key and migrations included, and ends what may be undone. */
async function endEverything(cli: Cli, config: Config, database: string, { keepSessions }: RestoreOptions) {
  const [{ openVault }, { openStore }, { systemClock, systemRandom }] = await Promise.all([
    import('../../keys/vault.ts'),
    import('../storage/open.ts'),
    import('../main.ts'),
  ])
  const store = await openStore({ database, max_connections: 1 }, systemClock)
  try {
    const { key_encryption_key_file } = config.keys
    if ((await store.listVaultSecrets()).length === 0) {
      throw new CliError('conflict', 'The database holds no installation of Gatehouse.')
    }
    await openVault({ key_encryption_key_file, store, random: systemRandom, clock: systemClock })
    if (keepSessions) return { grants_ended: 0, sessions_ended: 0 }
    const now = Math.floor(cli.io.now() / 1000)
    const deps = { clock: systemClock, random: systemRandom }
    const audit = auditRecord(deps, 'database.restored', { actor: 'cli', caller: null })
    const { grants, sessions } = await store.endEverything(now, [audit])
    return { grants_ended: grants, sessions_ended: sessions }
  } finally {
    await store.close()
  }
}

function stamp(cli: Cli): string {
  return new Date(cli.io.now()).toISOString().replace(/[-:]|\.\d+/g, '')
}

function told({ grants_ended, sessions_ended, put_away }: Restored, { keepSessions }: RestoreOptions): string {
  const ended = keepSessions
    ? 'Nothing was ended: whatever has been revoked since the backup is valid again.'
    : `Ended: ${count(grants_ended, 'grant')}, ${count(sessions_ended, 'session')}. Everybody signs in again.`
  const old = put_away === null ? '' : `\nThe database that was there: ${put_away}`
  return `Restored. ${ended}${old}
Accounts and clients are as they were: disable and change again what was disabled and changed since.
If a signing key was removed in an emergency since then: gatehouse keys rotate --emergency`
}
