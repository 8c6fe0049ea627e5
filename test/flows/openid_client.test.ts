import * as client from 'openid-client'
import t, { type Test } from 'tap'
import { buildTestApp, claimsOf, type TestApp } from '../helpers/app.ts'

/** openid-client, unchanged: it discovers the server and uses what it finds. */
const SECRET = 'a client secret of some length'

async function prepare(t: Test): Promise<{ server: TestApp; discover: typeof client.discovery }> {
  const server = await buildTestApp(t)
  await server.createAccount()
  await server.createClient({ client_secret: SECRET, scope: 'read gatehouse:read' })
  const address = await server.app.listen({ port: 0, host: '127.0.0.1' })
  // The issuer's name leads to this process, as a host name would.
  const customFetch: client.CustomFetch = (url, options) =>
    fetch(url.replace(server.issuer, address), options as object)
  return {
    server,
    discover: (issuer, client_id, metadata, authentication) =>
      client.discovery(issuer, client_id, metadata, authentication, {
        execute: [client.allowInsecureRequests],
        [client.customFetch]: customFetch,
      }),
  }
}

t.test('RFC 6749 §4.4 and RFC 7662: a service gets a token, and asks about another', async (t) => {
  const { server, discover } = await prepare(t)
  for (const authentication of [client.ClientSecretBasic(SECRET), client.ClientSecretPost(SECRET)]) {
    const config = await discover(new URL(server.issuer), 'service', undefined, authentication)
    const { access_token, expires_in } = await client.clientCredentialsGrant(config, { scope: 'read' })
    t.match(claimsOf(access_token), { sub: 'service', scope: 'read' })
    t.equal(expires_in, 300)
    const { access } = await server.signIn()
    t.match(await client.tokenIntrospection(config, access), { active: true, username: 'alice' })
  }
})

t.test('RFC 6749 §6 and RFC 7009: an application refreshes, and signs out', async (t) => {
  const { server, discover } = await prepare(t)
  const config = await discover(new URL(server.issuer), 'gatehouse-login', undefined, client.None())
  const { refresh } = await server.signIn()
  const refreshed = await client.refreshTokenGrant(config, refresh)
  t.not(refreshed.refresh_token, refresh)
  await client.tokenRevocation(config, refreshed.refresh_token ?? '')
  const refused: unknown = await client
    .refreshTokenGrant(config, refreshed.refresh_token ?? '')
    .catch((error: unknown) => error)
  t.match(refused, { error: 'invalid_grant', error_description: 'revoked' })
})

t.test('RFC 6749 §5.2: a wrong secret is an invalid_client', async (t) => {
  const { server, discover } = await prepare(t)
  const config = await discover(new URL(server.issuer), 'service', undefined, client.ClientSecretBasic('wrong'))
  const refused: unknown = await client.clientCredentialsGrant(config).catch((error: unknown) => error)
  t.match(refused, { status: 401 })
})
