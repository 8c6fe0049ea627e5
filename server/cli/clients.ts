import type { Command } from 'commander'
import { Option } from 'commander'
import { REFRESH_TOKEN_PROFILES, TOKEN_ENDPOINT_AUTH_METHODS } from '../protocol/client.ts'
import { type Cli, print, withAdmin } from './cli.ts'
import { printList } from './lists.ts'
import { details } from './output.ts'
import { collect, wholeNumber } from './parsers.ts'
import { confirm, readSecret } from './secret_input.ts'
import { call, objectOf, segment, textOf } from './transport.ts'

interface CreateOptions {
  readonly name?: string
  readonly grantType?: readonly string[]
  readonly authMethod?: string
  readonly scope?: string
  readonly resource?: readonly string[]
  readonly firstParty?: boolean
  readonly profile?: string
  readonly secretStdin?: boolean
}

/** `gatehouse clients …`: the applications that may ask for tokens. */
export function registerClients(program: Command, cli: Cli): void {
  const clients = program.command('clients').description('the applications that may ask for tokens')

  clients
    .command('create [client_id]')
    .description('register a client; a secret is made for one that needs it, and shown once')
    .option('--name <name>', 'the name that people are shown')
    .option('--grant-type <type>', 'client_credentials, refresh_token … (repeat for more)', collect)
    .addOption(new Option('--auth-method <method>', 'how it authenticates').choices(TOKEN_ENDPOINT_AUTH_METHODS))
    .option('--scope <scope>', 'the most that it may be granted, separated by spaces')
    .option('--resource <uri>', 'a resource that it may ask tokens for (repeat for more)', collect)
    .option('--first-party', "it is one of the operator's own")
    .addOption(new Option('--profile <profile>', 'how a replay is met').choices(REFRESH_TOKEN_PROFILES))
    .option('--secret-stdin', 'read the secret from standard input rather than have one made')
    .addHelpText('after', '\nExample: gatehouse clients create reports --grant-type client_credentials --scope read')
    .action(async (client_id: string | undefined, options: CreateOptions) => create(cli, client_id, options))

  clients
    .command('list')
    .description('list the clients')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse clients list')
    .action(async ({ limit }: { limit?: number }) => {
      const columns = { client_id: 'client', client_name: 'name', grant_types: 'grant types', scope: 'scope' }
      await printList(cli, 'clients', {}, { ...columns, token_endpoint_auth_method: 'authenticates by' }, limit)
    })

  clients
    .command('show <client_id>')
    .description('show a client, without its secret')
    .addHelpText('after', '\nExample: gatehouse clients show reports')
    .action(async (client_id: string) => {
      const client = await withAdmin(cli, (admin) => call(admin, 'GET', `clients/${segment(client_id)}`))
      print(cli, client, details(objectOf(client)))
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
}

async function create(cli: Cli, client_id: string | undefined, options: CreateOptions): Promise<void> {
  const { name: client_name, grantType: grant_types, authMethod: token_endpoint_auth_method, scope } = options
  const { resource: resources, firstParty: first_party, profile: refresh_token_profile } = options
  const client_secret = options.secretStdin
    ? await readSecret(cli, 'client secret', { stdin: true, option: '--secret-stdin' })
    : undefined
  const metadata = { client_name, grant_types, token_endpoint_auth_method, scope, resources, first_party }
  const body = { client_id, client_secret, ...metadata, refresh_token_profile }
  const client = await withAdmin(cli, (admin) => call(admin, 'POST', 'clients', body))
  const created = `Created ${textOf(client, 'client_id')}.`
  print(cli, client, [created, secretLine(client)].filter((line) => line !== undefined).join('\n'))
}

function secretLine(client: unknown): string | undefined {
  const secret = textOf(client, 'client_secret')
  return secret === undefined
    ? undefined
    : `Secret: ${secret}\nKeep it now: it is stored as a digest and never shown again.`
}
