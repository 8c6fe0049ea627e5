/** @modelcontextprotocol/sdk 1.x, unchanged: a client that knows an address, and finds out the rest. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  auth,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  UnauthorizedError,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InvalidClientError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { exportJWK } from 'jose'
import t from 'tap'
import { clientKey } from '../helpers/client_keys.ts'
import { SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import { blocksOf } from '../helpers/markdown.ts'
import { MCP_SCOPES, mcpMemory, type NativeClient, serveMcp } from '../helpers/mcp.ts'
import { temporaryDirectory } from '../helpers/process.ts'

/** As `docs/mcp.md` configures it. */
const config_file = join(temporaryDirectory(t), 'gatehouse.yaml')
const documented = readFileSync(join(import.meta.dirname, '../../docs/mcp.md'), 'utf8')
writeFileSync(config_file, blocksOf(documented).find(({ language }) => language === 'yaml')?.text ?? '')

const served = await serveClients(t, { GATEHOUSE_CONFIG: config_file })
const { issuer, alice, deps, visit } = served
const notes = await serveMcp(t, served)

const newMemory = (changes: Partial<NativeClient> = {}) =>
  mcpMemory<OAuthClientInformationMixed, OAuthTokens, OAuthDiscoveryState>(changes)
type Memory = ReturnType<typeof newMemory>

/** Connects, and calls a tool. @returns what the server saw in the access token */
async function call(authProvider: OAuthClientProvider, server = notes): Promise<unknown> {
  const client = new Client({ name: 'assistant', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(server.url, { authProvider }))
  await client.callTool({ name: 'read' })
  await client.close()
  return server.let_in.at(-1)
}

/** Does what the client asks of the person, and hands it the answer. */
async function allow(provider: Memory, server = notes): Promise<void> {
  const landing = await visit(provider.asked.at(-1) ?? '')
  const authorizationCode = landing.url.searchParams.get('code')
  if (!landing.left || authorizationCode === null) throw new Error(`no code: ${landing.url.href} ${landing.body}`)
  await auth(provider, { serverUrl: server.url, authorizationCode })
}

/** A client that has been let in. */
async function connected(changes: Partial<NativeClient> = {}, server = notes): Promise<Memory> {
  const provider = newMemory(changes)
  const refused = await thrownBy(call(provider, server))
  if (!(refused instanceof UnauthorizedError)) throw refused
  await allow(provider, server)
  return provider
}

t.test('RFC 9728, RFC 8414, RFC 7591, RFC 8707: from a 401 through a sign-in to an answer', async (t) => {
  const provider = await connected()
  t.match(await call(provider), { iss: issuer, sub: alice.account_id, aud: notes.resource, scope: 'mcp:read' })
  t.match(provider.tokens(), { token_type: 'Bearer', refresh_token: String, scope: 'mcp:read' })
  t.equal(provider.asked[0]?.searchParams.get('resource'), notes.resource)
  t.equal(provider.asked.length, 1)
  t.equal(provider.registrations.length, 1)
})

t.test('RFC 7591 §2: whatever way the client chose to authenticate, or none, it gets in', async (t) => {
  for (const token_endpoint_auth_method of ['client_secret_basic', 'client_secret_post', undefined]) {
    const provider = await connected({ token_endpoint_auth_method })
    t.match(await call(provider), { sub: alice.account_id }, token_endpoint_auth_method ?? 'left to us')
    t.match(provider.clientInformation(), { client_secret: String })
    await auth(provider, { serverUrl: notes.url })
    t.match(await call(provider), { sub: alice.account_id }, 'refreshed')
  }
})

t.test('RFC 6749 §6: a token that is not taken any more is refreshed, and nobody is asked', async (t) => {
  const provider = await connected()
  for (let times = 0; times < 2; times += 1) {
    const before = provider.tokens()
    if (before !== undefined) provider.saveTokens({ ...before, access_token: 'expired' })
    t.match(await call(provider), { sub: alice.account_id, aud: notes.resource, scope: 'mcp:read' })
    t.not(provider.tokens()?.refresh_token, before?.refresh_token, 'OAuth 2.1 §4.3.1: rotated')
  }
  t.equal(provider.asked.length, 1)
})

t.test('RFC 8707 §2: a token for one server is none for another, and neither is one for no server', async (t) => {
  const other = await serveMcp(t, served, { path: '/other/mcp' })
  const provider = await connected()
  await call(provider)
  const elsewhere = newMemory()
  const tokens = provider.tokens()
  if (tokens !== undefined) elsewhere.saveTokens({ access_token: tokens.access_token, token_type: 'Bearer' })
  t.ok((await thrownBy(call(elsewhere, other))) instanceof UnauthorizedError)
  t.match(await call(await connected({}, other), other), { aud: other.resource })
})

t.test('RFC 8707 §2: a server that is not registered as a resource is refused, and the person is told', async (t) => {
  const unknown = await serveMcp(t, served, { registered: { resource: 'https://elsewhere.example/mcp' } })
  const provider = newMemory()
  t.ok((await thrownBy(call(provider, unknown))) instanceof UnauthorizedError)
  const { statusCode, body } = await visit(provider.asked[0] ?? '')
  t.equal(statusCode, 400)
  t.match(body, /id="go-on" [^>]*error=invalid_target/, 'and may tell the client')
})

t.test('RFC 6749 §5.2: a client that was reaped learns so by 401 invalid_client, and registers anew', async (t) => {
  const provider = await connected()
  await call(provider)
  const in_a_year = deps.clock.now() + 366 * 86_400
  t.ok((await deps.store.reapClients(in_a_year, in_a_year, 100)) > 0)
  const gone = provider.clientInformation()
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: gone?.client_id ?? '',
      refresh_token: provider.tokens()?.refresh_token ?? '',
    }),
  })
  t.equal(response.status, 401)
  t.match(await response.json(), { error: 'invalid_client' })

  provider.saveTokens({ ...provider.tokens(), access_token: 'expired', token_type: 'Bearer' })
  t.ok((await thrownBy(call(provider))) instanceof UnauthorizedError, 'the person is asked again')
  t.equal(provider.registrations.length, 2)
  t.not(provider.clientInformation()?.client_id, gone?.client_id)
  await allow(provider)
  t.match(await call(provider), { client_id: provider.clientInformation()?.client_id })
})

t.test('OAuth 2.1 §4.2: a service with a secret, or with a key, gets in as itself', async (t) => {
  const key = await clientKey('ES256')
  const of_service = { grant_types: ['client_credentials'], scope: MCP_SCOPES.join(' '), resources: [notes.resource] }
  const secret = await served.client({ ...of_service, client_secret: SECRET })
  const signing = await served.client({ ...of_service, ...signedBy(key) })
  const both = { expectedIssuer: issuer, scope: 'mcp:read' }
  const with_secret = new ClientCredentialsProvider({ ...both, clientId: secret.client_id, clientSecret: SECRET })
  t.match(await call(with_secret), { sub: secret.client_id, aud: notes.resource, scope: 'mcp:read' })

  const privateKey = { ...(await exportJWK(key.private_key)) }
  const signed = { ...both, algorithm: 'ES256', clientId: signing.client_id, privateKey }
  t.match(await call(new PrivateKeyJwtProvider(signed)), { sub: signing.client_id, aud: notes.resource })
  const forger = { ...signed, privateKey: { ...(await exportJWK((await clientKey('ES256')).private_key)) } }
  t.ok((await thrownBy(call(new PrivateKeyJwtProvider(forger)))) instanceof InvalidClientError)
})
