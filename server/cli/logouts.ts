import type { Command } from 'commander'
import type { Cli } from './cli.ts'
import { printList } from './lists.ts'
import { wholeNumber } from './parsers.ts'

/** `gatehouse logouts …`: which clients have heard that a session ended. */
export function registerLogouts(program: Command, cli: Cli): void {
  const logouts = program.command('logouts').description('which clients have heard that a session ended')

  logouts
    .command('list')
    .description('list deliveries of logout tokens: waiting, delivered or failed')
    .option('--client <id>', 'to this client')
    .option('--session <sid>', 'of this session')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse logouts list --client notes-app')
    .action(async ({ client, session, limit }: { client?: string; session?: string; limit?: number }) => {
      const columns = { session_id: 'session', client_id: 'client', state: 'state', attempts: 'attempts' }
      const rest = { next_attempt_at: 'next', last_error: 'last error', created_at: 'since' }
      await printList(
        cli,
        'logout-deliveries',
        { client_id: client, session_id: session },
        { ...columns, ...rest },
        limit,
      )
    })
}
