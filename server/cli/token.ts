import type { Command } from 'commander'
import { type Cli, loadConfiguration, print } from './cli.ts'
import { CliError } from './exit.ts'
import { basicAuthorization, formRequest, type HttpReply, jsonRequest, request, serverUrl } from './http.ts'
import { collect } from './parsers.ts'
import { readInput, readSecret } from './secret_input.ts'
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
    .command('token [from]')
    .description('get an access token from the running server, for an account or for a client; or explain one')
    .option('--username <username>', 'sign in as this account')
    .option('--password-stdin', 'read its password from standard input')
    .option('--client <id>', 'as this client, for itself (client_credentials)')
    .option('--secret-stdin', 'read its secret from standard input')
    .option('--resource <uri>', 'the API that it is for (repeat for more)', collect)
    .option('--scope <scope>', 'what it is to allow, separated by spaces')
    .option('--decode', 'show what it says, and what that means; of the one on standard input, when nobody is named')
    .addHelpText('after', '\nExample: gatehouse token --username alice | gatehouse token --decode')
    .action(async (from: string | undefined, options: TokenOptions) => {
      if (from !== undefined && from !== '-') {
        throw new CliError('usage', 'Others on this machine can read arguments.', 'Write the token to standard input.')
      }
      const named = options.username !== undefined || options.client !== undefined
      if (from !== undefined && (named || !options.decode)) {
        throw new CliError('usage', '- is for --decode, without --username and --client.')
      }
      if (options.decode && !named) return explain(cli, await readToken(cli), {})
      const tokens = await obtain(cli, options)
      const access_token = textOf(tokens, 'access_token') ?? textOf(tokens, 'access')
      if (access_token === undefined) throw new CliError('failed', 'The server answered without a token.')
      if (!options.decode) return print(cli, tokens, access_token)
      await explain(cli, access_token, objectOf(tokens))
    })
}

const LONGEST_TOKEN_BYTES = 65_536

/** The token on standard input: alone, as a header has it, or in the JSON that a server answers. */
async function readToken({ io }: Cli): Promise<string> {
  if (io.stdin.isTTY) {
    throw new CliError('usage', 'Which token?', 'Write it to standard input, or name --username or --client.')
  }
  const text = (await readInput(io.stdin, LONGEST_TOKEN_BYTES)).trim()
  const body = parseJson(text)
  const found = textOf(body, 'access_token') ?? textOf(body, 'access')
  return (found ?? text).replace(/^(?:authorization:\s*)?(?:bearer|dpop)\s+/i, '')
}

/** Shows what a token says, what that means, and whether it is to be believed. */
async function explain(cli: Cli, token: string, tokens: object): Promise<void> {
  const { decodeToken, explainedMembers, explainToken } = await import('./decode.ts')
  const { checkSignature, signatureSaid, warningsAbout } = await import('./token_check.ts')
  const decoded = decodeToken(token)
  if (decoded === undefined) throw new CliError('failed', 'This is no JWT.', whyNone(token))
  const now = Math.floor(cli.io.now() / 1000)
  const { config } = await loadConfiguration(cli)
  const signature = await checkSignature(token, decoded, serverUrl(cli.options.url ?? config.issuer))
  const warnings = warningsAbout(token, decoded, now)
  const said = [
    ...(Object.keys(tokens).length === 0 ? [] : [token, '']),
    explainToken(decoded, now),
    `Signature  ${signatureSaid(signature)}`,
    ...warnings.map((warning) => `Warning    ${warning}`),
    'Whoever holds it can read all of this. The signature only keeps it from being changed.',
  ]
  print(cli, { ...tokens, decoded, members: explainedMembers(decoded, now), signature, warnings }, said.join('\n'))
}

function whyNone(token: string): string | undefined {
  if (token === '') return 'Standard input is empty; the token was expected there.'
  if (token.startsWith('gth_')) return 'What begins with gth_ says nothing to anybody but the server.'
  if (token.split('.').length === 5) return 'It is encrypted (RFC 7516): only the one it is for can read it.'
  return 'A JWT is three parts with dots between them: header, payload, signature.'
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
