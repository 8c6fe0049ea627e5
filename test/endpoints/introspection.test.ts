import t, { type Test } from 'tap'
import { basic, buildTestApp } from '../helpers/app.ts'

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
