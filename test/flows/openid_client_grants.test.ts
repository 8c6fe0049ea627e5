/** openid-client, unchanged: grants without a browser of the client's, and clients that register themselves. */
import * as client from 'openid-client'
import t from 'tap'
import { DEVICE_CODE_GRANT } from '../../server/protocol/device_code.ts'
import { JWT_BEARER_GRANT } from '../../server/protocol/jwt_bearer.ts'
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../../server/protocol/token_exchange.ts'
import { clientKey } from '../helpers/client_keys.ts'
import { CALLBACK, SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import { relyingParties } from '../helpers/openid_client.ts'
import { startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const idp = await startStandInIssuer(t)

const served = await serveClients(t, {
  GATEHOUSE_DEVICE__INTERVAL_SECONDS: '1',
  GATEHOUSE_REGISTRATION__MODE: 'open',
  GATEHOUSE_JWT_BEARER__ISSUERS: idp.issuer,
  GATEHOUSE_OUTBOUND__ALLOW: new URL(idp.issuer).host,
})
const { issuer, alice, resource, decideAboutDevice } = served
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
  for (const decision of ['approve', 'deny'] as const) {
    const config = await register({ grant_types: [DEVICE_CODE_GRANT, 'refresh_token'], response_types: [] })
    const asked = await client.initiateDeviceAuthorization(config, { scope: 'openid email' })
    const polled = client.pollDeviceAuthorizationGrant(config, asked)
    const refused = thrownBy(polled)
    await decideAboutDevice(asked.verification_uri_complete ?? '', decision)
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
  for (const name of [orders, stock]) await resource(name, ['orders'])
  const front = await register({ scope: 'openid read', resources: [orders] })
  const { tokens } = await codeFlow({ config: front, parameters: { scope: 'openid read', resource: orders } })
  const service = { client_id: 'orders', client_secret: SECRET, scope: 'read', resources: [stock], response_types: [] }
  const config = await register({ ...service, grant_types: [TOKEN_EXCHANGE_GRANT] }, client.ClientSecretBasic(SECRET))
  const subject = { subject_token: tokens.access_token, subject_token_type: ACCESS_TOKEN_TYPE, resource: stock }
  const exchanged = await client.genericGrantRequest(config, TOKEN_EXCHANGE_GRANT, { ...subject, scope: 'read' })
  t.match(exchanged, { issued_token_type: ACCESS_TOKEN_TYPE, token_type: 'bearer', scope: 'read' })
  const { client_id } = config.clientMetadata()
  t.match(await client.tokenIntrospection(config, exchanged.access_token), {
    active: true,
    sub: alice.account_id,
    act: { sub: client_id },
  })
  const forged = { ...subject, subject_token: `${tokens.access_token}x` }
  t.match(await thrownBy(client.genericGrantRequest(config, TOKEN_EXCHANGE_GRANT, forged)), {
    error: /^invalid_(request|grant)$/,
  })
})

t.test('RFC 7523 §2.1: what another issuer says of a person becomes a token', async (t) => {
  const registered = {
    client_secret: SECRET,
    grant_types: [JWT_BEARER_GRANT],
    scope: 'openid email',
    response_types: [],
  }
  const config = await register(registered, client.ClientSecretBasic(SECRET))
  const { client_id } = config.clientMetadata()
  const said = { sub: 'alice', aud: issuer, client_id, jti: 'said-once', scope: undefined }
  const exchange = (assertion: string) =>
    client.genericGrantRequest(config, JWT_BEARER_GRANT, { assertion, scope: 'openid email' })
  const assertion = await idp.token(said, { typ: 'JWT' })
  const tokens = await exchange(assertion)
  t.match(tokens, { token_type: 'bearer', scope: 'openid email', refresh_token: undefined })
  t.match(await client.fetchUserInfo(config, tokens.access_token, alice.account_id), { email: 'alice@example.com' })
  for (const wrong of [assertion, await idp.token({ ...said, jti: 'other', sub: 'nobody' }, { typ: 'JWT' })]) {
    t.match(await thrownBy(exchange(wrong)), { error: 'invalid_grant' })
  }
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
