import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { OutboundError } from '../../server/outbound/outbound.ts'
import type { RemoteKeys } from '../../server/outbound/remote_keys.ts'
import type { Client, ClientJwk } from '../../server/protocol/client.ts'
import { CLIENT_DEFAULTS, MADE_BY_ADMIN } from '../../server/protocol/client.ts'
import { CLIENT_SIGNING_ALGORITHMS } from '../../server/protocol/client_jwt.ts'
import { ClientJwtError, verifyClientJwt } from '../../server/tokens/client_jwt.ts'
import { ClientKeyError, clientEncryptionKey } from '../../server/tokens/client_keys.ts'
import { assertion, clientKey } from '../helpers/client_keys.ts'

const NOW = 1_800_000_000
const ABOUT = { client_id: 'service', audience: 'https://login.example', now: NOW }
const RULES = {
  issuer: 'service',
  audience: [ABOUT.audience],
  algorithms: CLIENT_SIGNING_ALGORITHMS,
  typ: [''],
  required_claims: ['exp'],
}

const client = (registered: { jwks?: { keys: ClientJwk[] }; jwks_uri?: string }): Client => ({
  ...CLIENT_DEFAULTS,
  ...MADE_BY_ADMIN,
  client_id: 'service',
  client_secret_digest: null,
  grant_types: [],
  token_endpoint_auth_method: 'private_key_jwt',
  scope: '',
  resources: [],
  first_party: false,
  refresh_token_profile: 'standard',
  disabled_at: null,
  created_at: NOW,
  updated_at: NOW,
  ...registered,
})

const published = (keys: ClientJwk[] | Error): RemoteKeys => {
  const find: RemoteKeys['find'] = async (_uri, find) => {
    if (keys instanceof Error) throw keys
    return find(keys)
  }
  return { find, findOfIssuer: find }
}
const deps = (keys: ClientJwk[] | Error = []) => ({ clock: { now: () => NOW }, remoteKeys: published(keys) })
const refuses = (t: Test, promise: Promise<unknown>, message: RegExp, title = 'refused') =>
  t.rejects(promise, { name: 'ClientJwtError', message }, title)

const key = await clientKey()
const another = await clientKey()

t.test('RFC 7515 §5.2: a registered key verifies, by value or by reference, with every algorithm', async (t) => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']) {
    const made = await clientKey(alg)
    const jwt = await assertion(made, ABOUT)
    const by_value = client({ jwks: { keys: [another.public_jwk, made.public_jwk] } })
    t.match(await verifyClientJwt(deps(), by_value, jwt, RULES), { iss: 'service' }, alg)
    const by_reference = client({ jwks_uri: 'https://client.example/jwks' })
    t.match(await verifyClientJwt(deps([made.public_jwk]), by_reference, jwt, RULES), { iss: 'service' }, alg)
  }
})

t.test('RFC 7515 §5.2: another key, or an altered text, does not', async (t) => {
  const registered = client({ jwks: { keys: [key.public_jwk] } })
  await refuses(
    t,
    verifyClientJwt(deps(), registered, await assertion(another, ABOUT), RULES),
    /none of the registered/,
  )
  const same_kid = await assertion(another, ABOUT, {}, { kid: key.jkt })
  await refuses(t, verifyClientJwt(deps(), registered, same_kid, RULES), /signature/)
  const [header, , signature] = (await assertion(key, ABOUT)).split('.')
  const claims = Buffer.from(JSON.stringify({ iss: 'service', aud: ABOUT.audience, exp: NOW + 60 })).toString(
    'base64url',
  )
  await refuses(t, verifyClientJwt(deps(), registered, `${header}.${claims}.${signature}`, RULES), /signature/)
})

t.test('RFC 8725 §3.10: a key that the JWT brings along, or points at, counts for nothing', async (t) => {
  const registered = client({ jwks: { keys: [key.public_jwk] } })
  for (const header of [
    { jwk: another.public_jwk },
    { jku: 'https://evil.example' },
    { x5u: 'https://evil.example' },
  ]) {
    for (const kid of [undefined, key.jkt, another.jkt]) {
      const jwt = await assertion(another, ABOUT, {}, { ...header, kid })
      await t.rejects(verifyClientJwt(deps(), registered, jwt, RULES), ClientJwtError, JSON.stringify(header))
    }
  }
})

t.test('OpenID Connect Core §10.1: without a kid, exactly one key has to fit', async (t) => {
  const jwt = await assertion(key, ABOUT, {}, { kid: undefined })
  const only = client({ jwks: { keys: [key.public_jwk, (await clientKey('RS256')).public_jwk] } })
  t.match(await verifyClientJwt(deps(), only, jwt, RULES), { iss: 'service' })
  const several = client({ jwks: { keys: [key.public_jwk, another.public_jwk] } })
  await refuses(t, verifyClientJwt(deps(), several, jwt, RULES), /several keys/)
})

t.test('RFC 7517 §4.2, §4.4: a key is for what it says', async (t) => {
  const jwt = await assertion(key, ABOUT)
  for (const said of [{ use: 'enc' }, { alg: 'ES384' }, { kty: 'RSA' }, { crv: 'P-384' }]) {
    const registered = client({ jwks: { keys: [{ ...key.public_jwk, ...said }] } })
    await refuses(t, verifyClientJwt(deps(), registered, jwt, RULES), /none of the registered/, JSON.stringify(said))
  }
  const registered = client({ jwks: { keys: [{ ...key.public_jwk, use: 'sig', alg: 'ES256' }] } })
  t.ok(await verifyClientJwt(deps(), registered, jwt, RULES))
})

t.test('a key that cannot be used is a refusal, not a fault', async (t) => {
  const jwt = await assertion(key, ABOUT)
  const broken = client({ jwks: { keys: [{ ...key.public_jwk, x: 'AAAA' }] } })
  await refuses(t, verifyClientJwt(deps(), broken, jwt, RULES), /signature/)
  // RFC 7518 §3.3: a key of size 2048 bits or larger MUST be used.
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const weak = { ...publicKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'weak' }
  const by_rsa = await assertion(await clientKey('RS256'), ABOUT, {}, { kid: 'weak' })
  await refuses(t, verifyClientJwt(deps(), client({ jwks: { keys: [weak] } }), by_rsa, RULES), /signature/)
})

t.test('a jwks_uri that does not answer is a refusal that says so', async (t) => {
  const registered = client({ jwks_uri: 'https://client.example/jwks' })
  const down = deps(new OutboundError('answered with 500'))
  await refuses(t, verifyClientJwt(down, registered, await assertion(key, ABOUT), RULES), /jwks_uri: answered with 500/)
  await refuses(t, verifyClientJwt(deps(), client({}), await assertion(key, ABOUT), RULES), /no keys registered/)
})

t.test('RFC 7518 §4.1: what is encrypted to a client goes to a key for that', async (t) => {
  const rsa = (await clientKey('RS256')).public_jwk
  const for_encryption = { ...rsa, kid: 'enc', use: 'enc' }
  const registered = client({ jwks: { keys: [{ ...rsa, use: 'sig' }, key.public_jwk, for_encryption] } })
  t.match(await clientEncryptionKey(deps(), registered, 'RSA-OAEP-256'), { kid: 'enc', key: { kty: 'RSA' } })
  t.match(await clientEncryptionKey(deps(), registered, 'ECDH-ES'), { kid: key.jkt, key: { kty: 'EC' } })
  const signing = client({ jwks: { keys: [{ ...rsa, use: 'sig' }] } })
  await t.rejects(clientEncryptionKey(deps(), signing, 'RSA-OAEP-256'), ClientKeyError)
})
