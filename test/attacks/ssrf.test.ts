import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createOutbound } from '../../server/outbound/outbound.ts'
import { JWT_BEARER_GRANT } from '../../server/protocol/jwt_bearer.ts'
import { createLogoutDeliveries } from '../../server/tokens/logout_deliveries.ts'
import { buildTestApp, NOW } from '../helpers/app.ts'
import { assertion, clientKey, signAs } from '../helpers/client_keys.ts'
import { seedSession, seedSessionClient } from '../helpers/session.ts'
import { authorizationUrl, WEB_CLIENT } from '../helpers/web_client.ts'

/** RFC 9700 §4.16: every address that somebody else chooses and this server fetches, and what must not come of it. */

let asked: string[] = []
const secretService: RequestListener = (request, response) => {
  asked.push(`${request.method} ${request.url}`)
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}')
}
const inside = createServer(secretService)
// A connection alone tells a port scanner what it wants to know.
inside.on('connection', () => asked.push('connected'))
await new Promise<void>((done) => inside.listen(0, '127.0.0.1', done))
t.teardown(() => new Promise((done) => inside.close(done).closeAllConnections()))
const { port } = inside.address() as AddressInfo

/** Names that lead inside. The others of `evil.example` do not resolve. */
const NAMES: Readonly<Record<string, string[]>> = {
  'loopback.evil.example': ['127.0.0.1'],
  'six.evil.example': ['::1'],
  'mapped.evil.example': ['::ffff:127.0.0.1'],
  'private.evil.example': ['10.0.0.1'],
  'metadata.evil.example': ['169.254.169.254'],
  'both.evil.example': ['93.184.216.34', '127.0.0.1'],
  'nat64.evil.example': ['64:ff9b::7f00:1'],
}
const resolved: string[] = []
const limits = { allow: [], timeout_seconds: 1, max_bytes: 1024 }
const outbound = createOutbound(limits, async (hostname) => {
  resolved.push(hostname)
  return NAMES[hostname] ?? []
})

const hosts = [
  ...Object.keys(NAMES),
  '127.0.0.1',
  '127.1',
  '0x7f000001',
  '2130706433',
  '017700000001',
  '127.0.0.1.',
  '0',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[fe80::1]',
  '[fc00::1]',
  '[2002:7f00:1::]',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '168.63.129.16',
  '224.0.0.1',
  '255.255.255.255',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'gatehouse.localhost',
  '\u2460\u2461\u2466.0.0.1',
  '127\u30020\u30020\u30021',
]
const paths = (host: string) => [`https://${host}:${port}/x`, `http://${host}:${port}/x`, `https://${host}/x`]
const addresses = [
  ...hosts.flatMap(paths),
  `https://public.example@127.0.0.1:${port}/x`,
  `https://127.0.0.1:${port}#public.example`,
  'file:///etc/passwd',
  'gopher://127.0.0.1/x',
  'data:application/json,{"keys":[]}',
  'ftp://127.0.0.1/x',
  'unix:/run/x.sock',
  '//127.0.0.1/x',
  'x',
  '',
  'https://',
  'https://[::1',
]

const VOUCHER = 'https://voucher.example'
const server = await buildTestApp(t, {
  config: {
    http: { max_event_loop_delay_milliseconds: 0 },
    outbound: limits,
    throttle: { client_failures_per_minute: 100_000, address_attempts_per_minute: 100_000 },
    registration: {
      mode: 'open',
      metadata_documents: true,
      max_per_address_per_hour: 100_000,
      max_per_hour: 100_000,
      software_statement_issuers: [VOUCHER],
    },
    jwt_bearer: { issuers: [VOUCHER], subject: 'username' },
  },
  outbound,
})
const alice = await server.createAccount()
const key = await clientKey()
const register = (more: object) => server.postJson('/register', { redirect_uris: ['https://a.example/cb'], ...more })
let made = 0

