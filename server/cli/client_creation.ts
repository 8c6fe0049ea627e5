import { type Command, Option } from 'commander'
import { REFRESH_TOKEN_PROFILES, TOKEN_ENDPOINT_AUTH_METHODS } from '../protocol/client.ts'
import { type Cli, withAdmin } from './cli.ts'
import { readDocument } from './document.ts'
import { CliError } from './exit.ts'
import { collect } from './parsers.ts'
import { readSecret } from './secret_input.ts'
import { call, segment } from './transport.ts'

export interface CreateOptions {
  readonly name?: string
  readonly redirectUri?: readonly string[]
  readonly postLogoutRedirectUri?: readonly string[]
  readonly backchannelLogoutUri?: string
  readonly grantType?: readonly string[]
  readonly authMethod?: string
  readonly public?: boolean
  readonly native?: boolean
  readonly jwksFile?: string
  readonly jwksUri?: string
  readonly scope?: string
  readonly resource?: readonly string[]
  readonly firstParty?: boolean
  readonly profile?: string
  readonly secretStdin?: boolean
  readonly metadataFile?: string
}

const EXAMPLES = `
Examples:
  gatehouse clients create reports --grant-type client_credentials --scope read
  gatehouse clients create shop --redirect-uri https://shop.example/callback --scope "openid profile"
  gatehouse clients create desktop --public --native --redirect-uri http://127.0.0.1/callback --scope openid
  gatehouse clients create tv --public --grant-type urn:ietf:params:oauth:grant-type:device_code --scope openid
  gatehouse clients create ledger --auth-method private_key_jwt --jwks-file keys.json --grant-type client_credentials

A client of the code flow that refreshes its tokens: --grant-type authorization_code --grant-type refresh_token`

const CHANGES = `
What is not named stays as it is; lists are replaced. null in the file takes a member away.

Examples:
  gatehouse clients update shop --redirect-uri https://shop.example/callback --redirect-uri https://shop.example/other
  gatehouse clients update shop --name Shop --scope "openid profile email"`

/** The options of a new client. Whatever has none is a member of `--metadata-file`. */
export function registerCreateOptions(command: Command): Command {
  return registerMetadataOptions(command).addHelpText('after', EXAMPLES)
}

export function registerUpdateOptions(command: Command): Command {
  return registerMetadataOptions(command).addHelpText('after', CHANGES)
}

function registerMetadataOptions(command: Command): Command {
  return command
    .option('--name <name>', 'the name that people are shown')
    .option('--redirect-uri <uri>', 'where answers may go (repeat for more)', collect)
    .option('--post-logout-redirect-uri <uri>', 'where a logout may lead (repeat for more)', collect)
    .option('--backchannel-logout-uri <uri>', 'where it is told of logouts')
    .option('--grant-type <type>', 'client_credentials, refresh_token … (repeat for more)', collect)
    .addOption(new Option('--auth-method <method>', 'how it authenticates').choices(TOKEN_ENDPOINT_AUTH_METHODS))
    .addOption(new Option('--public', 'it keeps no secret: --auth-method none').conflicts('authMethod'))
    .option('--native', "it runs on people's devices")
    .option('--jwks-file <file>', 'its public keys: a JWK Set')
    .option('--jwks-uri <uri>', 'where its public keys are')
    .option('--scope <scope>', 'the most that it may be granted, separated by spaces')
    .option('--resource <uri>', 'a resource that it may ask tokens for (repeat for more)', collect)
    .option('--first-party', "it is one of the operator's own")
    .addOption(new Option('--profile <profile>', 'how a replay is met').choices(REFRESH_TOKEN_PROFILES))
    .option('--secret-stdin', 'read the secret from standard input rather than have one made')
    .option('--metadata-file <file>', 'JSON or YAML with any other members of its metadata')
}

/** @returns the client as the admin API shows it, with a secret that was made */
export async function createClient(cli: Cli, client_id: string | undefined, options: CreateOptions): Promise<unknown> {
  const chosen = await chosenMembers(cli, options)
  const named = client_id === undefined ? {} : { client_id }
  return withAdmin(cli, (admin) => call(admin, 'POST', 'clients', { ...chosen, ...named }))
}

/** @returns the client as the admin API shows it, with a secret if its new method needs one and it had none */
export async function updateClient(cli: Cli, client_id: string, options: CreateOptions): Promise<unknown> {
  const changes = await chosenMembers(cli, options)
  if (Object.keys(changes).length === 0) throw new CliError('usage', 'What is to change?', 'Give an option for it.')
  return withAdmin(cli, (admin) => call(admin, 'PATCH', `clients/${segment(client_id)}`, changes))
}

/** What the options say, and for the rest the file. */
async function chosenMembers(cli: Cli, options: CreateOptions): Promise<object> {
  const { metadataFile, jwksFile } = options
  const others = metadataFile === undefined ? {} : await readDocument(cli, metadataFile, 'holds no client metadata')
  const jwks = jwksFile === undefined ? undefined : await readDocument(cli, jwksFile, 'is no JWK Set')
  const client_secret = options.secretStdin
    ? await readSecret(cli, 'client secret', { stdin: true, option: '--secret-stdin' })
    : undefined
  return { ...others, ...withoutUndefined({ ...metadataOf(options), client_secret, jwks }) }
}

function metadataOf(options: CreateOptions): object {
  const { redirectUri: redirect_uris, grantType, resource: resources } = options
  return {
    client_name: options.name,
    redirect_uris,
    post_logout_redirect_uris: options.postLogoutRedirectUri,
    backchannel_logout_uri: options.backchannelLogoutUri,
    grant_types: grantType,
    token_endpoint_auth_method: options.public ? 'none' : options.authMethod,
    application_type: options.native ? 'native' : undefined,
    jwks_uri: options.jwksUri,
    scope: options.scope,
    resources,
    first_party: options.firstParty,
    refresh_token_profile: options.profile,
  }
}

/** What was not chosen does not hide what the file says. */
function withoutUndefined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
