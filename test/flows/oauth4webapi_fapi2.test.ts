/** oauth4webapi, unchanged, against a server under the FAPI 2.0 Security Profile. */
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { clientKey } from '../helpers/client_keys.ts'
import { CALLBACK, type Registration, SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import {
  clientCredentials,
  codeFlow,
  introspect,
  type Party,
  party,
  push,
  refresh,
  through,
  userInfo,
} from '../helpers/oauth4webapi.ts'

const ALGORITHMS = ['PS256', 'ES256', 'EdDSA'] as const
const servers = await Promise.all([
  serveClients(t, { GATEHOUSE_PROFILE: 'fapi2' }),
  serveClients(t, { GATEHOUSE_PROFILE: 'fapi2', GATEHOUSE_DPOP__NONCE: 'true' }),
])

for (const [at, served] of servers.entries()) {
  const { alice, webClient } = served

  async function fapiClient(alg: (typeof ALGORITHMS)[number], registration: Registration = {}): Promise<Party> {
    const key = await clientKey(alg)
    const registered = await webClient({ ...signedBy(key), id_token_signed_response_alg: alg, ...registration })
    const authentication = oauth.PrivateKeyJwt({ key: key.private_key, kid: key.jkt })
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair(alg === 'EdDSA' ? 'Ed25519' : alg))
    return party(served, registered, authentication, { ...through(), DPoP })
  }

  const under = at === 0 ? 'without nonces' : 'with nonces'
  for (const alg of ALGORITHMS) {
    t.test(`FAPI 2.0 Security Profile §5: PAR, private_key_jwt and DPoP with ${alg}, ${under}`, async (t) => {
      const known = await fapiClient(alg)
      const tokens = await codeFlow(served, known, {}, push)
      t.equal(tokens.token_type, 'dpop')
      const sub = alice.account_id
      t.match(await userInfo(known, tokens), { sub })
      t.match(await introspect(known, tokens.access_token), {
        active: true,
        sub,
        token_type: 'DPoP',
        cnf: { jkt: String },
      })
      const refreshed = await refresh(known, tokens)
      t.equal(refreshed.token_type, 'dpop')
      t.equal(refreshed.refresh_token ?? tokens.refresh_token, tokens.refresh_token, '§5.3.2.1: no rotation')
      t.equal((await refresh(known, tokens)).token_type, 'dpop')
    })
  }

  t.test(`RFC 9101 §10.2, JARM: signed both ways besides, ${under}`, async (t) => {
    const key = await clientKey('ES256')
    const known = await fapiClient('ES256', { require_signed_request_object: true, jwks: { keys: [key.public_jwk] } })
    const signing = { key: key.private_key, kid: key.jkt }
    const signed = { ...known, authentication: oauth.PrivateKeyJwt(signing) }
    const pushSigned: typeof push = async (of, parameters) => {
      const request = await oauth.issueRequestObject(of.as, of.client, parameters, signing)
      return push(of, { client_id: of.client.client_id, request })
    }
    t.ok(await codeFlow(served, signed, { response_mode: 'jwt' }, pushSigned))
    t.match(await thrownBy(codeFlow(served, signed, {}, push)), { error: 'invalid_request' }, 'not signed')
  })
}

const [served] = servers

t.test('FAPI 2.0 Security Profile §5.3.2: what falls short of it is refused', async (t) => {
  const { issuer, webClient, visit } = served
  const key = await clientKey('ES256')
  const registered = await webClient(signedBy(key))
  const { private_key } = key
  const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
  const options = { ...through(), DPoP }
  const known = await party(served, registered, oauth.PrivateKeyJwt(private_key), options)
  const { as } = known

  const parameters = { client_id: registered.client_id, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' }
  const landing = await visit(`${as.authorization_endpoint}?${new URLSearchParams(parameters).toString()}`)
  t.match(landing.url.searchParams.get('error'), /^invalid_request$/, 'not pushed')
  t.match(await thrownBy(push(known, parameters)), { error: 'invalid_request' }, 'without PKCE')
  t.match(
    await thrownBy(codeFlow(served, { ...known, options: through() }, {}, push)),
    { error: /^invalid_(request|grant|dpop_proof)$/ },
    'no key',
  )

  const toTokenEndpoint = oauth.PrivateKeyJwt(private_key, {
    [oauth.modifyAssertion]: (_header, payload) => {
      payload.aud = as.token_endpoint ?? ''
    },
  })
  const other_audience = thrownBy(codeFlow(served, { ...known, authentication: toTokenEndpoint }, {}, push))
  t.match(await other_audience, { status: 401 }, 'an assertion for the token endpoint rather than the issuer')
  const rsa = await clientKey('RS256')
  const with_rsa = await party(served, await webClient(signedBy(rsa)), oauth.PrivateKeyJwt(rsa.private_key), options)
  t.match(await thrownBy(codeFlow(served, with_rsa, {}, push)), { status: 401 }, 'RS256')

  const with_secret = await webClient({ client_secret: SECRET, grant_types: ['client_credentials'] })
  const secretly = await party({ issuer }, with_secret, oauth.ClientSecretBasic(SECRET), options)
  t.match(await thrownBy(clientCredentials(secretly)), { status: 401 }, 'a secret')
})