/** Makes the server fetch an address, past whatever looks at it at registration. @returns what was answered */
const fetches: Readonly<Record<string, (address: string) => Promise<{ statusCode: number; body: string }>>> = {
  'jwks_uri, at registration': (jwks_uri) => register({ jwks_uri, token_endpoint_auth_method: 'private_key_jwt' }),
  'jwks_uri, at authentication': async (jwks_uri) => {
    const client_id = `keys-${made++}`
    await server.createClient({ client_id, jwks_uri, token_endpoint_auth_method: 'private_key_jwt' })
    return server.postForm('/token', {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(key, { client_id, audience: server.issuer, now: NOW }),
    })
  },
  'jwks_uri, for a request object': async (jwks_uri) => {
    const client = await server.createClient({ ...WEB_CLIENT, client_id: `request-${made++}`, jwks_uri })
    const { client_id } = client
    const claims = { iss: client_id, client_id, aud: server.issuer, response_type: 'code' }
    return server.postForm('/par', { client_id, request: await signAs(key, claims) })
  },
  sector_identifier_uri: (sector_identifier_uri) => register({ sector_identifier_uri, subject_type: 'pairwise' }),
  request_uri: async (request_uri) => {
    const client = await server.createClient({ ...WEB_CLIENT, client_id: `uri-${made++}` })
    return server.inject({ url: authorizationUrl(server, client, { request_uri }).url })
  },
  'metadata document, at authorize': (client_id) =>
    server.inject({ url: authorizationUrl(server, { ...WEB_CLIENT, client_id }).url }),
  'metadata document, at token': (client_id) =>
    server.postForm('/token', { grant_type: 'authorization_code', code: 'x', client_id }),
  'backchannel_logout_uri, at registration': (backchannel_logout_uri) => register({ backchannel_logout_uri }),
  'links of a registration': (uri) => register({ logo_uri: uri, client_uri: uri, policy_uri: uri, tos_uri: uri }),
  'jku and x5u of a software statement': async (jku) =>
    register({ software_statement: await signAs(key, { iss: VOUCHER }, { jku, x5u: jku }) }),
  'the issuer of a software statement': async (iss) =>
    register({ software_statement: await signAs(key, { iss, exp: NOW + 60 }) }),
  'the issuer of an assertion': async (iss) => {
    const client_id = `agent-${made++}`
    await server.createClient({
      client_id,
      jwks: { keys: [key.public_jwk] },
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: [JWT_BEARER_GRANT],
    })
    const about = { client_id, audience: server.issuer, now: NOW }
    return server.postForm('/token', {
      grant_type: JWT_BEARER_GRANT,
      assertion: await assertion(key, about, { iss, sub: 'alice' }),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(key, about),
    })
  },
}

for (const [name, fetch] of Object.entries(fetches)) {
  t.test(`${name}: nothing inside is asked, and nobody learns what is there`, async (t) => {
    asked = []
    server.logged.length = 0
    const refusals = new Set<string>()
    for (const address of addresses) {
      const { statusCode, body } = await fetch(address)
      // Links are shown to people, never fetched: an https one may lead anywhere.
      if (name.startsWith('links')) continue
      if (statusCode >= 500) t.fail(`${address}: ${statusCode} ${body}`)
      refusals.add(`${statusCode} ${body.replaceAll(/<code>[^<]*<\/code>/g, '')}`)
      t.notMatch(body, /ECONNREFUSED|refused|EHOST|ENOTFOUND|timed? ?out|certificate|TLS/, address)
    }
    t.same(asked, [])
    if (name.startsWith('jwks_uri, at auth')) t.equal(refusals.size, 1, [...refusals].join('\n'))
  })
}

t.test('names were looked up, and that was all', async (t) => {
  t.same(
    Object.keys(NAMES).filter((name) => !resolved.includes(name)),
    [],
  )
})

t.test('RFC 9700 §4.16: a back-channel logout reaches nobody inside either', async (t) => {
  asked = []
  const deps = { ...server.deps, outbound }
  for (const [index, backchannel_logout_uri] of addresses.entries()) {
    const client_id = `out-${index}`
    await server.createClient({ ...WEB_CLIENT, client_id, backchannel_logout_uri })
    const { session } = await seedSession(deps, { account_id: alice.account_id })
    await seedSessionClient(deps, session, client_id)
    await deps.store.endSession(session.session_id, 'signed_out', server.clock.now(), [])
  }
  const deliveries = createLogoutDeliveries(deps)
  await deliveries.run()
  await deliveries.finish()
  const { items } = await deps.store.listLogoutDeliveries({}, { limit: 100, cursor: null })
  t.equal(items.filter(({ attempts }) => attempts === 1).length, Math.min(addresses.length, 100))
  t.same(
    items.filter(({ delivered_at }) => delivered_at !== null),
    [],
  )
  t.same(asked, [])
})

t.test('an address that answers slowly, endlessly or elsewhere costs its time and no more', async (t) => {
  const bad: Readonly<Record<string, RequestListener>> = {
    never: () => undefined,
    slowly: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const drip = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(drip))
    },
    endlessly: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(`{"keys":[${'{"kty":"EC"},'.repeat(10_000)}{}]}`)
    },
    elsewhere: (_, response) => void response.writeHead(302, { location: `http://127.0.0.1:${port}/x` }).end(),
  }
  asked = []
  for (const [how, listener] of Object.entries(bad)) await t.test(how, (t) => costsNoMore(t, listener))
  t.same(asked, [])
})

async function costsNoMore(t: Test, listener: RequestListener): Promise<void> {
  const there = createServer(listener)
  await new Promise<void>((done) => there.listen(0, '127.0.0.1', done))
  t.teardown(() => new Promise((done) => there.close(done).closeAllConnections()))
  const host = `127.0.0.1:${(there.address() as AddressInfo).port}`
  const allowing = createOutbound({ ...limits, allow: [host] })
  const started = performance.now()
  await t.rejects(allowing.getJson(`http://${host}/keys`), { name: 'OutboundError' })
  t.ok(performance.now() - started < 2500, 'no longer than outbound.timeout_seconds')
}
