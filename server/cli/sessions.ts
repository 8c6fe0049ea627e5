import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { CliError } from './exit.ts'
import { printList } from './lists.ts'
import { count, details } from './output.ts'
import { instantArgument, wholeNumber } from './parsers.ts'
import { confirm } from './secret_input.ts'
import { call, member, objectOf, segment } from './transport.ts'

interface Selection {
  readonly account?: string
  readonly createdBefore?: number
  readonly yes?: boolean
}

/** `gatehouse sessions …`: signed-in browsers. */
export function registerSessions(program: Command, cli: Cli): void {
  const sessions = program.command('sessions').description('signed-in browsers')

  sessions
    .command('list')
    .description('list sessions')
    .option('--account <username>', 'of this account, by username or account id')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse sessions list --account alice')
    .action(async ({ account, limit }: Selection & { limit?: number }) => {
      const columns = { session_id: 'session', username: 'user', account_id: 'account', address_prefix: 'address' }
      const instants = { created_at: 'since', last_seen_at: 'last seen', ended_at: 'ended' }
      await printList(cli, 'sessions', { account }, { ...columns, ...instants }, limit)
    })

  sessions
    .command('show <session_id>')
    .description('show a session, and the clients that it has signed somebody in to')
    .addHelpText('after', '\nExample: gatehouse sessions show K3yQ…')
    .action(async (session_id: string) => {
      const session = await withAdmin(cli, (admin) => call(admin, 'GET', `sessions/${segment(session_id)}`))
      print(cli, session, details(objectOf(session)))
    })

  sessions
    .command('revoke [session_id]')
    .description('end one session, or all that match every option given; their clients are told')
    .option('--account <username>', 'of this account, by username or account id')
    .option('--created-before <instant>', 'begun before then: epoch seconds or ISO 8601', instantArgument)
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample: gatehouse sessions revoke --account alice --yes')
    .action(async (session_id: string | undefined, selection: Selection) => {
      if (session_id === undefined) await revokeSelected(cli, selection)
      else await revokeOne(cli, session_id, selection)
    })
}

async function revokeOne(cli: Cli, session_id: string, selection: Selection): Promise<void> {
  if (hasSelector(selection)) throw new CliError('usage', 'Name one session, or say which ones to end, not both.')
  await withAdmin(cli, (admin) => call(admin, 'DELETE', `sessions/${segment(session_id)}`))
  print(cli, { ended: 1, session_id }, `Ended ${session_id}.`)
}

async function revokeSelected(cli: Cli, selection: Selection): Promise<void> {
  if (!hasSelector(selection)) {
    throw new CliError('usage', 'Which sessions?', 'Name one by its id, or give --account or --created-before.')
  }
  if (!selection.yes) await confirm(cli, 'End every session that matches? Whoever they belong to must sign in again.')
  const { account, createdBefore: created_before } = selection
  const reply = await withAdmin(cli, (admin) => call(admin, 'POST', 'sessions/end', { account, created_before }))
  print(cli, reply, `Ended ${count(Number(member(reply, 'ended')), 'session')}.`)
}

function hasSelector({ account, createdBefore }: Selection): boolean {
  return account !== undefined || createdBefore !== undefined
}
