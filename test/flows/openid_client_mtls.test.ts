/** openid-client, unchanged, known by a certificate that it signed itself, over TLS of the server's own. */
import * as client from 'openid-client'
import t from 'tap'
import { certificateMaker } from '../helpers/certificates.ts'
import { serveClients, thrownBy } from '../helpers/clients.ts'
import { relyingParties } from '../helpers/openid_client.ts'
import { fetchOverTls, keySetOf, tlsSettings } from '../helpers/tls.ts'

const certificates = certificateMaker(t)
const ours = certificates.selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
const [own, other] = [certificates.selfSigned('/CN=own'), certificates.selfSigned('/CN=own')]
const served = await serveClients(t, await tlsSettings(ours), fetchOverTls(ours))

function showing(certificate: typeof own): client.CustomFetch {
  const send = fetchOverTls(ours, certificate)
  return (url, options: object) => send(url, options)
}

t.test('RFC 8705 §2.2, §3: a certificate is the credential, and what the tokens are bound to', async (t) => {
  const { register, codeFlow } = relyingParties(served, showing(own))
  const config = await register(
    {
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: keySetOf(own),
      tls_client_certificate_bound_access_tokens: true,
    },
    client.TlsClientAuth(),
  )
  const { tokens, claims } = await codeFlow({ config, build: client.buildAuthorizationUrlWithPAR })
  const sub = claims?.sub ?? ''
  t.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).sub, served.alice.account_id)
  const bound = { cnf: { 'x5t#S256': String } }
  t.match(await client.tokenIntrospection(config, tokens.access_token), { active: true, ...bound })
  t.ok((await client.refreshTokenGrant(config, tokens.refresh_token ?? '')).access_token)

  config[client.customFetch] = showing(other)
  t.match(await thrownBy(client.fetchUserInfo(config, tokens.access_token, sub)), { status: 401 })
  t.match(await thrownBy(client.refreshTokenGrant(config, tokens.refresh_token ?? '')), { status: 401 })
})
