import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { printList } from './lists.ts'
import { wholeNumber } from './parsers.ts'
import { call, segment, textOf } from './transport.ts'

interface CreateOptions {
  readonly uses?: number
  readonly unlimited?: boolean
  readonly expiresIn?: number
}

/** `gatehouse clients initial-access-token …`: what lets somebody register clients. */
export function registerInitialAccessTokens(clients: Command, cli: Cli): void {
  const tokens = clients.command('initial-access-token').description('what lets somebody register clients')

  tokens
    .command('create')
    .description('make one, shown once; for one client within a day unless you say otherwise')
    .option('--uses <number>', 'how many clients it registers', wholeNumber)
    .option('--unlimited', 'any number of clients')
    .option('--expires-in <seconds>', 'how long it lasts', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse clients initial-access-token create --uses 5 --expires-in 3600')
    .action(async ({ uses, unlimited, expiresIn: expires_in }: CreateOptions) => {
      const body = { uses: unlimited ? null : uses, expires_in }
      const made = await withAdmin(cli, (admin) => call(admin, 'POST', 'initial-access-tokens', body))
      const lines = [
        `Initial access token: ${textOf(made, 'initial_access_token')}`,
        'Keep it now: it is never shown again.',
      ]
      print(cli, made, lines.join('\n'))
    })

  tokens
    .command('list')
    .description('list those that are left, without themselves')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse clients initial-access-token list')
    .action(async ({ limit }: { limit?: number }) => {
      const columns = { token_id: 'token', uses_left: 'uses left', expires_at: 'expires', created_at: 'made' }
      await printList(cli, 'initial-access-tokens', {}, columns, limit)
    })

  tokens
    .command('delete <token_id>')
    .description('delete one: nobody registers with it any more')
    .addHelpText('after', '\nExample: gatehouse clients initial-access-token delete TOKEN_ID')
    .action(async (token_id: string) => {
      await withAdmin(cli, (admin) => call(admin, 'DELETE', `initial-access-tokens/${segment(token_id)}`))
      print(cli, { token_id, deleted: true }, `Deleted ${token_id}.`)
    })
}
