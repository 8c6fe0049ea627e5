/** openid-client, unchanged: what a relying party does, from the authorization request to signing out. */
import * as client from 'openid-client'
import t from 'tap'
import { clientKey } from '../helpers/client_keys.ts'
import { type Registration, SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import { type Flow, relyingParties } from '../helpers/openid_client.ts'
import { createBrowser } from '../helpers/web_client.ts'

const served = await serveClients(t)
const { issuer, site, alice, visit } = served
const { register, codeFlow } = relyingParties(served)
const keys = { ES256: await clientKey('ES256'), PS256: await clientKey('PS256') }

t.test(
  'OpenID Connect Core §3.1: code flow, UserInfo, refresh, revocation, with each client authentication',
  async (t) => {
    const ways: [string, Registration, client.ClientAuth][] = [
      ['none', {}, client.None()],
      ['client_secret_basic', { client_secret: SECRET }, client.ClientSecretBasic(SECRET)],
      ['client_secret_post', { client_secret: SECRET }, client.ClientSecretPost(SECRET)],
      ['private_key_jwt ES256', signedBy(keys.ES256), client.PrivateKeyJwt(keys.ES256.private_key)],
      ['private_key_jwt PS256', signedBy(keys.PS256), client.PrivateKeyJwt(keys.PS256.private_key)],
    ]
    for (const [name, registration, authentication] of ways) {
      const config = await register(registration, authentication)
      const { tokens, claims } = await codeFlow({ config })
      t.match(claims, { iss: issuer, sub: alice.account_id, acr: 'urn:gatehouse:pwd', amr: ['pwd'], sid: String }, name)
      const user = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
      t.match(user, { sub: claims?.sub, name: 'Alice Adams', email: 'alice@example.com', email_verified: true })
      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
      t.match(refreshed.claims(), { sub: claims?.sub, auth_time: claims?.auth_time }, 'OpenID Connect Core §12.2')
      await client.tokenRevocation(config, refreshed.refresh_token ?? '')
      const refused = await thrownBy(client.refreshTokenGrant(config, refreshed.refresh_token ?? ''))
      t.match(refused, { error: 'invalid_grant' })
    }
  },
)

t.test('RFC 9126, RFC 9101, JARM, form_post: each way to ask and to be answered', async (t) => {
  const { buildAuthorizationUrl, buildAuthorizationUrlWithPAR, buildAuthorizationUrlWithJAR } = client
  const authentication = client.PrivateKeyJwt(keys.ES256.private_key)
  const withJAR: Flow['build'] = (config, parameters) =>
    buildAuthorizationUrlWithJAR(config, parameters, keys.ES256.private_key)
  const withBoth: Flow['build'] = async (config, parameters) => {
    const { searchParams } = await buildAuthorizationUrlWithJAR(config, parameters, keys.ES256.private_key)
    return buildAuthorizationUrlWithPAR(config, searchParams)
  }
  const ways: Record<string, NonNullable<Flow['build']>> = {
    plain: buildAuthorizationUrl,
    pushed: buildAuthorizationUrlWithPAR,
    signed: withJAR,
    'signed and pushed': withBoth,
  }
  for (const [name, build] of Object.entries(ways)) {
    const config = await register(
      {
        ...signedBy(keys.ES256),
        require_signed_request_object: name.startsWith('signed'),
        require_pushed_authorization_requests: name.endsWith('pushed'),
      },
      authentication,
    )
    const { claims, url, landing } = await codeFlow({ config, build })
    t.equal(claims?.sub, alice.account_id, name)
    t.equal(url.searchParams.has('redirect_uri'), name === 'plain')
    t.ok(landing.left)
    const posted = await codeFlow({ config, build, parameters: { response_mode: 'form_post' } })
    t.equal(posted.claims?.sub, alice.account_id, `${name}, form_post`)
    t.notOk(posted.landing.left)
    client.useJwtResponseMode(config)
    const jarm = await codeFlow({ config, build })
    t.ok(jarm.landing.url.searchParams.has('response'))
    t.equal(jarm.claims?.sub, alice.account_id, `${name}, JARM`)
  }
})

t.test('RFC 9207, OpenID Connect Core §3.1.2.6: a refusal comes back to the client as one', async (t) => {
  const config = await register({ first_party: false })
  const denied = await thrownBy(codeFlow({ config, person: { decision: 'deny' } }))
  t.match(denied, { name: 'AuthorizationResponseError', error: 'access_denied' })
  const absent = await thrownBy(codeFlow({ config, parameters: { prompt: 'none' } }))
  t.match(absent, { name: 'AuthorizationResponseError', error: 'login_required' })
  client.useJwtResponseMode(config)
  t.match(await thrownBy(codeFlow({ config, parameters: { prompt: 'none' } })), { error: 'login_required' })
})

t.test('OpenID Connect Core §10: signed as registered, and encrypted to the client', async (t) => {
  for (const id_token_signed_response_alg of ['RS256', 'PS256', 'ES256', 'EdDSA'] as const) {
    const config = await register({ id_token_signed_response_alg }, undefined, { id_token_signed_response_alg })
    t.equal((await codeFlow({ config })).claims?.sub, alice.account_id, id_token_signed_response_alg)
  }
  for (const alg of ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'] as const) {
    const { public_jwk, private_key } = await clientKey(alg)
    const config = await register({
      jwks: { keys: [{ ...public_jwk, use: 'enc', alg }] },
      id_token_encrypted_response_alg: alg,
      userinfo_signed_response_alg: 'RS256',
      userinfo_encrypted_response_alg: alg,
      userinfo_encrypted_response_enc: 'A256GCM',
    })
    client.enableDecryptingResponses(config, ['A128CBC-HS256', 'A256GCM'], {
      key: private_key,
      alg,
      kid: public_jwk.kid ?? '',
    })
    const { tokens, claims } = await codeFlow({ config })
    t.equal(tokens.id_token?.split('.').length, 5, `${alg}: a JWE`)
    const user = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
    t.match(user, { sub: alice.account_id, name: 'Alice Adams' })
  }
})

t.test('OpenID Connect Core §8.1: sectors know a person by different names, and a sector by one', async (t) => {
  const subjects = []
  for (const host of ['one.example', 'one.example', 'other.example']) {
    const redirect_uris = [`https://${host}/callback`]
    const config = await register({ subject_type: 'pairwise', redirect_uris })
    const { tokens, claims } = await codeFlow({ config, parameters: { redirect_uri: redirect_uris[0] ?? '' } })
    t.equal((await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')).sub, claims?.sub)
    subjects.push(claims?.sub)
  }
  const [first, second, third] = subjects
  t.equal(first, second)
  t.not(first, third)
  t.notOk(subjects.includes(alice.account_id))
})

t.test('RFC 7662, RFC 9701: introspection, in JSON and as a JWT', async (t) => {
  const ways = [
    ['application/json', {}],
    ['application/token-introspection+jwt', { introspection_signed_response_alg: 'ES256' }],
  ] as const
  for (const [media_type, metadata] of ways) {
    const config = await register({ ...metadata, client_secret: SECRET }, client.ClientSecretBasic(SECRET), metadata)
    const media_types: (string | null)[] = []
    config[client.customFetch] = async (url, { body, ...options }) => {
      const response = await fetch(url, { ...options, ...(body === undefined ? {} : { body }) })
      media_types.push(response.headers.get('content-type'))
      return response
    }
    const { tokens } = await codeFlow({ config })
    const about = { active: true, sub: alice.account_id, scope: 'openid profile email' }
    t.match(await client.tokenIntrospection(config, tokens.access_token), about)
    await client.tokenRevocation(config, tokens.access_token)
    t.same((await client.tokenIntrospection(config, tokens.access_token)).active, false)
    t.match(media_types.at(-1), media_type)
  }
})

t.test('RP-Initiated Logout §2: the URL that openid-client builds ends the session and leads home', async (t) => {
  const post_logout_redirect_uri = 'https://app.example/bye'
  const config = await register({ post_logout_redirect_uris: [post_logout_redirect_uri] })
  const browser = createBrowser(site)
  const { tokens } = await codeFlow({ config, browser })
  const silent = { config, browser, parameters: { prompt: 'none' } }
  t.ok((await codeFlow(silent)).claims, 'signed in')
  const parameters = { post_logout_redirect_uri, id_token_hint: tokens.id_token ?? '', state: 'a-state' }
  const landing = await visit(client.buildEndSessionUrl(config, parameters), {}, browser)
  t.equal(landing.url.href, `${post_logout_redirect_uri}?state=a-state`)
  t.match(await thrownBy(codeFlow(silent)), { error: 'login_required' })
})
