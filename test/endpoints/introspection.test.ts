import { decodeProtectedHeader } from 'jose'
import t, { type Test } from 'tap'
import { basic, buildTestApp, claimsOf } from '../helpers/app.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'

const SECRET = 'a client secret of some length'
const API = 'https://api.example.com'

async function prepare(t: Test) {
  const server = await buildTestApp(t)
  await server.createAccount()
  const resource = {
    scopes: ['read'],
    access_token_seconds: null,
    signing_alg: 'RS256',
    introspection_clients: ['api'],
    authorization_details_types: [],
    claims: {},
    token_typ: 'at+jwt',
  } as const
  await server.deps.store.createResource({ ...resource, resource: API, created_at: 0, updated_at: 0 }, [])
  for (const client_id of ['api', 'stranger', 'auditor']) {
    await server.createClient({
      client_id,
      client_secret: SECRET,
      scope: client_id === 'auditor' ? 'gatehouse:read' : 'read',
    })
  }
  const ask = async (client_id: string, token: string) => {
    const response = await server.postForm('/introspect', { token }, basic(client_id, SECRET))
    t.equal(response.statusCode, 200)
    return response.json()
  }
  return { server, ask }
}

t.test('RFC 7662 §2.2: an active token is described', async (t) => {
  const { server, ask } = await prepare(t)
  const { access, refresh } = await server.signIn('alice', { resource: API })
  t.match(await ask('api', access), {
    active: true,
    token_type: 'Bearer',
    token_use: 'access_token',
    iss: server.issuer,
    aud: API,
    client_id: 'gatehouse-login',
    username: 'alice',
    scope: 'read',
    exp: server.clock.now() + 300,
  })
  t.match(await ask('auditor', refresh), { active: true, token_use: 'refresh_token', username: 'alice' })
})

t.test('RFC 7662 §4: whoever is not entitled hears what they would of garbage', async (t) => {
  const { server, ask } = await prepare(t)
  const { access, refresh } = await server.signIn('alice', { resource: API })
  const { access: elsewhere } = await server.signIn()
  t.strictSame(await ask('stranger', access), { active: false })
  t.strictSame(await ask('stranger', 'garbage'), { active: false })
  t.strictSame(await ask('api', refresh), { active: false }, 'no business of a resource server')
  t.strictSame(await ask('api', elsewhere), { active: false }, 'another audience')
})

t.test('RFC 7662 §4: a scope that people may delegate to a client tells it nothing of other tokens', async (t) => {
  const { server, ask } = await prepare(t)
  const { access, refresh } = await server.signIn('alice', { resource: API })
  const for_people = { ...WEB_CLIENT, client_secret: SECRET, scope: 'openid gatehouse:read' }
  await server.createClient({ ...for_people, client_id: 'console', token_endpoint_auth_method: 'client_secret_basic' })
  t.strictSame(await ask('console', access), { active: false })
  t.strictSame(await ask('console', refresh), { active: false })
  t.match(await ask('auditor', access), { active: true }, 'nor does it take anything from who has it for itself')
})

t.test('RFC 7662 §2.2: expired, revoked, rotated away, disabled: inactive at once', async (t) => {
  const { server, ask } = await prepare(t)
  const { access, refresh } = await server.signIn()
  await server.postJson('/api/token/refresh/', { refresh })
  t.strictSame(await ask('auditor', refresh), { active: false }, 'no longer the current one')
  t.match(await ask('auditor', access), { active: true })
  server.clock.advance(300)
  t.strictSame(await ask('auditor', access), { active: false })
  const again = await server.signIn()
  const account = await server.deps.store.findAccountByIdentifier('alice')
  await server.deps.store.disableAccount(account?.account_id ?? '', server.clock.now(), [])
  t.strictSame(await ask('auditor', again.access), { active: false })
  t.strictSame(await ask('auditor', again.refresh), { active: false })
})

