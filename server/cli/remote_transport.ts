import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { environment } from '../../config/load.ts'
import type { Cli } from './cli.ts'
import { CliError, reasonOf } from './exit.ts'
import { basicAuthorization, formRequest, request, serverUrl } from './http.ts'
import { type AdminApi, parseJson, textOf } from './transport.ts'

/** The admin API of a server elsewhere. @param url its issuer */
export async function openRemoteAdminApi(cli: Cli, url: string): Promise<AdminApi> {
  const issuer = serverUrl(url)
  const token = await findToken(cli, issuer)
  return {
    issuer,
    async send(method, path, body) {
      const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: 'application/json' }
      if (body !== undefined) headers['content-type'] = 'application/json'
      const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
      const reply = await request(`${issuer}/admin/api/${path}`, init)
      return { ...reply, retry_after: reply.headers.get('retry-after') }
    },
    async close() {},
  }
}

async function findToken({ io, options }: Cli, issuer: string): Promise<string> {
  const { env = environment() } = io
  if (options.tokenFile !== undefined) return readTokenFile(resolve(io.cwd, options.tokenFile))
  if (options.clientId !== undefined) return clientToken(issuer, options.clientId, env.GATEHOUSE_CLIENT_SECRET)
  const token = env.GATEHOUSE_TOKEN?.trim()
  if (token !== undefined && token !== '') return token
  throw new CliError(
    'usage',
    'The admin API needs a token.',
    'Give one in --token-file or GATEHOUSE_TOKEN; or --client-id with the secret in GATEHOUSE_CLIENT_SECRET.',
  )
}

function readTokenFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new CliError('usage', `The token file ${path} cannot be read (${reasonOf(error)}).`)
  }
}

/** @see [RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4) */
async function clientToken(issuer: string, client_id: string, client_secret: string | undefined): Promise<string> {
  if (client_secret === undefined || client_secret === '') {
    throw new CliError('usage', `The secret of ${client_id} is missing.`, 'Put it into GATEHOUSE_CLIENT_SECRET.')
  }
  const parameters = {
    grant_type: 'client_credentials',
    scope: 'gatehouse:read gatehouse:write',
    resource: `${issuer}/admin/api`,
  }
  const reply = await request(`${issuer}/token`, formRequest(parameters, basicAuthorization(client_id, client_secret)))
  const token = textOf(parseJson(reply.text), 'access_token')
  if (reply.status === 200 && token !== undefined) return token
  const said = textOf(parseJson(reply.text), 'error_description') ?? `status ${reply.status}`
  throw new CliError(
    'failed',
    `${client_id} got no token: ${said}.`,
    `Check the secret, and that the client has the grant type client_credentials and the scope ${parameters.scope}.`,
  )
}
