import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { Option } from 'commander'
import { CLAIM_TEMPLATES } from '../protocol/claim_templates.ts'
import { SIGNING_ALGORITHMS, TOKEN_TYPS } from '../protocol/resource.ts'
import { type Cli, print, withAdmin } from './cli.ts'
import { CliError } from './exit.ts'
import { printList } from './lists.ts'
import { details, printable } from './output.ts'
import { collect, wholeNumber } from './parsers.ts'
import { call, member, textOf } from './transport.ts'

interface ResourceOptions {
  readonly scope?: readonly string[]
  readonly accessTokenSeconds?: number
  readonly signingAlg?: string
  readonly introspectionClient?: readonly string[]
  readonly authorizationDetailsType?: readonly string[]
  readonly claimsFile?: string
  readonly claimsTemplate?: string
  readonly tokenTyp?: string
}

interface PreviewOptions {
  readonly account?: string
  readonly client?: string
  readonly scope?: string
}

/** `gatehouse resources …`: the APIs that tokens are for. */
export function registerResources(program: Command, cli: Cli): void {
  const resources = program.command('resources').description('the APIs that tokens are for')

  withOptions(resources.command('create <uri>'))
    .description('register an API; its URI is what `aud` says in its tokens')
    .addHelpText('after', '\nExample: gatehouse resources create https://api.example.com --scope read --scope write')
    .action(async (resource: string, options: ResourceOptions) => {
      const body = { resource, ...(await changesOf(options)) }
      const created = await withAdmin(cli, (admin) => call(admin, 'POST', 'resources', body))
      print(cli, created, `Created ${textOf(created, 'resource')}, which its tokens have as aud.`)
    })

  withOptions(resources.command('update <uri>'))
    .description('change an API: what is given replaces what was there')
    .addHelpText(
      'after',
      '\nExample: gatehouse resources update https://api.example.com --claims-template hasura --token-typ JWT',
    )
    .action(async (resource: string, options: ResourceOptions) => {
      const path = `resources?${new URLSearchParams({ resource }).toString()}`
      const body = await changesOf(options)
      const updated = await withAdmin(cli, (admin) => call(admin, 'PATCH', path, body))
      print(cli, updated, details(updated as object))
    })

  resources
    .command('preview <uri>')
    .description('show the access token that somebody would get there')
    .option('--account <name>', 'whom the token would speak of; left out: the client itself')
    .option('--client <id>', 'the client that would ask for it', 'gatehouse-login')
    .option('--scope <scope>', 'what it would ask for, separated by spaces')
    .addHelpText('after', '\nExample: gatehouse resources preview https://api.example.com --account alice')
    .action(async (resource: string, { account, client, scope }: PreviewOptions) => {
      const asked = Object.entries({ resource, account, client_id: client, scope })
      const query = new URLSearchParams(asked.filter((pair): pair is [string, string] => pair[1] !== undefined))
      const shown = await withAdmin(cli, (admin) => call(admin, 'GET', `resources/token-preview?${query.toString()}`))
      const warnings = member(shown, 'warnings') as readonly string[]
      const parts = ['header', 'claims'].map((name) => JSON.stringify(member(shown, name), null, 2))
      const notes = [
        `about ${printable(member(shown, 'bytes'))} bytes`,
        ...warnings.map((warning) => `Warning: ${warning}`),
      ]
      print(cli, shown, [...parts, ...notes].join('\n'))
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

function withOptions(command: Command): Command {
  return command
    .option('--scope <scope>', 'a scope that means something there (repeat for more); any when none is given', collect)
    .option('--access-token-seconds <number>', 'lifetime of the access tokens for it', wholeNumber)
    .addOption(new Option('--signing-alg <alg>', 'how its tokens are signed').choices(SIGNING_ALGORITHMS))
    .option('--introspection-client <id>', 'a client that may introspect its tokens (repeat for more)', collect)
    .option('--authorization-details-type <type>', 'a type that means something there (repeat for more)', collect)
    .option('--claims-file <file>', 'JSON: what its tokens say besides')
    .addOption(
      new Option('--claims-template <name>', 'the same, for well-known software').choices(Object.keys(CLAIM_TEMPLATES)),
    )
    .addOption(new Option('--token-typ <typ>', "the typ in its tokens' header").choices(TOKEN_TYPS))
}

async function changesOf(options: ResourceOptions) {
  const { scope: scopes, accessTokenSeconds: access_token_seconds, signingAlg: signing_alg } = options
  const { introspectionClient: introspection_clients, authorizationDetailsType, tokenTyp: token_typ } = options
  const claims = await claimsOf(options)
  const types = { authorization_details_types: authorizationDetailsType }
  return { scopes, access_token_seconds, signing_alg, introspection_clients, ...types, claims, token_typ }
}

async function claimsOf({ claimsFile, claimsTemplate }: ResourceOptions): Promise<unknown> {
  if (claimsFile === undefined)
    return claimsTemplate === undefined ? undefined : CLAIM_TEMPLATES[claimsTemplate]?.claims
  if (claimsTemplate !== undefined) throw new CliError('usage', 'Name a file of claims or a template, not both.')
  try {
    return JSON.parse(await readFile(claimsFile, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CliError('usage', `${claimsFile} cannot be read as JSON: ${why}`)
  }
}
