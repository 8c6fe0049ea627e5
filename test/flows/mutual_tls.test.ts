import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { certificateThumbprint } from '../../server/protocol/client_certificate.ts'
import { buildTestApp, claimsOf } from '../helpers/app.ts'
import { certificateMaker, type TestCertificate } from '../helpers/certificates.ts'

const FORM = { grant_type: 'client_credentials', client_id: 'service' }
const certificates = certificateMaker(t)
const authority = certificates.selfSigned('/CN=Authority', ['keyUsage=critical,keyCertSign'])
const stranger = certificates.selfSigned('/CN=Authority', ['keyUsage=critical,keyCertSign'])
const ours = certificates.selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
const client = certificates.issued(authority, '/C=US/O=Example, Inc./CN=client', ['subjectAltName=DNS:client.example'])
// Without the identifier of its authority's key, only the signature tells the two authorities apart.
const forged = certificates.issued(stranger, '/C=US/O=Example, Inc./CN=client', ['authorityKeyIdentifier=none'])
const CLIENT_DN = 'CN=client,O=Example\\, Inc.,C=US'

// The fixed clock of the tests is not the one that the certificates were made by.
const clock_now = Math.floor(client.x509.validFromDate.getTime() / 1000) + 60

// Making certificates keeps this process from answering.
const UNHURRIED = { max_event_loop_delay_milliseconds: 0 }

const bindings = { tls_client_certificate_bound_access_tokens: true }
const by_authority: Partial<Client> = {
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: CLIENT_DN,
  ...bindings,
}

function jwkOf({ x509 }: TestCertificate) {
  return { ...x509.publicKey.export({ format: 'jwk' }), kty: 'EC' }
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of a JSON answer
  readonly json: any
}

/** This server on a socket with TLS of its own. */
async function withTls(t: Test, changes: Partial<Client>) {
  const http = {
    tls_certificate_file: ours.certificate_file,
    tls_key_file: ours.key_file,
    client_ca_file: authority.certificate_file,
    ...UNHURRIED,
  }
  const server = await buildTestApp(t, { config: { http } })
  server.clock.advance(clock_now - server.clock.now())
  await server.createClient({ token_endpoint_auth_method: 'none', ...changes })
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.app.server.address() as AddressInfo
  const call = (path: string, options: { shown?: TestCertificate; form?: object; token?: string }) =>
    new Promise<Answer>((resolve, reject) => {
      const { shown, form, token } = options
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port,
          path,
          servername: 'localhost',
          ca: ours.certificate,
          agent: false,
          method: form === undefined ? 'GET' : 'POST',
          headers: {
            ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          ...(shown === undefined ? {} : { cert: shown.certificate, key: shown.key }),
        },
        (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (chunk: string) => {
            body += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(body) }))
        },
      )
      request.on('error', reject)
      request.end(form === undefined ? undefined : new URLSearchParams({ ...form }).toString())
    })
  return {
    server,
    call,
    ask: (shown?: TestCertificate) => call('/token', shown === undefined ? { form: FORM } : { shown, form: FORM }),
  }
}

/** This server behind a proxy on this machine, which hands certificates on. */
async function behindProxy(t: Test, changes: Partial<Client>, trust_proxy = ['127.0.0.0/8']) {
  const http = {
    trust_proxy,
    client_certificate_header: 'client-cert',
    client_ca_file: authority.certificate_file,
    ...UNHURRIED,
  }
  const server = await buildTestApp(t, { config: { http } })
  server.clock.advance(clock_now - server.clock.now())
  await server.createClient({ token_endpoint_auth_method: 'none', ...changes })
  const ask = (header: string | undefined) =>
    server.postForm('/token', FORM, header === undefined ? {} : { 'client-cert': header })
  return { server, ask }
}

const rfc9440 = ({ x509 }: TestCertificate) => `:${x509.raw.toString('base64')}:`
const escaped = ({ certificate }: TestCertificate) => encodeURIComponent(certificate)

t.test(
  'RFC 8705 §2.1, §3: a certificate of our authority with the registered name lets in, and binds the token',
  async (t) => {
    const { ask } = await withTls(t, by_authority)
    const { status, json } = await ask(client)
    t.equal(status, 200)
    t.equal(json.token_type, 'Bearer')
    t.same(claimsOf(json.access_token).cnf, { 'x5t#S256': certificateThumbprint(client.x509.raw) })
  },
)

t.test(
  'RFC 8705 §2.1: no certificate, another authority, another name, another purpose: the same refusal',
  async (t) => {
    const { ask } = await withTls(t, by_authority)
    const shown: [string, TestCertificate | undefined][] = [
      ['none', undefined],
      ['of an authority of the same name', forged],
      ['signed by itself', certificates.selfSigned('/C=US/O=Example, Inc./CN=client')],
      ['with another name', certificates.issued(authority, '/C=US/O=Example, Inc./CN=another')],
      ['issued by a client', certificates.issued(client, '/C=US/O=Example, Inc./CN=client')],
      [
        'for servers',
        certificates.issued(authority, '/C=US/O=Example, Inc./CN=client', ['extendedKeyUsage=serverAuth']),
      ],
    ]
    for (const [title, certificate] of shown) {
      const { status, json } = await ask(certificate)
      t.equal(status, 401, title)
      t.same(json, { error: 'invalid_client', error_description: 'client authentication failed' }, title)
    }
  },
)

