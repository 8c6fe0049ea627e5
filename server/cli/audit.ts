import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { printList } from './lists.ts'
import { details } from './output.ts'
import { wholeNumber } from './parsers.ts'
import { call, objectOf, textOf } from './transport.ts'

/** `gatehouse audit …`: what happened. */
export function registerAudit(program: Command, cli: Cli): void {
  const audit = program.command('audit').description('what happened')

  audit
    .command('list')
    .description('list the audit records, latest first')
    .option('--event <event>', 'of this kind, such as sign_in.refused')
    .option('--account <id>', 'about this account')
    .option('--limit <number>', 'at most so many (100)', wholeNumber, 100)
    .addHelpText('after', '\nExample: gatehouse audit list --event refresh.reused')
    .action(async ({ event, account, limit }: { event?: string; account?: string; limit: number }) => {
      const columns = {
        at: 'at',
        event: 'event',
        actor: 'by',
        account_id: 'account',
        client_id: 'client',
        detail: 'detail',
      }
      await printList(cli, 'audit', { event, account }, columns, limit)
    })

  audit
    .command('verify')
    .description('check that no audit record was changed or removed')
    .addHelpText('after', '\nExample: gatehouse audit verify')
    .action(async () => {
      const verified = await withAdmin(cli, (admin) => call(admin, 'GET', 'audit/verify'))
      print(cli, verified, details(objectOf(verified)))
      if (textOf(verified, 'outcome') !== 'intact') cli.exit_code = 1
    })
}
