import type { Command } from 'commander'
import type { Cli } from './cli.ts'
import { printList } from './lists.ts'
import { wholeNumber } from './parsers.ts'

/** `gatehouse signals …`: which receivers are told of security events, and what has become of each. */
export function registerSignals(program: Command, cli: Cli): void {
  const signals = program.command('signals').description('which receivers are told of security events')

  signals
    .command('streams')
    .description('list the streams that receivers have made, and how much waits in each')
    .option('--client <id>', 'of this client')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse signals streams --client orders-api')
    .action(async ({ client, limit }: { client?: string; limit?: number }) => {
      const columns = { stream_id: 'stream', client_id: 'client', status: 'status', waiting: 'waiting' }
      await printList(
        cli,
        'signal-streams',
        { client_id: client },
        { ...columns, endpoint_url: 'pushed to', created_at: 'since' },
        limit,
      )
    })

  signals
    .command('list')
    .description('list events: waiting, delivered or failed')
    .option('--stream <id>', 'of this stream')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse signals list --stream lkNpaXjwUdyvLwVh')
    .action(async ({ stream, limit }: { stream?: string; limit?: number }) => {
      const columns = { jti: 'event', stream_id: 'stream', state: 'state', attempts: 'attempts' }
      const rest = { next_attempt_at: 'next', last_error: 'last error', created_at: 'since' }
      await printList(cli, 'signals', { stream_id: stream }, { ...columns, ...rest }, limit)
    })
}
