import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type Cli, loadConfiguration, print } from './cli.ts'
import { CliError } from './exit.ts'

/** `gatehouse backup`: the database in one file, while the server runs. */
export function registerBackup(program: Command, cli: Cli): void {
  program
    .command('backup')
    .argument('<file>', 'where to; nothing may be there yet')
    .description('copy the SQLite database into one file, while the server runs (the key-encryption key is not in it)')
    .addHelpText('after', '\nExample: gatehouse backup /var/backups/gatehouse-$(date +%F).db')
    .action(async (file: string) => {
      const { config } = await loadConfiguration(cli)
      const { sqlitePath } = await import('../storage/open.ts')
      const from = sqlitePath(config.database)
      if (from === undefined || from === ':memory:') {
        const remedy = 'PostgreSQL has its own tools: pg_dump, or continuous archiving. See docs/operations.md.'
        throw new CliError('usage', 'This is for SQLite.', remedy)
      }
      if (statSync(from, { throwIfNoEntry: false }) === undefined) {
        throw new CliError(
          'not_found',
          `There is no database at ${from}.`,
          'Name it: --data-dir, --config, --database.',
        )
      }
      const { backUpSqlite } = await import('../storage/sqlite_backup.ts')
      const to = resolve(cli.io.cwd, file)
      await backUpSqlite(from, to, progress(cli))
      const bytes = statSync(to).size
      const text = `${to}: ${(bytes / 2 ** 20).toFixed(1)} MB, checked. Keep the key-encryption key elsewhere: ${config.keys.key_encryption_key_file}`
      print(cli, { file: to, bytes }, text)
    })
}

/** On a terminal, a line that is written over. */
function progress({ io, options }: Cli): (share: number) => void {
  if (options.json || !io.stderr.isTTY) return () => undefined
  return (share) => io.stderr.write(share < 1 ? `\r${Math.floor(share * 100)} % ` : '\r     \r')
}
