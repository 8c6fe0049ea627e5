import type { Command } from 'commander'
import { Option } from 'commander'
import { SIGNING_ALGORITHMS } from '../protocol/resource.ts'
import { type Cli, print, withAdmin } from './cli.ts'
import { printList } from './lists.ts'
import { collect, wholeNumber } from './parsers.ts'
import { call, textOf } from './transport.ts'

interface CreateOptions {
  readonly scope?: readonly string[]
  readonly accessTokenSeconds?: number
  readonly signingAlg?: string
  readonly introspectionClient?: readonly string[]
  readonly authorizationDetailsType?: readonly string[]
}

/** `gatehouse resources …`: the APIs that tokens are for. */
export function registerResources(program: Command, cli: Cli): void {
  const resources = program.command('resources').description('the APIs that tokens are for')

  resources
    .command('create <uri>')
    .description('register an API; its URI is what `aud` says in its tokens')
    .option('--scope <scope>', 'a scope that means something there (repeat for more); any when none is given', collect)
    .option('--access-token-seconds <number>', 'lifetime of the access tokens for it', wholeNumber)
    .addOption(new Option('--signing-alg <alg>', 'how its tokens are signed').choices(SIGNING_ALGORITHMS))
    .option('--introspection-client <id>', 'a client that may introspect its tokens (repeat for more)', collect)
    .option('--authorization-details-type <type>', 'a type that means something there (repeat for more)', collect)
    .addHelpText('after', '\nExample: gatehouse resources create https://api.example.com --scope read --scope write')
    .action(async (resource: string, options: CreateOptions) => {
      const { scope: scopes, accessTokenSeconds: access_token_seconds, signingAlg: signing_alg } = options
      const { introspectionClient: introspection_clients, authorizationDetailsType } = options
      const details = { authorization_details_types: authorizationDetailsType }
      const body = { resource, scopes, access_token_seconds, signing_alg, introspection_clients, ...details }
      const created = await withAdmin(cli, (admin) => call(admin, 'POST', 'resources', body))
      print(cli, created, `Created ${textOf(created, 'resource')}, which its tokens have as aud.`)
    })

  resources
    .command('list')
    .description('list the APIs')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse resources list')
    .action(async ({ limit }: { limit?: number }) => {
      const columns = { resource: 'resource', scopes: 'scopes', access_token_seconds: 'token seconds' }
      await printList(cli, 'resources', {}, { ...columns, signing_alg: 'signed by' }, limit)
    })
}