t.test("a deleted client's own tokens are inactive", async (t) => {
  const { server, ask } = await prepare(t)
  const response = await server.postForm('/token', { grant_type: 'client_credentials' }, basic('stranger', SECRET))
  const { access_token } = response.json()
  t.match(await ask('auditor', access_token), { active: true, sub: 'stranger' })
  await server.deps.store.deleteClient('stranger', server.clock.now(), [])
  t.strictSame(await ask('auditor', access_token), { active: false })
})

t.test('RFC 7662 §2.1: the endpoint asks who is asking', async (t) => {
  const { server } = await prepare(t)
  for (const form of [{ token: 'x' }, { token: 'x', client_id: 'gatehouse-login' }]) {
    t.equal((await server.postForm('/introspect', form)).statusCode, 401)
  }
  const missing = await server.postForm('/introspect', {}, basic('api', SECRET))
  t.equal(missing.statusCode, 400)
  t.match(missing.json(), { error: 'invalid_request' })
})

t.test('RFC 9701 §5: the answer is a JWT when it is asked for so, or registered so', async (t) => {
  const { server } = await prepare(t)
  const { access } = await server.signIn('alice', { resource: API })
  const accept = { accept: 'application/token-introspection+jwt', ...basic('api', SECRET) }
  const response = await server.postForm('/introspect', { token: access }, accept)
  t.match(response.headers['content-type'], /^application\/token-introspection\+jwt/)
  const { typ, alg } = decodeProtectedHeader(response.body)
  t.match({ typ, alg }, { typ: 'token-introspection+jwt', alg: 'RS256' })
  const claims = claimsOf(response.body)
  t.match(claims, { iss: server.issuer, aud: 'api', iat: server.clock.now(), token_introspection: { active: true } })
  t.notOk('sub' in claims || 'exp' in claims, 'it passes for no access token')
  t.match((await server.postForm('/introspect', { token: response.body }, basic('api', SECRET))).json(), {
    active: false,
  })
  const signing = { introspection_signed_response_alg: 'ES256', client_id: 'signed', client_secret: SECRET } as const
  await server.createClient(signing)
  const inactive = await server.postForm('/introspect', { token: 'x' }, basic('signed', SECRET))
  t.match(decodeProtectedHeader(inactive.body), { alg: 'ES256' })
  t.match(claimsOf(inactive.body), { token_introspection: { active: false } })
})

t.test('RFC 9449 §6.2: a bound token is described with its key, and as what it is', async (t) => {
  const { server, ask } = await prepare(t)
  const { access } = await server.signIn('alice', { resource: API })
  const cnf = { jkt: 'a thumbprint' }
  const bound = await server.deps.keys.sign('RS256', 'at+jwt', { ...claimsOf(access), cnf })
  t.match(await ask('api', bound), { active: true, token_type: 'DPoP', cnf })
})

t.test('OpenID Connect Core §8: sub is the subject as the asking client knows it', async (t) => {
  const { server, ask } = await prepare(t)
  const account = await server.deps.store.findAccountByIdentifier('alice')
  const api = await server.deps.store.findClient('api')
  if (account === undefined || api === undefined) throw new Error('they were prepared')
  const { access } = await server.signIn('alice', { resource: API })
  t.match(await ask('api', access), { sub: account.account_id, username: 'alice' })
  await server.deps.store.updateClient({ ...api, subject_type: 'pairwise' }, [])
  const described = await ask('api', access)
  t.not(described.sub, account.account_id)
  t.notOk('username' in described)
})

t.test('a client hears no name by introspection that UserInfo would not tell it', async (t) => {
  const { server, ask } = await prepare(t)
  const account = await server.deps.store.findAccountByIdentifier('alice')
  if (account === undefined) throw new Error('she was prepared')
  const registered = { ...WEB_CLIENT, client_secret: SECRET, first_party: false }
  const client = await server.createClient(registered)
  for (const [scope, username] of [
    ['openid', undefined],
    ['openid profile', 'alice'],
  ] as const) {
    const code = await codeFor(server, client, account, { scope })
    const { client_id: _, ...form } = codeForm(client, code)
    const { access_token } = (await server.postForm('/token', form, basic('web', SECRET))).json()
    t.match(await ask('web', access_token), { active: true, acr: 'urn:gatehouse:pwd', username })
  }
})
