import t, { type Test } from 'tap'
import { basic, buildTestApp } from '../helpers/app.ts'

const SECRET = 'a client secret of some length'

async function prepare(t: Test) {
  const server = await buildTestApp(t)
  await server.createAccount()
  await server.createClient({ client_secret: SECRET, scope: 'read gatehouse:read' })
  const active = async (token: string) =>
    (await server.postForm('/introspect', { token }, basic('service', SECRET))).json().active
  const revoke = (token: string, more = {}) =>
    server.postForm('/revoke', { client_id: 'gatehouse-login', token, ...more })
  return { server, active, revoke }
}

t.test('RFC 7009 §2.1: revoking a refresh token takes the grant and its access tokens along', async (t) => {
  const { server, active, revoke } = await prepare(t)
  const { access, refresh } = await server.signIn()
  const other = await server.signIn()
  t.equal(await active(access), true)
  const response = await revoke(refresh)
  t.equal(response.statusCode, 200)
  t.equal(response.body, '')
  t.equal(await active(access), false)
  t.equal(await active(refresh), false)
  t.equal(await active(other.access), true)
})

t.test('RFC 7009 §2.1: revoking an access token leaves its grant', async (t) => {
  const { server, active, revoke } = await prepare(t)
  const { access, refresh } = await server.signIn()
  t.equal((await revoke(access, { token_type_hint: 'refresh_token' })).statusCode, 200, 'a wrong hint does not matter')
  t.equal(await active(access), false)
  t.equal(await active(refresh), true)
  const service = (
    await server.postForm('/token', { grant_type: 'client_credentials' }, basic('service', SECRET))
  ).json()
  await server.postForm('/revoke', { token: service.access_token }, basic('service', SECRET))
  t.equal(await active(service.access_token), false)
})

t.test('RFC 7009 §2.2: an invalid token is a 200, since the purpose is met', async (t) => {
  const { server, revoke } = await prepare(t)
  const { refresh } = await server.signIn()
  for (const token of ['garbage', `${refresh}x`, 'a.b.c', refresh, refresh])
    t.equal((await revoke(token)).statusCode, 200)
})

t.test('RFC 7009 §2.1: the token of another client is refused and stays', async (t) => {
  const { server, active } = await prepare(t)
  const { access, refresh } = await server.signIn()
  for (const token of [access, refresh]) {
    const response = await server.postForm('/revoke', { token }, basic('service', SECRET))
    t.equal(response.statusCode, 400)
    t.match(response.json(), { error: 'invalid_grant' })
    t.equal(await active(token), true)
  }
})

t.test('RFC 7009 §2.1: the client authenticates and the token is there', async (t) => {
  const { server, revoke } = await prepare(t)
  t.equal((await server.postForm('/revoke', { token: 'x' })).statusCode, 401)
  t.equal((await server.postForm('/revoke', { client_id: 'gatehouse-login' })).statusCode, 400)
  t.equal((await revoke('x', { client_id: 'service' })).statusCode, 401, 'a confidential client must prove itself')
})

t.test('an older refresh token of the grant still signs out', async (t) => {
  const { server, active, revoke } = await prepare(t)
  const { refresh } = await server.signIn()
  const next = (await server.postJson('/api/token/refresh/', { refresh })).json()
  t.equal((await revoke(refresh)).statusCode, 200)
  t.equal(await active(next.access), false)
})