t.test('RFC 8705 §2.1: a certificate counts from its first day to its last', async (t) => {
  const { server, ask } = await withTls(t, by_authority)
  server.clock.advance(-86_400)
  t.equal((await ask(client)).status, 401, 'not yet')
  server.clock.advance(86_400)
  t.equal((await ask(client)).status, 200)
  server.clock.advance(8 * 86_400)
  t.equal((await ask(client)).status, 401, 'no longer')
})

t.test('RFC 8705 §2.2: a self-signed certificate lets in when its key is registered', async (t) => {
  const own = certificates.selfSigned('/CN=anything')
  const method = { token_endpoint_auth_method: 'self_signed_tls_client_auth' } as const
  const { server, call } = await withTls(t, { ...method, ...bindings, jwks: { keys: [jwkOf(own)] } })
  const x5c = [own.x509.raw.toString('base64')]
  await server.createClient({ client_id: 'by_x5c', ...method, jwks: { keys: [{ ...jwkOf(own), x5c }] } })
  await server.createClient({ client_id: 'no_keys', ...method })
  const status = async (client_id: string, shown: TestCertificate) =>
    (await call('/token', { shown, form: { ...FORM, client_id } })).status
  t.equal(await status('service', own), 200)
  t.equal(await status('by_x5c', own), 200)
  t.equal(await status('service', client), 401, 'of our authority, and not registered')
  t.equal(await status('by_x5c', client), 401)
  t.equal(await status('no_keys', own), 401)
})

t.test(
  'RFC 8705 §3.4: who is registered for bound tokens gets none without a certificate, public or not',
  async (t) => {
    const { call } = await withTls(t, bindings)
    const form = { ...FORM, grant_type: 'refresh_token', refresh_token: 'x' }
    t.match((await call('/token', { form })).json, { error: 'invalid_request', error_description: /certificate/ })
    t.match((await call('/token', { form, shown: client })).json, { error: 'invalid_grant' })
  },
)

t.test('RFC 8705 §3: a bound token is good with its certificate only', async (t) => {
  const scope = 'gatehouse:read'
  const { server, call } = await withTls(t, { ...by_authority, scope, resources: [] })
  const form = { ...FORM, resource: `${server.issuer}/admin/api` }
  const { json } = await call('/token', { shown: client, form })
  const token = json.access_token
  t.equal((await call('/admin/api/clients', { shown: client, token })).status, 200)
  t.equal((await call('/admin/api/clients', { token })).status, 401, 'without it')
  t.equal((await call('/admin/api/clients', { shown: ours, token })).status, 401, 'with another')
})

t.test("RFC 9440 §2: a trusted proxy's header is as good as the connection, in both spellings", async (t) => {
  const { ask } = await behindProxy(t, by_authority)
  for (const header of [rfc9440(client), escaped(client)]) {
    const answer = await ask(header)
    t.equal(answer.statusCode, 200)
    t.match(claimsOf(answer.json().access_token).cnf, { 'x5t#S256': certificateThumbprint(client.x509.raw) })
  }
  const servers = certificates.issued(authority, '/C=US/O=Example, Inc./CN=client', ['extendedKeyUsage=serverAuth'])
  for (const certificate of [forged, servers, certificates.issued(client, '/C=US/O=Example, Inc./CN=client')]) {
    t.equal((await ask(rfc9440(certificate))).statusCode, 401)
  }
})

t.test('RFC 9440 §4: from anybody else the header is nothing', async (t) => {
  const { ask } = await behindProxy(t, by_authority, ['192.0.2.1', '2001:db8::/32'])
  t.equal((await ask(rfc9440(client))).statusCode, 401)
})

t.test('RFC 9440 §2.1: a header that holds no certificate is none', async (t) => {
  const { ask } = await behindProxy(t, by_authority)
  const key_only = encodeURIComponent(client.key)
  for (const header of [undefined, '', 'nonsense', ':AAAA:', '%', key_only, `${rfc9440(client)}, ${rfc9440(client)}`]) {
    t.equal((await ask(header)).statusCode, 401, header?.slice(0, 40) ?? 'none')
  }
})

t.test('RFC 8705 §3.3: discovery offers what the configuration makes possible', async (t) => {
  const { server } = await behindProxy(t, {})
  const metadata = async (of: typeof server) =>
    (await of.inject({ url: '/.well-known/oauth-authorization-server' })).json()
  const offered = await metadata(server)
  t.equal(offered.tls_client_certificate_bound_access_tokens, true)
  t.match(offered.token_endpoint_auth_methods_supported, /tls_client_auth,self_signed_tls_client_auth/)
  const plain = await metadata(await buildTestApp(t))
  t.equal(plain.tls_client_certificate_bound_access_tokens, false)
  t.notMatch(String(plain.token_endpoint_auth_methods_supported), /tls/)
})
