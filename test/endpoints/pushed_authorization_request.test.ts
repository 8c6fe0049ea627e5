import { calculateJwkThumbprint, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { basic, buildTestApp, NOW } from '../helpers/app.ts'
import { createBrowser, signInThroughPages, WEB_CLIENT } from '../helpers/web_client.ts'

const SECRET = 'a client secret of some length'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const server = await buildTestApp(t)
const { issuer } = server
await server.createAccount()
const client = await server.createClient({
  ...WEB_CLIENT,
  client_secret: SECRET,
  require_pushed_authorization_requests: true,
})
await server.createClient({ ...WEB_CLIENT, client_id: 'other', client_secret: SECRET })

const request = {
  response_type: 'code',
  redirect_uri: 'https://app.example/callback',
  scope: 'openid',
  state: 'pushed',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
}
const authorize = (parameters: Record<string, string>) => `/authorize?${new URLSearchParams(parameters).toString()}`

const push = (changes: Record<string, string> = {}, headers: Record<string, string> = basic('web', SECRET)) =>
  server.postForm('/par', { ...request, ...changes }, headers)

async function pushed(changes: Record<string, string> = {}): Promise<string> {
  const response = await push(changes)
  if (response.statusCode !== 201) throw new Error(response.body)
  return response.json().request_uri
}

t.test('RFC 9126 §2.2: a push is answered with a name and its lifetime', async (t) => {
  const response = await push()
  t.equal(response.statusCode, 201)
  t.equal(response.headers['cache-control'], 'no-store')
  t.match(response.json(), { request_uri: /^urn:ietf:params:oauth:request_uri:gth_[\w-]{43}$/, expires_in: 60 })
  t.not((await push()).json().request_uri, response.json().request_uri)
})

t.test('RFC 9126 §4: the name stands for the request, and nothing beside it counts', async (t) => {
  const url = authorize({ client_id: 'web', request_uri: await pushed(), state: 'beside', scope: 'email' })
  const landing = await signInThroughPages(createBrowser(server), url)
  t.match(Object.fromEntries(landing.url.searchParams), { code: /^gth_ac_/, state: 'pushed', iss: issuer })
})

t.test('RFC 9126 §4: it is good once, for its client, and for a minute', async (t) => {
  const ask = async (request_uri: string, client_id = 'web') => {
    const response = await server.inject({ url: authorize({ client_id, request_uri }) })
    return response.statusCode === 303 ? 'taken' : /<dd>([^<]*)/.exec(response.body)?.[1]
  }
  const request_uri = await pushed()
  const GONE = 'the request_uri is unknown, expired or used'
  t.equal(await ask(request_uri, 'other'), GONE, 'of another client, which does not use it up')
  t.equal(await ask(request_uri), 'taken')
  t.equal(await ask(request_uri), GONE)
  t.equal(await ask(`${request_uri}x`), GONE)
  const late = await pushed()
  server.clock.advance(60)
  t.equal(await ask(late), GONE)
  const missing = await server.inject({ url: authorize({ request_uri: await pushed() }) })
  t.match(missing.body, 'client_id is missing')
})

t.test('RFC 9126 §6: who has to push is refused without', async (t) => {
  const response = await server.inject({ url: authorize({ client_id: client.client_id, ...request }) })
  t.equal(new URL(String(response.headers.location)).searchParams.get('error'), 'invalid_request')
})

t.test('RFC 9126 §2.1: the client authenticates', async (t) => {
  t.match((await push({}, {})).json(), { error: 'invalid_client' })
  t.match((await push({}, basic('web', 'wrong'))).json(), { error: 'invalid_client' })
  t.equal((await push({ client_id: 'web', client_secret: SECRET }, {})).statusCode, 201)
  t.not((await push({ client_id: 'other' })).statusCode, 201, 'one client_id')
})

t.test('what the client has authenticated with is not kept', async (t) => {
  const { request_uri } = (await push({ client_id: 'web', client_secret: SECRET, colour: 'red' }, {})).json()
  const digest = server.deps.vault.digest('request_uri', request_uri)
  const kept = await server.deps.store.claimPushedRequest(digest, 'web', server.clock.now())
  t.strictSame(Object.fromEntries(kept?.parameters ?? []), request)
})

t.test('RFC 9126 §2.3: everything is checked when it is pushed', async (t) => {
  for (const [changes, error] of [
    [{ request_uri: 'urn:ietf:params:oauth:request_uri:gth_x' }, 'invalid_request'],
    [{ redirect_uri: 'https://evil.example' }, 'invalid_request'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_type: '' }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ scope: 'write' }, 'invalid_scope'],
    [{ resource: 'https://unknown.example' }, 'invalid_target'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ request: 'x' }, 'invalid_request_object'],
  ] as const) {
    const response = await push(changes)
    t.equal(response.statusCode, 400, JSON.stringify(changes))
    t.match(response.json(), { error })
  }
  const get = await server.inject({ url: '/par' })
  t.equal(get.statusCode, 405)
})

