import t from 'tap'
import { CLIENT_DEFAULTS, type ClientMetadata } from '../../server/protocol/client.ts'
import {
  type ClientCertificate,
  certificateThumbprint,
  isCertificateOf,
  namesClient,
  readSubjectAltName,
} from '../../server/protocol/client_certificate.ts'
import { normalizedName } from '../../server/protocol/distinguished_name.ts'

const DER = Buffer.from('the certificate')
const certificate: ClientCertificate = {
  x5t_s256: certificateThumbprint(DER),
  anchored: true,
  subject_dn: normalizedName('CN=client,O=Example'),
  san: {
    dns: ['client.example', '*.wild.example'],
    uri: ['urn:example:client'],
    ip: ['192.0.2.1', '2001:DB8:0:0:0:0:0:1'],
    email: ['client@example.com'],
  },
  public_key: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
}

const client = (names: Partial<ClientMetadata>): ClientMetadata => ({
  ...CLIENT_DEFAULTS,
  grant_types: [],
  token_endpoint_auth_method: 'tls_client_auth',
  scope: '',
  resources: [],
  first_party: false,
  refresh_token_profile: 'standard',
  ...names,
})

t.test('RFC 8705 §2.1.2: the one registered name is looked for among its kind', async (t) => {
  for (const names of [
    { tls_client_auth_subject_dn: 'cn=client, o=Example' },
    { tls_client_auth_san_dns: 'CLIENT.example' },
    { tls_client_auth_san_uri: 'urn:example:client' },
    { tls_client_auth_san_ip: '192.0.2.1' },
    { tls_client_auth_san_ip: '2001:db8::1' },
    { tls_client_auth_san_email: 'client@example.com' },
  ]) {
    t.ok(namesClient(certificate, client(names)), JSON.stringify(names))
  }
})

t.test('RFC 8705 §2.1.2: another name, another kind, a wildcard or no name at all are refused', async (t) => {
  for (const names of [
    {},
    { tls_client_auth_subject_dn: 'CN=client' },
    { tls_client_auth_subject_dn: 'nonsense' },
    { tls_client_auth_san_dns: 'a.wild.example' },
    { tls_client_auth_san_dns: 'client.example.evil.example' },
    { tls_client_auth_san_uri: 'client.example' },
    { tls_client_auth_san_uri: 'urn:example:CLIENT' },
    { tls_client_auth_san_ip: '192.0.2.10' },
    { tls_client_auth_san_email: 'Client@example.com' },
  ]) {
    t.notOk(namesClient(certificate, client(names)), JSON.stringify(names))
  }
  const nameless = { ...certificate, subject_dn: undefined }
  t.notOk(namesClient(nameless, client({ tls_client_auth_subject_dn: 'nonsense' })), 'no name is no match for none')
})

t.test('RFC 8705 §2.2.2: a registered key stands for the certificate by x5c, else by being its key', async (t) => {
  const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }
  t.ok(isCertificateOf(certificate, { ...key, kid: 'any' }))
  t.ok(isCertificateOf(certificate, { ...key, x5c: [DER.toString('base64')] }))
  t.notOk(isCertificateOf(certificate, { ...key, x5c: [Buffer.from('another').toString('base64')] }))
  t.notOk(isCertificateOf(certificate, { ...key, y: 'z' }))
  t.notOk(isCertificateOf(certificate, { ...key, crv: 'P-384' }))
  t.notOk(isCertificateOf({ ...certificate, public_key: { kty: '' } }, { kty: '' }), 'a key of no known kind is none')
})

t.test('RFC 5280 §4.2.1.6: the names are read as Node.js writes them', async (t) => {
  t.same(readSubjectAltName('DNS:a.example, URI:https://a/b, IP Address:192.0.2.1, email:x@y.z, DNS:b.example'), {
    dns: ['a.example', 'b.example'],
    uri: ['https://a/b'],
    ip: ['192.0.2.1'],
    email: ['x@y.z'],
  })
  t.same(readSubjectAltName('URI:"urn:a\\u002c DNS:evil.example", DirName:"CN\\u003dx", DNS:a.example'), {
    dns: ['a.example'],
    uri: ['urn:a, DNS:evil.example'],
    ip: [],
    email: [],
  })
  const none = { dns: [], uri: [], ip: [], email: [] }
  t.same(readSubjectAltName(undefined), none)
  for (const text of ['nonsense', 'DNS:a.example, nonsense', 'DNS:"a']) t.same(readSubjectAltName(text), none, text)
})
