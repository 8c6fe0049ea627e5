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
  readonly client?: string
  readonly session?: string
  readonly issuedBefore?: number
  readonly yes?: boolean
}

/** `gatehouse grants …`: who is signed in where. */
export function registerGrants(program: Command, cli: Cli): void {
  const grants = program.command('grants').description('who is signed in where: each a client, an account and a device')

  grants
    .command('list')
    .description('list grants')
    .option('--account <username>', 'of this account, by username or account id')
    .option('--client <id>', 'of this client')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse grants list --account alice')
    .action(async ({ account, client, limit }: Selection & { limit?: number }) => {
      const columns = {
        grant_id: 'grant',
        client_id: 'client',
        username: 'user',
        account_id: 'account',
        scope: 'scope',
      }
      const instants = { created_at: 'created', idle_expires_at: 'until', revoked_at: 'revoked' }
      await printList(cli, 'grants', { account, client_id: client }, { ...columns, ...instants }, limit)
    })

  grants
    .command('show <grant_id>')
    .description('show a grant')
    .addHelpText('after', '\nExample: gatehouse grants show K3yQ…')
    .action(async (grant_id: string) => {
      const grant = await withAdmin(cli, (admin) => call(admin, 'GET', `grants/${segment(grant_id)}`))
      print(cli, grant, details(objectOf(grant)))
    })

  grants
    .command('revoke [grant_id]')
    .description('end one grant, or all that match every option given')
    .option('--account <username>', 'of this account, by username or account id')
    .option('--client <id>', 'of this client')
    .option('--session <sid>', 'of this sign-in')
    .option('--issued-before <instant>', 'made before then: epoch seconds or ISO 8601', instantArgument)
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample: gatehouse grants revoke --account alice --yes')
    .action(async (grant_id: string | undefined, selection: Selection) => {
      if (grant_id === undefined) await revokeSelected(cli, selection)
      else await revokeOne(cli, grant_id, selection)
    })
}

async function revokeOne(cli: Cli, grant_id: string, selection: Selection): Promise<void> {
  if (hasSelector(selection)) throw new CliError('usage', 'Name one grant, or say which ones to revoke, not both.')
  await withAdmin(cli, (admin) => call(admin, 'DELETE', `grants/${segment(grant_id)}`))
  print(cli, { revoked: 1, grant_id }, `Revoked ${grant_id}.`)
}

async function revokeSelected(cli: Cli, selection: Selection): Promise<void> {
  if (!hasSelector(selection)) {
    throw new CliError(
      'usage',
      'Which grants?',
      'Name one by its id, or give --account, --client, --session or --issued-before.',
    )
  }
  if (!selection.yes) await confirm(cli, 'Revoke every grant that matches? Whoever holds them must sign in again.')
  const { account, client: client_id, session: session_id, issuedBefore: issued_before } = selection
  const body = { account, client_id, session_id, issued_before }
  const reply = await withAdmin(cli, (admin) => call(admin, 'POST', 'revocations', body))
  print(cli, reply, `Revoked ${count(Number(member(reply, 'revoked')), 'grant')}.`)
}

function hasSelector({ account, client, session, issuedBefore }: Selection): boolean {
  return [account, client, session, issuedBefore].some((value) => value !== undefined)
}
