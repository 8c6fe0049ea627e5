/** oauth4webapi, unchanged, under the FAPI 2.0 Security Profile with certificates, over TLS of the server's own. */
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { certificateMaker } from '../helpers/certificates.ts'
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
import { fetchOverTls, keySetOf, tlsSettings } from '../helpers/tls.ts'

const certificates = certificateMaker(t)
const authority = certificates.selfSigned('/CN=Authority', ['keyUsage=critical,keyCertSign'])
const ours = certificates.selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
const issued = certificates.issued(authority, '/O=Example/CN=client')
const neighbour = certificates.issued(authority, '/O=Example/CN=neighbour')
const own = certificates.selfSigned('/CN=anything')
const stranger = certificates.selfSigned('/O=Example/CN=client')
const key = await clientKey('ES256')

const plain = fetchOverTls(ours)
const settings = { ...(await tlsSettings(ours, authority)), GATEHOUSE_PROFILE: 'fapi2' }
const served = await serveClients(t, settings, plain)
const { alice, visit, webClient } = served

const showing = (certificate: typeof own) => through(fetchOverTls(ours, certificate))

interface Way {
  readonly registration: Registration
  readonly authentication: oauth.ClientAuth
  readonly shown: typeof own
  readonly others: readonly (typeof own)[]
}

const bound = { tls_client_certificate_bound_access_tokens: true, id_token_signed_response_alg: 'PS256' } as const
const WAYS: Readonly<Record<string, Way>> = {
  tls_client_auth: {
    registration: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=client,O=Example' },
    authentication: oauth.TlsClientAuth(),
    shown: issued,
    others: [neighbour, stranger],
  },
  self_signed_tls_client_auth: {
    registration: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: keySetOf(own) },
    authentication: oauth.TlsClientAuth(),
    shown: own,
    others: [issued, stranger],
  },
  private_key_jwt: {
    registration: signedBy(key),
    authentication: oauth.PrivateKeyJwt(key.private_key),
    shown: issued,
    others: [],
  },
}

for (const [method, { registration, authentication, shown, others }] of Object.entries(WAYS)) {
  const known = async (changes: Registration = {}): Promise<Party> =>
    party(served, await webClient({ ...bound, ...registration, ...changes }), authentication, showing(shown))

  t.test(`FAPI 2.0 Security Profile §5.3.2.1: ${method}, and tokens bound to the certificate`, async (t) => {
    const client = await known()
    const tokens = await codeFlow(served, client, {}, push)
    t.equal(tokens.token_type, 'bearer', 'RFC 8705 §3: the type stays what it is')
    const sub = alice.account_id
    t.match(await userInfo(client, tokens), { sub })
    const about = { active: true, sub, cnf: { 'x5t#S256': String } }
    t.match(await introspect(client, tokens.access_token), about)
    for (const [who, options] of Object.entries({ 'another certificate': showing(neighbour), none: through(plain) })) {
      t.match(await thrownBy(userInfo({ ...client, options }, tokens)), { status: 401 }, `RFC 8705 §3: ${who}`)
    }
    for (let times = 0; times < 2; times += 1) {
      const refreshed = await refresh(client, tokens)
      t.equal(refreshed.refresh_token ?? tokens.refresh_token, tokens.refresh_token, 'no rotation')
      t.match(await introspect(client, refreshed.access_token), about)
    }
  })

  t.test(`RFC 8705 §2: ${method}, without the right certificate`, async (t) => {
    const client = await known()
    const tokens = await codeFlow(served, client, {}, push)
    for (const options of [through(plain), ...others.map(showing)]) {
      const refused = await thrownBy(refresh({ ...client, options }, tokens))
      t.match(refused, method === 'private_key_jwt' ? { error: 'invalid_request' } : { status: 401 })
      if (method === 'private_key_jwt') continue
      t.match(await thrownBy(codeFlow(served, { ...client, options }, {}, push)), { status: 401 })
    }
    t.ok(await refresh(client, tokens), 'the token is none the worse for it')
  })

  t.test(`RFC 9449 §5: ${method}, and tokens bound to a DPoP key instead`, async (t) => {
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
    const plainly = await known({ tls_client_certificate_bound_access_tokens: false })
    const client = { ...plainly, options: { ...plainly.options, DPoP } }
    const tokens = await codeFlow(served, client, {}, push)
    t.equal(tokens.token_type, 'dpop')
    t.match(await introspect(client, tokens.access_token), { active: true, cnf: { jkt: String } })
    t.match(await userInfo(client, tokens), { sub: alice.account_id })
    t.match(await thrownBy(userInfo(plainly, tokens)), { status: 401 }, 'a certificate is no proof of that key')
  })
}

t.test('FAPI 2.0 Security Profile §5.3.2: a certificate makes up for nothing else', async (t) => {
  const { registration, authentication } = WAYS.self_signed_tls_client_auth ?? {}
  const { client_id } = await webClient({ ...bound, ...registration })
  const known = await party(served, { client_id }, authentication ?? oauth.None(), showing(own))
  const { as } = known
  const parameters = { client_id, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' }
  const { url } = await visit(`${as.authorization_endpoint}?${new URLSearchParams(parameters).toString()}`)
  t.equal(url.searchParams.get('error'), 'invalid_request', 'not pushed')
  t.match(await thrownBy(push(known, parameters)), { error: 'invalid_request' }, 'without PKCE')

  const grant_types = ['client_credentials', 'authorization_code']
  const secretly = await webClient({ ...bound, client_secret: SECRET, grant_types, scope: 'openid read' })
  const with_secret = await party(served, secretly, oauth.ClientSecretBasic(SECRET), showing(own))
  t.match(await thrownBy(clientCredentials(with_secret, { scope: 'read' })), { status: 401 }, 'a secret')
  const public_client = await party(served, await webClient(bound), oauth.None(), showing(own))
  t.match(await thrownBy(codeFlow(served, public_client, {}, push)), { status: 401 }, 'no authentication')
})