t.test('RFC 9449 §10.1: a DPoP proof binds the code, as dpop_jkt does', async (t) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const { kty = '', crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const jwk = { kty, crv: String(crv), x: String(x), y: String(y) }
  const jkt = await calculateJwkThumbprint(jwk)
  let jti = 0
  const proof = () =>
    new SignJWT({ htm: 'POST', htu: `${issuer}/par`, jti: `jti-${jti++}`, iat: server.clock.now() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey)
  const withProof = async () => ({ ...basic('web', SECRET), dpop: await proof() })
  const { request_uri } = (await push({}, await withProof())).json()
  const digest = server.deps.vault.digest('request_uri', request_uri)
  t.match(await server.deps.store.claimPushedRequest(digest, 'web', server.clock.now()), { dpop_jkt: jkt })
  t.equal((await push({ dpop_jkt: jkt }, await withProof())).statusCode, 201)
  t.match((await push({ dpop_jkt: CHALLENGE }, await withProof())).json(), { error: 'invalid_request' })
  t.match((await push({}, { ...basic('web', SECRET), dpop: 'x' })).json(), { error: 'invalid_dpop_proof' })
})

t.test('RFC 9126 §3: a request object is pushed by its signer', async (t) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { kty: 'EC', ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'k' }
  await server.createClient({
    ...WEB_CLIENT,
    client_id: 'signing',
    client_secret: SECRET,
    jwks: { keys: [jwk] },
    require_signed_request_object: true,
  })
  const auth = basic('signing', SECRET)
  const sign = (changes: object) =>
    new SignJWT({ ...request, iss: 'signing', client_id: 'signing', aud: issuer, exp: NOW + 999, ...changes })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(privateKey)
  t.match((await push({}, auth)).json(), { error: 'invalid_request' }, 'unsigned')
  const response = await server.postForm('/par', { request: await sign({ state: 'signed', prompt: 'none' }) }, auth)
  t.equal(response.statusCode, 201, response.body)
  const { request_uri } = response.json()
  const answer = await server.inject({ url: authorize({ client_id: 'signing', request_uri }) })
  t.match(Object.fromEntries(new URL(String(answer.headers.location)).searchParams), {
    state: 'signed',
    error: 'login_required',
  })
})

t.test('FAPI 2.0 §5.3.2.2: everybody pushes', async (t) => {
  const strict = await buildTestApp(t, { config: { profile: 'fapi2' } })
  await strict.createClient({ ...WEB_CLIENT, client_secret: SECRET })
  const { location } = (await strict.inject({ url: authorize({ client_id: 'web', ...request }) })).headers
  t.equal(new URL(String(location)).searchParams.get('error'), 'invalid_request')
  const metadata = (await strict.inject({ url: '/.well-known/openid-configuration' })).json()
  t.equal(metadata.require_pushed_authorization_requests, true)
  t.notOk(metadata.request_object_signing_alg_values_supported.includes('RS256'))
})
