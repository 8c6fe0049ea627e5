/** A server of the Model Context Protocol that trusts us, and what a client of it has to remember. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import type { Resource } from '../../server/protocol/resource.ts'
import type { Seeder } from './seed.ts'

/** The scopes of the server below: every call needs the first, `write` the second too. */
export const MCP_SCOPES = ['mcp:read', 'mcp:write'] as const

/** Where a client on the person's machine listens. Nothing does in a test. */
export const NATIVE_CALLBACK = 'http://127.0.0.1:33418/callback'

export interface ProtectedMcpServer {
  readonly url: URL
  /** What `resource` and `aud` name. */
  readonly resource: string
  /** The claims of the tokens that were let in. */
  readonly let_in: readonly JWTPayload[]
}

interface McpServerOptions {
  readonly path?: string
  /** Whether refusals say which scope would do. */
  readonly challenges_scope?: boolean
  readonly registered?: Partial<Resource>
}

type Test = { teardown(handler: () => Promise<void>): void }

/**
 * Serves two tools, `read` and `write`, which tell who calls, and registers the server as a resource. A token is verified
 * as RFC 9068 §4 says, with nothing but what discovery publishes.
 */
export async function serveMcp(
  t: Test,
  { issuer, deps }: Pick<Seeder, 'deps'> & { readonly issuer: string },
  { path = '/mcp', challenges_scope = true, registered }: McpServerOptions = {},
): Promise<ProtectedMcpServer> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const let_in: JWTPayload[] = []
  const http = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(async () => {
    http.close().closeAllConnections()
  })
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const origin = `http://127.0.0.1:${address.port}`
  const resource = `${origin}${path}`
  const metadata_path = `/.well-known/oauth-protected-resource${path}`
  const now = deps.clock.now()
  await deps.store.createResource(
    {
      resource,
      scopes: [...MCP_SCOPES],
      access_token_seconds: null,
      signing_alg: 'RS256',
      introspection_clients: [],
      authorization_details_types: [],
      claims: {},
      token_typ: 'at+jwt',
      created_at: now,
      updated_at: now,
      ...registered,
    },
    [],
  )

  function refuse(response: ServerResponse, status: number, attributes: Record<string, string>): void {
    const all = { ...attributes, resource_metadata: `${origin}${metadata_path}` }
    const pairs = Object.entries(all).map(([name, value]) => `${name}="${value}"`)
    response.writeHead(status, { 'www-authenticate': `Bearer ${pairs.join(', ')}` }).end()
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === metadata_path) {
      const metadata = { resource, authorization_servers: [issuer], scopes_supported: MCP_SCOPES }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata))
      return
    }
    if (request.url !== path) return void response.writeHead(404).end()
    const [, token = ''] = /^(?:Bearer|DPoP) (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const claims = await verified(token)
    const wanted = challenges_scope ? { scope: MCP_SCOPES[0] } : {}
    if (claims === undefined) return refuse(response, 401, { ...wanted, error: 'invalid_token' })
    const body = await jsonOf(request)
    const needed = body.includes('"name":"write"') ? MCP_SCOPES : [MCP_SCOPES[0]]
    const scopes = String(claims.scope).split(' ')
    if (!needed.every((scope) => scopes.includes(scope))) {
      return refuse(response, 403, { error: 'insufficient_scope', scope: needed.join(' ') })
    }
    let_in.push(claims)
    await callTool(request, response, body, claims)
  }

  async function verified(token: string): Promise<JWTPayload | undefined> {
    try {
      const options = { issuer, audience: resource, typ: 'at+jwt', algorithms: ['RS256'] }
      return (await jwtVerify(token, keys, options)).payload
    } catch {
      return undefined
    }
  }

  return { url: new URL(resource), resource, let_in }
}

async function callTool(
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  claims: JWTPayload,
): Promise<void> {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  const said = { content: [{ type: 'text' as const, text: JSON.stringify(claims) }] }
  for (const name of ['read', 'write']) server.registerTool(name, {}, () => said)
  // Stateless, as the protocol of 2026-07-28 is anyway.
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  await server.connect(transport)
  await transport.handleRequest(request, response, body === '' ? undefined : JSON.parse(body))
}

async function jsonOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** What the clients of both packages ask their application to remember between the steps of a flow. */
export interface McpMemory<Information, Tokens, Discovery> {
  readonly redirectUrl: string
  readonly clientMetadata: NativeClient
  /** Where the person was sent, each time. */
  readonly asked: URL[]
  /** Every registration. */
  readonly registrations: Information[]
  clientInformation(): Information | undefined
  saveClientInformation(information: Information): void
  tokens(): Tokens | undefined
  saveTokens(tokens: Tokens): void
  redirectToAuthorization(url: URL): void
  saveCodeVerifier(code_verifier: string): void
  codeVerifier(): string
  invalidateCredentials(scope: string): void
  discoveryState(): Discovery | undefined
  saveDiscoveryState(state: Discovery): void
}

export interface NativeClient {
  client_name: string
  redirect_uris: string[]
  grant_types: string[]
  response_types: string[]
  token_endpoint_auth_method: string | undefined
}

/** What such a client says of itself; RFC 8252 §7.3: it listens on the loopback interface. */
export const NATIVE_CLIENT: NativeClient = {
  client_name: 'An assistant',
  redirect_uris: [NATIVE_CALLBACK],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}

/** @param changes to {@link NATIVE_CLIENT}; undefined leaves a member out */
export function mcpMemory<Information, Tokens, Discovery>(
  changes: Partial<NativeClient> = {},
): McpMemory<Information, Tokens, Discovery> {
  let information: Information | undefined
  let tokens: Tokens | undefined
  let discovery: Discovery | undefined
  let code_verifier = ''
  const asked: URL[] = []
  const registrations: Information[] = []
  return {
    redirectUrl: NATIVE_CALLBACK,
    clientMetadata: { ...NATIVE_CLIENT, ...changes },
    asked,
    registrations,
    clientInformation: () => information,
    saveClientInformation: (saved) => {
      information = saved
      registrations.push(saved)
    },
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved
    },
    redirectToAuthorization: (url) => void asked.push(url),
    saveCodeVerifier: (saved) => {
      code_verifier = saved
    },
    codeVerifier: () => code_verifier,
    invalidateCredentials: (scope) => {
      if (scope === 'all' || scope === 'client') information = undefined
      if (scope === 'all' || scope === 'tokens') tokens = undefined
    },
    discoveryState: () => discovery,
    saveDiscoveryState: (saved) => {
      discovery = saved
    },
  }
}

/** The settings of a server whose clients register themselves. */
export const SELF_REGISTRATION = {
  GATEHOUSE_REGISTRATION__MODE: 'open',
  GATEHOUSE_REGISTRATION__METADATA_DOCUMENTS: 'true',
  GATEHOUSE_REGISTRATION__SCOPE: `openid offline_access ${MCP_SCOPES.join(' ')}`,
}
