import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { call, member, textOf } from './transport.ts'

/** `gatehouse setup-link`: how the first administrator comes in. */
export function registerSetupLink(program: Command, cli: Cli): void {
  program
    .command('setup-link')
    .description('print a new one-time link for the first administrator')
    .addHelpText('after', '\nExample: gatehouse setup-link')
    .action(async () => {
      const link = await withAdmin(cli, (admin) => call(admin, 'POST', 'setup-links'))
      const minutes = Math.round(Number(member(link, 'expires_in')) / 60)
      print(
        cli,
        link,
        `${textOf(link, 'setup_url')}\nIt opens once, within ${minutes} minutes. Earlier links are void.`,
      )
    })
}
