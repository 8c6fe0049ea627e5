/** @modelcontextprotocol/client 2.x, unchanged, and an issuer with a path. */
import { createServer } from 'node:https'
import {
  Client,
  ClientCredentialsProvider,
  DpopSession,
  IssuerMismatchError,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  OAuthError,
  PrivateKeyJwtProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { exportJWK } from 'jose'
import t from 'tap'
import { certificateMaker } from '../helpers/certificates.ts'
import { clientKey } from '../helpers/client_keys.ts'
import { SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import { MCP_SCOPES, mcpMemory, NATIVE_CLIENT, SELF_REGISTRATION, serveMcp } from '../helpers/mcp.ts'
import { freePort } from '../helpers/process.ts'
import type { Person } from '../helpers/web_client.ts'

const document_port = await freePort()
const document_url = `https://localhost:${document_port}/client.json`
const certificate = certificateMaker(t).selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
const GATEHOUSE_PORT = String(await freePort())
const served = await serveClients(t, {
  ...SELF_REGISTRATION,
  GATEHOUSE_PORT,
  GATEHOUSE_ISSUER: `http://localhost:${GATEHOUSE_PORT}/tenant`,
  GATEHOUSE_OUTBOUND__ALLOW: `localhost:${document_port}`,
  NODE_EXTRA_CA_CERTS: certificate.certificate_file,
})
const { issuer, alice, visit } = served
const notes = await serveMcp(t, served)

const document = { ...NATIVE_CLIENT, client_id: document_url, client_uri: new URL(document_url).origin }
const host = createServer({ key: certificate.key, cert: certificate.certificate }, (_request, response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document)),
).listen(document_port, '127.0.0.1')
t.teardown(() => host.close().closeAllConnections())

const newMemory = () => mcpMemory<StoredOAuthClientInformation, StoredOAuthTokens, OAuthDiscoveryState>()
type Memory = ReturnType<typeof newMemory> & Pick<OAuthClientProvider, 'clientMetadataUrl' | 'dpop'>

/** An application that has an MCP server's address. */
function application(authProvider: OAuthClientProvider, server = notes) {
  const newTransport = () => new StreamableHTTPClientTransport(server.url, { authProvider })
  let transport = newTransport()
  return {
    /** Connects, and calls a tool. @returns what the server saw in the access token */
    async call(name = 'read'): Promise<unknown> {
      transport = newTransport()
      const client = new Client({ name: 'assistant', version: '1.0.0' })
      await client.connect(transport)
      await client.callTool({ name })
      await client.close()
      return server.let_in.at(-1)
    },
    /** Hands over what came back to the redirect URI. */
    finish: (answer: URLSearchParams) => transport.finishAuth(answer),
  }
}
type Application = ReturnType<typeof application>

/** Does what the client asks of the person. @returns what the authorization server answers */
async function answered(provider: Memory, person?: Person): Promise<URLSearchParams> {
  const landing = await visit(provider.asked.at(-1) ?? '', person)
  if (!landing.left) throw new Error(`no answer: ${landing.url.href} ${landing.body}`)
  return landing.url.searchParams
}

/** Calls a tool, asking the person when the client has to. */
async function callWith(app: Application, provider: Memory, name = 'read'): Promise<unknown> {
  const refused = await thrownBy(app.call(name))
  if (!(refused instanceof UnauthorizedError)) throw refused ?? new Error('nobody was asked')
  await app.finish(await answered(provider))
  return app.call(name)
}

t.test('RFC 9728, RFC 8414, RFC 7591, RFC 8707: from a 401 through a sign-in to an answer', async (t) => {
  const provider = newMemory()
  const app = application(provider)
  t.match(await callWith(app, provider), { iss: issuer, sub: alice.account_id, aud: notes.resource })
  t.match(provider.tokens(), { issuer, refresh_token: String, scope: 'mcp:read offline_access' })
  provider.saveTokens({ ...provider.tokens(), access_token: 'expired', token_type: 'Bearer' })
  t.match(await app.call(), { sub: alice.account_id }, 'refreshed')
  t.equal(provider.asked.length, 1)
})

t.test('RFC 9207 §2.4: an answer of another issuer, or of none, ends it', async (t) => {
  const provider = newMemory()
  const app = application(provider)
  await thrownBy(app.call())
  const answer = await answered(provider)
  t.equal(answer.get('iss'), issuer)
  for (const iss of ['https://evil.example', `${issuer}/`, undefined]) {
    const changed = new URLSearchParams(answer)
    if (iss === undefined) changed.delete('iss')
    else changed.set('iss', iss)
    t.ok((await thrownBy(app.finish(changed))) instanceof IssuerMismatchError, iss ?? 'no issuer')
  }
  await app.finish(answer)
  t.match(await app.call(), { sub: alice.account_id })
})

t.test('RFC 6749 §4.1.2.1: a person who says no is no error of ours', async (t) => {
  const provider = newMemory()
  const app = application(provider)
  await thrownBy(app.call())
  const refused = await thrownBy(app.finish(await answered(provider, { decision: 'deny' })))
  t.ok(refused instanceof OAuthError)
  t.match(refused, { code: 'access_denied' })
})

t.test('Client ID Metadata Document §3: a client is known by its address', async (t) => {
  const provider: Memory = Object.assign(newMemory(), { clientMetadataUrl: document_url })
  const app = application(provider)
  t.match(await callWith(app, provider), { client_id: document_url, sub: alice.account_id, aud: notes.resource })
  t.same(provider.clientInformation(), { client_id: document_url, issuer }, 'nothing was registered')
  provider.saveTokens({ ...provider.tokens(), access_token: 'expired', token_type: 'Bearer' })
  t.match(await app.call(), { client_id: document_url }, 'refreshed')
})

t.test('RFC 6750 §3.1: a tool that needs more is asked for, and what was had is kept', async (t) => {
  for (const clientMetadataUrl of [document_url, undefined]) {
    const provider: Memory = Object.assign(newMemory(), clientMetadataUrl === undefined ? {} : { clientMetadataUrl })
    const app = application(provider)
    await callWith(app, provider)
    t.match(await callWith(app, provider, 'write'), { sub: alice.account_id }, clientMetadataUrl ?? 'registered')
    t.equal(provider.tokens()?.scope, 'mcp:read offline_access mcp:write')
    t.equal(provider.asked.length, 2)
  }
})

t.test('RFC 6749 §5.2: a client that is gone registers anew', async (t) => {
  const provider = newMemory()
  const app = application(provider)
  await callWith(app, provider)
  const gone = provider.clientInformation()?.client_id ?? ''
  t.equal(await served.deps.store.deleteClient(gone, served.deps.clock.now(), []), 'deleted')
  provider.saveTokens({ ...provider.tokens(), access_token: 'expired', token_type: 'Bearer' })
  t.match(await callWith(app, provider), { sub: alice.account_id })
  t.equal(provider.registrations.length, 2)
  t.not(provider.clientInformation()?.client_id, gone)
})

t.test('RFC 9449 §5: tokens are bound to the key that the client proves', async (t) => {
  const session = await DpopSession.create()
  const provider: Memory = Object.assign(newMemory(), { dpop: () => session })
  const app = application(provider)
  t.match(await callWith(app, provider), { sub: alice.account_id, cnf: { jkt: session.thumbprint } })
  t.equal(provider.tokens()?.token_type, 'DPoP')
  provider.saveTokens({ ...provider.tokens(), access_token: 'expired', token_type: 'DPoP' })
  t.match(await app.call(), { cnf: { jkt: session.thumbprint } }, 'refreshed')
  const stolen: Memory = Object.assign(newMemory(), { dpop: () => DpopSession.create() })
  const information = provider.clientInformation()
  if (information !== undefined) stolen.saveClientInformation(information)
  stolen.saveTokens({ ...provider.tokens(), access_token: 'expired', token_type: 'DPoP' })
  await t.rejects(application(stolen).call(), UnauthorizedError, 'a refresh token is of no use to another key')
  t.equal(stolen.asked.length, 1)
})

t.test('OAuth 2.1 §4.2, RFC 7523 §2.2: a service with a secret, or with a key, gets in as itself', async (t) => {
  const key = await clientKey('ES256')
  const of_service = { grant_types: ['client_credentials'], scope: MCP_SCOPES.join(' '), resources: [notes.resource] }
  const secret = await served.client({ ...of_service, client_secret: SECRET })
  const signing = await served.client({ ...of_service, ...signedBy(key) })
  const both = { expectedIssuer: issuer, scope: 'mcp:read' }
  const with_secret = new ClientCredentialsProvider({ ...both, clientId: secret.client_id, clientSecret: SECRET })
  t.match(await application(with_secret).call(), { sub: secret.client_id, aud: notes.resource, scope: 'mcp:read' })

  const privateKey = { ...(await exportJWK(key.private_key)) }
  const signed = { ...both, algorithm: 'ES256', clientId: signing.client_id, privateKey }
  const app = application(new PrivateKeyJwtProvider(signed))
  t.match(await app.call(), { sub: signing.client_id, aud: notes.resource, scope: 'mcp:read' })
  const forger = { ...signed, privateKey: { ...(await exportJWK((await clientKey('ES256')).private_key)) } }
  const refused = await thrownBy(application(new PrivateKeyJwtProvider(forger)).call())
  t.match(refused, { code: 'invalid_client' })
})

t.test('Client ID Metadata Document §4.1: a document that is not of its address registers nobody', async (t) => {
  const provider: Memory = Object.assign(newMemory(), { clientMetadataUrl: `${document_url}?another` })
  await thrownBy(application(provider).call())
  const landing = await visit(provider.asked[0] ?? '')
  t.notOk(landing.left)
  t.equal(landing.statusCode, 400)
  t.match(landing.body, 'client_id is not the address of the document')
})
