import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Driver } from '../storage/driver.ts'
import { type Cli, loadConfiguration, note, print } from './cli.ts'
import { CliError } from './exit.ts'
import { count, table } from './output.ts'

interface CopyOptions {
  readonly from?: string
  readonly to?: string
  readonly toFile?: string
  readonly keep?: boolean
}

/** Passes while the source is in use; what is left after them is for the window. */
const MOST_PASSES = 4
/** With so few rows to carry over, the next pass is the last. */
const FEW_ROWS = 500

/** `gatehouse db …`: the database as a whole. */
export function registerDb(program: Command, cli: Cli): void {
  const db = program.command('db').description('the database as a whole: move it')

  db.command('copy')
    .description('copy the database into an empty one, of either engine, while servers use it; then close the old one')
    .option('--from <database>', 'sqlite:PATH or postgres://… (the configured database)')
    .option('--to <database>', 'sqlite:PATH or postgres://…')
    .option('--to-file <file>', 'a file that holds the address, with its password')
    .option('--keep', 'leave the old one open to writes: a rehearsal')
    .addHelpText(
      'after',
      '\nExample: gatehouse db copy --from sqlite:data/gatehouse.db --to-file /run/secrets/database',
    )
    .action(async (options: CopyOptions) => {
      await copy(cli, options)
    })

  db.command('thaw')
    .description('let the configured database be written to again, after a copy has closed it')
    .addHelpText('after', '\nExample: gatehouse db thaw --database sqlite:data/gatehouse.db')
    .action(async () => {
      const { config } = await loadConfiguration(cli)
      const { openDriver, thaw } = await moving()
      const driver = openDriver({ database: config.database, max_connections: 1 })
      try {
        await thaw(driver, config.database)
      } finally {
        await driver.close()
      }
      print(cli, { thawed: true }, 'It can be written to again.')
    })
}

/** Loaded when it is needed. */
async function moving() {
  const [{ openDriver, isPostgres, sqlitePath }, { copyTables, sumTables }, { readTables }, { migrate }, window] =
    await Promise.all([
      import('../storage/open.ts'),
      import('../storage/copy.ts'),
      import('../storage/tables.ts'),
      import('../storage/migrate.ts'),
      import('../storage/hold_writes.ts'),
    ])
  return { openDriver, isPostgres, sqlitePath, copyTables, sumTables, readTables, migrate, ...window }
}

async function copy(cli: Cli, options: CopyOptions): Promise<void> {
  assertNoPassword(options.from)
  assertNoPassword(options.to)
  const from = options.from ?? (await loadConfiguration(cli)).config.database
  const to = await targetOf(options)
  if (from === to) throw new CliError('usage', 'That is one database, not two.')
  const m = await moving()
  const path = m.sqlitePath(from)
  if (path !== undefined && !(await m.exists(path)))
    throw new CliError('not_found', `There is no database at ${path}.`, 'Name it: --from sqlite:PATH')
  const source = m.openDriver({ database: from, max_connections: 2 })
  const target = m.openDriver({ database: to, max_connections: 2 })
  try {
    const clock = { now: () => Math.floor(cli.io.now() / 1000) }
    await m.migrate(target, clock)
    const tables = await m.readTables(source)
    assertSame(tables, await m.readTables(target))
    await assertOurs(source, target)
    const pass = (name: string) => m.copyTables(source, target, tables, progress(cli, name))
    for (let passes = 1; passes <= MOST_PASSES; passes += 1) {
      const rows = await pass(`pass ${passes}`)
      note(cli, `Pass ${passes}: ${count(rows, 'row')} carried over.`)
      if (rows <= FEW_ROWS) break
    }
    const began = cli.io.now()
    const window = await m.holdWrites(source, from, tables)
    try {
      note(cli, 'Writes to the old database wait from here on.')
      await pass('last pass')
      const sums = await compare(m.sumTables, source, target, tables)
      if (options.keep) await window.release()
      else await window.freeze()
      const window_seconds = (cli.io.now() - began) / 1000
      print(cli, { tables: sums, window_seconds, frozen: !options.keep }, told(sums, window_seconds, options))
    } catch (error) {
      await window.release()
      throw error
    }
  } finally {
    await source.close()
    await target.close()
  }
}

/** @throws for an address with a password in it: others on this machine can read it, and the shell keeps it */
function assertNoPassword(database: string | undefined): void {
  if (database === undefined || (URL.parse(database)?.password ?? '') === '') return
  throw new CliError(
    'usage',
    'A password is never an argument.',
    'Put the new address into a file (--to-file), the old one into GATEHOUSE_DATABASE_FILE.',
  )
}

async function targetOf({ to, toFile }: CopyOptions): Promise<string> {
  if ((to === undefined) === (toFile === undefined)) {
    throw new CliError('usage', 'Name the new database, once.', 'With --to DATABASE, or --to-file FILE.')
  }
  return to ?? (await readFile(toFile ?? '', 'utf8')).trim()
}

type Tables = Awaited<ReturnType<Awaited<ReturnType<typeof moving>>['readTables']>>

/** @throws when an older or a newer version made the old database */
function assertSame(old: Tables, fresh: Tables): void {
  if (JSON.stringify(old) === JSON.stringify(fresh)) return
  throw new CliError(
    'conflict',
    'The old database has not the schema of this version of Gatehouse.',
    'Start the server of this version once, or use the version that made it.',
  )
}

/** @throws when the new database holds another installation: a copy would empty it */
async function assertOurs(source: Driver, target: Driver): Promise<void> {
  const { LIST_VAULT_SECRETS } = await import('../storage/statements.ts')
  const [ours, theirs] = await Promise.all([source.query(LIST_VAULT_SECRETS, []), target.query(LIST_VAULT_SECRETS, [])])
  if (theirs.length === 0 || JSON.stringify(ours) === JSON.stringify(theirs)) return
  throw new CliError('conflict', 'The new database is that of another installation.', 'Name an empty one.')
}

/** @throws unless both have the same rows in every table */
async function compare(
  sumTables: Awaited<ReturnType<typeof moving>>['sumTables'],
  source: Driver,
  target: Driver,
  tables: Tables,
) {
  const [old, fresh] = await Promise.all([sumTables(source, tables), sumTables(target, tables)])
  const different = old.filter((sum, index) => JSON.stringify(sum) !== JSON.stringify(fresh[index]))
  if (different.length === 0) return old
  const names = different.map(({ table }) => table).join(', ')
  throw new CliError('conflict', `The copies of these tables differ: ${names}.`, 'Is the new database used already?')
}

/** One line for each table that is long enough to be waited for. */
function progress(cli: Cli, name: string) {
  return ({ table, rows }: { table: string; rows: number }) => {
    if (rows > 0 && rows % 50_000 === 0) note(cli, `${name}: ${table}, ${rows} rows`)
  }
}

function told(
  sums: readonly { table: string; rows: number; checksum: string }[],
  seconds: number,
  options: CopyOptions,
) {
  const rows = sums.map((sum) => ({ ...sum, checksum: sum.checksum.slice(0, 16) }))
  const listed = table(rows, { table: 'table', rows: 'rows', checksum: 'checksum' })
  const what = options.keep
    ? 'The old database goes on: this was a rehearsal.'
    : 'The old database refuses writes from now on (gatehouse db thaw lets them in again).\nStart the servers on the new one.'
  return `${listed}\n\nBoth are equal. Writes waited for ${seconds.toFixed(1)} seconds. ${what}`
}
