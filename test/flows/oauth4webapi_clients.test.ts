/** oauth4webapi, unchanged, with every client authentication method, over TLS of the server's own. */
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { certificateMaker } from '../helpers/certificates.ts'
import { clientKey } from '../helpers/client_keys.ts'
import { type Registration, SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import {
  clientCredentials,
  codeFlow,
  introspect,
  party,
  push,
  refresh,
  revoke,
  through,
  userInfo,
} from '../helpers/oauth4webapi.ts'
import { fetchOverTls, keySetOf, tlsSettings } from '../helpers/tls.ts'

const certificates = certificateMaker(t)
const authority = certificates.selfSigned('/CN=Authority', ['keyUsage=critical,keyCertSign'])
const ours = certificates.selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
const issued = certificates.issued(authority, '/O=Example/CN=client', ['subjectAltName=DNS:client.example'])
const own = certificates.selfSigned('/CN=anything')
const stranger = certificates.selfSigned('/O=Example/CN=client')
const key = await clientKey('ES256')

const plain = fetchOverTls(ours)
const served = await serveClients(t, await tlsSettings(ours, authority), plain)
const { alice, webClient } = served

interface Way {
  readonly registration: Registration
  readonly authentication: oauth.ClientAuth
  readonly wrong?: oauth.ClientAuth
  readonly send?: typeof fetch
  /** With another certificate. */
  readonly wrong_send?: typeof fetch
}

const bound = { tls_client_certificate_bound_access_tokens: true }
const WAYS: Readonly<Record<string, Way>> = {
  none: { registration: {}, authentication: oauth.None() },
  client_secret_basic: {
    registration: { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic' },
    authentication: oauth.ClientSecretBasic(SECRET),
    wrong: oauth.ClientSecretBasic('wrong'),
  },
  client_secret_post: {
    registration: { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' },
    authentication: oauth.ClientSecretPost(SECRET),
    wrong: oauth.ClientSecretPost('wrong'),
  },
  private_key_jwt: {
    registration: signedBy(key),
    authentication: oauth.PrivateKeyJwt(key.private_key),
    wrong: oauth.PrivateKeyJwt((await clientKey('ES256')).private_key),
  },
  tls_client_auth: {
    registration: {
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'client.example',
      ...bound,
    },
    authentication: oauth.TlsClientAuth(),
    send: fetchOverTls(ours, issued),
    wrong_send: fetchOverTls(ours, stranger),
  },
  self_signed_tls_client_auth: {
    registration: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: keySetOf(own), ...bound },
    authentication: oauth.TlsClientAuth(),
    send: fetchOverTls(ours, own),
    wrong_send: fetchOverTls(ours, stranger),
  },
}

/** RFC 6749 §5.2, in the body or beside a challenge. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof oauth.ResponseBodyError) return error.error
  return error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401 ? 'invalid_client' : undefined
}

for (const [method, way] of Object.entries(WAYS)) {
  const { registration, authentication, wrong = authentication, send = plain, wrong_send = plain } = way
  const isPublic = method === 'none'
  const hasCertificate = way.send !== undefined

  t.test(`${method}: code flow, UserInfo, refresh, introspection, revocation`, async (t) => {
    const registered = await webClient(registration)
    const known = await party(served, registered, authentication, through(send))
    const tokens = await codeFlow(served, known)
    const sub = oauth.getValidatedIdTokenClaims(tokens)?.sub
    t.match(oauth.getValidatedIdTokenClaims(tokens), { sub: alice.account_id, at_hash: String })
    t.match(await userInfo(known, tokens), { sub, email: 'alice@example.com' })
    const refreshed = await refresh(known, tokens)
    if (!isPublic) {
      const cnf = hasCertificate ? { cnf: { 'x5t#S256': String } } : {}
      t.match(await introspect(known, refreshed.access_token), { active: true, sub, ...cnf })
    }
    if (hasCertificate) {
      const elsewhere = { ...known, options: through(wrong_send) }
      t.match(await thrownBy(userInfo(elsewhere, tokens)), { status: 401 }, 'RFC 8705 §3: bound to the certificate')
    }
    await revoke(known, refreshed.refresh_token ?? '')
    t.match(await thrownBy(refresh(known, refreshed)), { error: 'invalid_grant' })
  })

  t.test(`${method}: a service of its own right, and who only says that it is one`, async (t) => {
    const grant_types = ['client_credentials', 'authorization_code']
    const registered = await webClient({ ...registration, grant_types, scope: 'openid read', response_types: ['code'] })
    const known = await party(served, registered, authentication, through(send))
    const work = clientCredentials(known, { scope: 'read' })
    if (isPublic) {
      t.match(await thrownBy(work), { error: 'unauthorized_client' })
      return
    }
    t.match(await work, { token_type: 'bearer', scope: 'read' })
    const nobody = { ...known, authentication: wrong, options: through(wrong_send) }
    const attempts = [
      () => clientCredentials(nobody),
      () => codeFlow(served, nobody),
      () => codeFlow(served, nobody, {}, push),
    ]
    for (const attempt of attempts) t.equal(codeOf(await thrownBy(attempt())), 'invalid_client')
  })
}
