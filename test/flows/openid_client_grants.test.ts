/** openid-client, unchanged: grants without a browser of the client's, and clients that register themselves. */
import * as client from 'openid-client'
import t from 'tap'
import { DEVICE_CODE_GRANT } from '../../server/protocol/device_code.ts'
import { clientKey } from '../helpers/client_keys.ts'
import { CALLBACK, SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import { relyingParties } from '../helpers/openid_client.ts'
import { createBrowser } from '../helpers/web_client.ts'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

const served = await serveClients(t, {
  GATEHOUSE_DEVICE__INTERVAL_SECONDS: '1',
  GATEHOUSE_REGISTRATION__MODE: 'open',
})
const { issuer, site, alice, visit } = served
const { register, codeFlow } = relyingParties(served)

t.test('RFC 6749 §4.4: a service, by each way to authenticate', async (t) => {
  const key = await clientKey('PS256')
  const registration = { grant_types: ['client_credentials'], scope: 'read write' }
  const ways = [
    [{ client_secret: SECRET }, client.ClientSecretBasic(SECRET)],
    [{ client_secret: SECRET }, client.ClientSecretPost(SECRET)],
    [signedBy(key), client.PrivateKeyJwt(key.private_key)],
  ] as const
  for (const [authentication, shown] of ways) {
    const config = await register({ ...registration, ...authentication }, shown)
    t.match(await client.clientCredentialsGrant(config, { scope: 'read' }), { token_type: 'bearer', scope: 'read' })
    t.match(await thrownBy(client.clientCredentialsGrant(config, { scope: 'other' })), { error: 'invalid_scope' })
  }
})

t.test('RFC 8628: a device asks, a person elsewhere decides', async (t) => {
  for (const decision of ['approve', 'deny']) {
    const config = await register({ grant_types: [DEVICE_CODE_GRANT, 'refresh_token'], response_types: [] })
    const asked = await client.initiateDeviceAuthorization(config, { scope: 'openid email' })
    const polled = client.pollDeviceAuthorizationGrant(config, asked)
    const refused = thrownBy(polled)
    const browser = createBrowser(site)
    const page = await visit(asked.verification_uri_complete ?? '', {}, browser)
    const confirm = page.body.includes('name="decision"') ? page : await browser.submit(page, {})
    await browser.submit(confirm, { decision })
    if (decision === 'deny') {
      t.match(await refused, { error: 'access_denied' })
      continue
    }
    const tokens = await polled
    t.match(tokens.claims(), { sub: alice.account_id })
    t.equal((await client.fetchUserInfo(config, tokens.access_token, alice.account_id)).email, 'alice@example.com')
    t.ok((await client.refreshTokenGrant(config, tokens.refresh_token ?? '')).access_token)
  }
})

t.test('RFC 8693: a service acts for who called it, and says so', async (t) => {
  const [orders, stock] = ['https://orders.example', 'https://stock.example']
  const rest = { access_token_seconds: null, authorization_details_types: [], created_at: 0, updated_at: 0 }
  for (const resource of [orders, stock]) {
    const registered = {
      ...rest,
      resource,
      scopes: ['read'],
      signing_alg: 'RS256',
      introspection_clients: ['orders'],
    } as const
    await served.deps.store.createResource(registered, [])
  }
  const front = await register({ scope: 'openid read', resources: [orders] })
  const { tokens } = await codeFlow({ config: front, parameters: { scope: 'openid read', resource: orders } })
  const service = { client_id: 'orders', client_secret: SECRET, scope: 'read', resources: [stock], response_types: [] }
  const config = await register({ ...service, grant_types: [TOKEN_EXCHANGE] }, client.ClientSecretBasic(SECRET))
  const subject = { subject_token: tokens.access_token, subject_token_type: ACCESS_TOKEN, resource: stock }
  const exchanged = await client.genericGrantRequest(config, TOKEN_EXCHANGE, { ...subject, scope: 'read' })
  t.match(exchanged, { issued_token_type: ACCESS_TOKEN, token_type: 'bearer', scope: 'read' })
  const { client_id } = config.clientMetadata()
  t.match(await client.tokenIntrospection(config, exchanged.access_token), {
    active: true,
    sub: alice.account_id,
    act: { sub: client_id },
  })
  const forged = { ...subject, subject_token: `${tokens.access_token}x` }
  t.match(await thrownBy(client.genericGrantRequest(config, TOKEN_EXCHANGE, forged)), {
    error: /^invalid_(request|grant)$/,
  })
})

t.test('RFC 7591: clients that register themselves, and use what they are told at once', async (t) => {
  const key = await clientKey('ES256')
  const ways: [Partial<client.ClientMetadata>, client.ClientAuth | undefined][] = [
    [{ token_endpoint_auth_method: 'none' }, client.None()],
    [{ token_endpoint_auth_method: 'client_secret_post' }, undefined],
    [
      { token_endpoint_auth_method: 'private_key_jwt', jwks: JSON.parse(JSON.stringify({ keys: [key.public_jwk] })) },
      client.PrivateKeyJwt(key.private_key),
    ],
  ]
  for (const [metadata, authentication] of ways) {
    const wanted = {
      client_name: 'Itself',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      ...metadata,
    }
    const config = await client.dynamicClientRegistration(new URL(issuer), wanted, authentication, {
      execute: [client.allowInsecureRequests],
    })
    t.match(config.clientMetadata(), {
      client_name: 'Itself',
      token_endpoint_auth_method: metadata.token_endpoint_auth_method,
    })
    const { claims, tokens } = await codeFlow({ config })
    t.equal(claims?.sub, alice.account_id)
    t.ok((await client.refreshTokenGrant(config, tokens.refresh_token ?? '')).access_token)
  }
  const wrong = client.dynamicClientRegistration(
    new URL(issuer),
    { redirect_uris: ['https://app.example/#x'] },
    undefined,
    {
      execute: [client.allowInsecureRequests],
    },
  )
  t.match(await thrownBy(wrong), { error: 'invalid_redirect_uri' })
})
