import type { Command } from 'commander'
import { Option } from 'commander'
import { CLIENT_ORIGINS } from '../protocol/client.ts'
import { type Cli, print, withAdmin } from './cli.ts'
import {
  type CreateOptions,
  createClient,
  registerCreateOptions,
  registerUpdateOptions,
  updateClient,
} from './client_creation.ts'
import { registerInitialAccessTokens } from './initial_access_tokens.ts'
import { printList } from './lists.ts'
import { details } from './output.ts'
import { wholeNumber } from './parsers.ts'
import { confirm } from './secret_input.ts'
import { call, objectOf, segment, textOf } from './transport.ts'

/** `gatehouse clients …`: the applications that may ask for tokens. */
export function registerClients(program: Command, cli: Cli): void {
  const clients = program.command('clients').description('the applications that may ask for tokens')

  registerCreateOptions(
    clients
      .command('create [client_id]')
      .description('register a client; a secret is made for one that needs it, and shown once'),
  ).action(async (client_id: string | undefined, options: CreateOptions) => {
    const client = await createClient(cli, client_id, options)
    const created = `Created ${textOf(client, 'client_id')}.`
    print(cli, client, [created, secretLine(client)].filter((line) => line !== undefined).join('\n'))
  })

  clients
    .command('list')
    .description('list the clients')
    .addOption(new Option('--origin <origin>', 'only those of one origin').choices(CLIENT_ORIGINS))
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse clients list --origin registered')
    .action(async ({ limit, origin }: { limit?: number; origin?: string }) => {
      const columns = { client_id: 'client', client_name: 'name', grant_types: 'grant types', scope: 'scope' }
      const others = { token_endpoint_auth_method: 'authenticates by', disabled_at: 'disabled' }
      await printList(cli, 'clients', { origin }, { ...columns, ...others }, limit)
    })

  clients
    .command('show <client_id>')
    .description('show a client, without its secret')
    .addHelpText('after', '\nExample: gatehouse clients show reports')
    .action(async (client_id: string) => {
      const client = await withAdmin(cli, (admin) => call(admin, 'GET', `clients/${segment(client_id)}`))
      print(cli, client, details(objectOf(client)))
    })

  registerUpdateOptions(
    clients.command('update <client_id>').description('change what a client is registered with'),
  ).action(async (client_id: string, options: CreateOptions) => {
    const client = await updateClient(cli, client_id, options)
    print(cli, client, [`Changed ${client_id}.`, secretLine(client)].filter((line) => line !== undefined).join('\n'))
  })

  clients
    .command('rotate-secret <client_id>')
    .description('give a client a new secret, shown once; the old one is refused from then on')
    .addHelpText('after', '\nExample: gatehouse clients rotate-secret reports')
    .action(async (client_id: string) => {
      const path = `clients/${segment(client_id)}/rotate-secret`
      const client = await withAdmin(cli, (admin) => call(admin, 'POST', path))
      print(cli, client, `${client_id} has a new secret.\n${secretLine(client)}`)
    })

  const transitions: [verb: string, done: string, description: string][] = [
    ['disable', 'is disabled: it gets nothing, and what it has is refused', 'keep a client out until it is enabled'],
    ['enable', 'may ask for tokens again', 'enable a disabled client'],
  ]
  for (const [verb, done, description] of transitions) {
    clients
      .command(`${verb} <client_id>`)
      .description(description)
      .addHelpText('after', `\nExample: gatehouse clients ${verb} reports`)
      .action(async (client_id: string) => {
        const path = `clients/${segment(client_id)}`
        const client = await withAdmin(cli, async (admin) => {
          await call(admin, 'POST', `${path}/${verb}`)
          return call(admin, 'GET', path)
        })
        print(cli, client, `${client_id} ${done}.`)
      })
  }

  clients
    .command('delete <client_id>')
    .description('delete a client and end all its grants')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample: gatehouse clients delete reports --yes')
    .action(async (client_id: string, { yes }: { yes?: boolean }) => {
      if (!yes) await confirm(cli, `Delete ${client_id} and end all its grants?`)
      await withAdmin(cli, (admin) => call(admin, 'DELETE', `clients/${segment(client_id)}`))
      print(cli, { client_id, deleted: true }, `Deleted ${client_id}.`)
    })

  registerInitialAccessTokens(clients, cli)
}

function secretLine(client: unknown): string | undefined {
  const secret = textOf(client, 'client_secret')
  return secret === undefined
    ? undefined
    : `Secret: ${secret}\nKeep it now: it is stored as a digest and never shown again.`
}
