import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { basic, buildTestApp, claimsOf, PASSWORD, type TestApp } from '../helpers/app.ts'

/** djangorestframework-jwt's contract: three calls, one token, and a 400 for every refusal. */

const AUTH = '/api-token-auth/'
const REFRESH = '/api-token-refresh/'
const VERIFY = '/api-token-verify/'
const credentials = { username: 'alice', password: PASSWORD }

function build(t: Test, token_api: Record<string, unknown> = {}): Promise<TestApp> {
  return buildTestApp(t, { config: { token_api: { drf_jwt: true, ...token_api } } })
}

async function tokenFrom(server: TestApp, path = AUTH, body: object = credentials): Promise<string> {
  const response = await server.postJson(path, body)
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${response.body}`)
  return response.json().token
}

function refuses(t: Test, response: LightMyRequestResponse, message: string): void {
  t.equal(response.statusCode, 400)
  t.strictSame(response.json(), { non_field_errors: [message] })
  t.equal(response.headers['www-authenticate'], undefined)
  t.equal(response.headers['cache-control'], 'no-store')
}

t.test('by default there is none of it', async (t) => {
  const server = await buildTestApp(t)
  for (const path of [AUTH, REFRESH, VERIFY]) t.equal((await server.postJson(path, {})).statusCode, 404, path)
})

t.test('one token, as JSON or form, with or without the slash', async (t) => {
  const server = await build(t)
  const { account_id } = await server.createAccount()
  for (const path of [AUTH, AUTH.slice(0, -1)]) {
    for (const response of [await server.postJson(path, credentials), await server.postForm(path, credentials)]) {
      t.equal(response.statusCode, 200)
      t.strictSame(Object.keys(response.json()), ['token'])
      t.match(claimsOf(response.json().token), { sub: account_id, client_id: 'gatehouse-login', token_type: 'access' })
    }
  }
  const token = await tokenFrom(server)
  for (const path of [VERIFY, VERIFY.slice(0, -1)]) {
    t.strictSame((await server.postJson(path, { token })).json(), { token }, 'verified, it is the answer')
  }
  const renewed = claimsOf(await tokenFrom(server, REFRESH, { token }))
  const first = claimsOf(token)
  t.match(renewed, { sub: account_id, aud: first.aud, scope: first.scope, grant_id: first.grant_id, sid: first.sid })
  t.not(renewed.jti, first.jti)
})

t.test('every refusal is a 400, to the letter', async (t) => {
  const server = await build(t)
  const { account_id } = await server.createAccount()
  for (const wrong of [
    { ...credentials, password: 'wrong' },
    { username: 'nobody', password: 'x' },
  ]) {
    refuses(t, await server.postJson(AUTH, wrong), 'Unable to log in with provided credentials.')
  }
  const missing = await server.postJson(AUTH, {})
  t.equal(missing.statusCode, 400)
  t.strictSame(missing.json(), { username: ['This field is required.'], password: ['This field is required.'] })
  for (const path of [REFRESH, VERIFY]) {
    t.strictSame((await server.postJson(path, { token: '' })).json(), { token: ['This field may not be blank.'] })
    t.strictSame((await server.postJson(path, { token: 7 })).json(), { token: ['Not a valid string.'] })
    for (const token of ['garbage', 'e30.e30.e30', (await server.signIn()).refresh, `${await tokenFrom(server)}x`]) {
      refuses(t, await server.postJson(path, { token }), 'Error decoding signature.')
    }
    t.equal((await server.inject({ method: 'GET', url: path })).statusCode, 405)
  }
  const token = await tokenFrom(server)
  await server.deps.store.disableAccount(account_id, server.clock.now(), [])
  refuses(t, await server.postJson(AUTH, credentials), 'Unable to log in with provided credentials.')
  refuses(t, await server.postJson(REFRESH, { token }), 'Signature has expired.')
})

t.test('a token that has expired, or was revoked, is over', async (t) => {
  const server = await build(t)
  await server.createAccount()
  const token = await tokenFrom(server)
  const { grant_id } = claimsOf(token)
  await server.deps.store.revokeGrant(String(grant_id), { because: 'revoked_by_admin', now: server.clock.now() }, [])
  for (const path of [REFRESH, VERIFY]) {
    refuses(t, await server.postJson(path, { token }), 'Signature has expired.')
  }
  const other = await tokenFrom(server)
  const revoked = { jti: String(claimsOf(other).jti), expires_at: Number(claimsOf(other).exp), now: server.clock.now() }
  await server.deps.store.revokeAccessToken(revoked, [])
  refuses(t, await server.postJson(REFRESH, { token: other }), 'Signature has expired.')
  const late = await tokenFrom(server)
  server.clock.advance(301)
  for (const path of [REFRESH, VERIFY]) {
    refuses(t, await server.postJson(path, { token: late }), 'Signature has expired.')
  }
})

t.test('it is renewed until the grant ends: unused for too long, or too old', async (t) => {
  const server = await build(t, { refresh_idle_seconds: 600, refresh_absolute_seconds: 1_000 })
  await server.createAccount()
  let token = await tokenFrom(server)
  for (let passed = 0; passed < 840; passed += 280) {
    server.clock.advance(280)
    token = await tokenFrom(server, REFRESH, { token })
  }
  server.clock.advance(200)
  refuses(t, await server.postJson(REFRESH, { token }), 'Refresh has expired.')
})

t.test('no more than what the token was for, and only what was issued here', async (t) => {
  const server = await build(t)
  await server.createAccount()
  const narrow = await tokenFrom(server, AUTH, { ...credentials, scope: 'openid' })
  t.equal(claimsOf(await tokenFrom(server, REFRESH, { token: narrow })).scope, 'openid')
  await server.createClient({ client_id: 'service', client_secret: 'a secret of the service' })
  const asked = { grant_type: 'client_credentials' }
  const response = await server.postForm('/token', asked, basic('service', 'a secret of the service'))
  refuses(t, await server.postJson(REFRESH, { token: response.json().access_token }), 'Invalid payload.')
})

t.test('many renewals at once all get one, and none ends the grant', async (t) => {
  const server = await build(t)
  await server.createAccount()
  const token = await tokenFrom(server)
  const renewed = await Promise.all(Array.from({ length: 10 }, () => tokenFrom(server, REFRESH, { token })))
  t.equal(new Set(renewed).size, 10)
  t.strictSame((await server.postJson(VERIFY, { token })).statusCode, 200)
})
