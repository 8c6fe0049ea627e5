import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { printList } from './lists.ts'
import { wholeNumber } from './parsers.ts'
import { call, segment } from './transport.ts'

/** `gatehouse consents …`: what accounts have allowed clients to ask for. */
export function registerConsents(program: Command, cli: Cli): void {
  const consents = program.command('consents').description('what accounts have allowed clients to ask for')

  consents
    .command('list')
    .description('list consents')
    .option('--account <username>', 'of this account, by username or account id')
    .option('--client <id>', 'to this client')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse consents list --account alice')
    .action(async ({ account, client, limit }: { account?: string; client?: string; limit?: number }) => {
      const columns = {
        username: 'user',
        account_id: 'account',
        client_id: 'client',
        scope: 'scope',
        updated_at: 'given',
      }
      await printList(cli, 'consents', { account, client_id: client }, columns, limit)
    })

  consents
    .command('withdraw <account> <client_id>')
    .description("take a consent away, and with it the client's grants by this account")
    .addHelpText('after', '\nExample: gatehouse consents withdraw alice notes-app')
    .action(async (account: string, client_id: string) => {
      const query = `account=${segment(account)}&client_id=${segment(client_id)}`
      await withAdmin(cli, (admin) => call(admin, 'DELETE', `consents?${query}`))
      print(cli, { account, client_id }, `Withdrew what ${account} allowed ${client_id}.`)
    })
}
