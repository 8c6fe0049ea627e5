import type { Command } from 'commander'
import { type Cli, loadConfiguration, print } from './cli.ts'
import { CliError } from './exit.ts'
import { basicAuthorization, formRequest, type HttpReply, jsonRequest, request, serverUrl } from './http.ts'
import { collect } from './parsers.ts'
import { readSecret } from './secret_input.ts'
import { member, objectOf, parseJson, textOf } from './transport.ts'

interface TokenOptions {
  readonly username?: string
  readonly passwordStdin?: boolean
  readonly client?: string
  readonly secretStdin?: boolean
  readonly resource?: readonly string[]
  readonly scope?: string
  readonly decode?: boolean
}

/** `gatehouse token`: an access token for trying things out. */
export function registerToken(program: Command, cli: Cli): void {
  program
    .command('token')
    .description('get an access token from the running server, for an account or for a client')
    .option('--username <username>', 'sign in as this account')
    .option('--password-stdin', 'read its password from standard input')
    .option('--client <id>', 'as this client, for itself (client_credentials)')
    .option('--secret-stdin', 'read its secret from standard input')
    .option('--resource <uri>', 'the API that it is for (repeat for more)', collect)
    .option('--scope <scope>', 'what it is to allow, separated by spaces')
    .option('--decode', 'show what it says, and what that means')
    .addHelpText('after', '\nExample: gatehouse token --username alice --decode')
    .action(async (options: TokenOptions) => {
      const tokens = await obtain(cli, options)
      const access_token = textOf(tokens, 'access_token') ?? textOf(tokens, 'access')
      if (access_token === undefined) throw new CliError('failed', 'The server answered without a token.')
      if (!options.decode) return print(cli, tokens, access_token)
      const { decodeToken, explainToken } = await import('./decode.ts')
      const decoded = decodeToken(access_token)
      if (decoded === undefined) throw new CliError('failed', 'What the server answered with is no JWT.')
      print(cli, { ...objectOf(tokens), decoded }, `${access_token}\n\n${explainToken(decoded)}`)
    })
}

async function obtain(cli: Cli, options: TokenOptions): Promise<unknown> {
  const { username, client } = options
  if ((username === undefined) === (client === undefined)) {
    throw new CliError('usage', 'Whose token?', 'Give either --username or --client.')
  }
  const { config } = await loadConfiguration(cli)
  const issuer = serverUrl(cli.options.url ?? config.issuer)
  const { resource = [], scope } = options
  if (username !== undefined) {
    const password = await readSecret(cli, 'password', from(options.passwordStdin, '--password-stdin'))
    const body = { [config.token_api.username_field]: username, password, resource, scope }
    return readTokens(await request(`${issuer}/api/token/`, jsonRequest(body)))
  }
  const client_id = client ?? ''
  const secret = await readSecret(cli, 'client secret', from(options.secretStdin, '--secret-stdin'))
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) })
  for (const uri of resource) form.append('resource', uri)
  return readTokens(await request(`${issuer}/token`, formRequest(form, basicAuthorization(client_id, secret))))
}

function from(stdin: boolean | undefined, option: string) {
  return { stdin: stdin ?? false, option }
}

function readTokens({ status, headers, text }: HttpReply): unknown {
  const body = parseJson(text)
  if (status === 200) return body
  const said = [member(body, 'error'), member(body, 'error_description'), member(body, 'detail')]
  const words = said.filter((part) => typeof part === 'string').join(': ')
  throw new CliError(
    'failed',
    `No token: ${words || text.slice(0, 200) || `status ${status}`}`,
    remedyOf(status, headers),
  )
}

function remedyOf(status: number, headers: Headers): string | undefined {
  const wait = headers.get('retry-after')
  if (wait !== null) return `Try again in ${wait} seconds; \`gatehouse users unlock\` forgets an account's failures.`
  if (status === 404) return 'Check the address, and that token_api.enabled is on there.'
  return undefined
}
