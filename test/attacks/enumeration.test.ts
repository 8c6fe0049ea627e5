import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { basic, buildTestApp, PASSWORD, type TestApp } from '../helpers/app.ts'

/** What a stranger may not learn: who has an account here, and which clients there are. */

const SECRET = 'a client secret of some length'
const CONFIG = { http: { max_event_loop_delay_milliseconds: 0 } }

/** An answer without what differs between any two. */
function seen({ statusCode, headers, body }: LightMyRequestResponse) {
  const { date: _, ...others } = headers
  return { statusCode, headers: others, body }
}

async function prepare(t: Test): Promise<TestApp> {
  const server = await buildTestApp(t, { config: CONFIG })
  await server.createAccount({ username: 'alice', email: 'alice@example.com' })
  const disabled = await server.createAccount({ username: 'disabled' })
  await server.deps.store.disableAccount(disabled.account_id, server.clock.now(), [])
  const bare = { ...disabled, account_id: 'bare', username: 'bare', password_hash: null, disabled_at: null }
  await server.deps.store.createAccount(bare, [])
  await server.createClient({ client_id: 'service', client_secret: SECRET })
  await server.createClient({ client_id: 'off', client_secret: SECRET, disabled_at: server.clock.now() })
  await server.createClient({ client_id: 'app' })
  return server
}

/** Counts the passwords that are hashed. */
function countHashing({ deps }: TestApp) {
  const { passwords } = deps
  const verify = passwords.verify.bind(passwords)
  let verified = 0
  Object.assign(passwords, {
    verify: (stored: string | null, password: string) => {
      verified += 1
      return verify(stored, password)
    },
  })
  return () => verified
}

t.test('OWASP Authentication: whoever cannot sign in gets one answer, after the same work', async (t) => {
  const server = await prepare(t)
  const hashed = countHashing(server)
  const wrong = [
    { username: 'alice', password: 'wrong' },
    { username: 'ALICE@example.com', password: 'wrong' },
    { username: 'disabled', password: PASSWORD },
    { username: 'disabled', password: 'wrong' },
    { username: 'bare', password: PASSWORD },
    { username: 'nobody', password: PASSWORD },
    { username: 'x'.repeat(2000), password: PASSWORD },
    { username: '\u200b', password: PASSWORD },
    { username: '\ud800', password: PASSWORD },
    { username: 'alice', password: '\ud800' },
    { username: 'alice', password: 'x'.repeat(2000) },
  ]
  let expected: object | undefined
  for (const [index, credentials] of wrong.entries()) {
    server.clock.advance(61)
    const answer = seen(await server.postJson('/api/token/', credentials))
    expected ??= answer
    t.strictSame(answer, expected, JSON.stringify(credentials).slice(0, 60))
    t.equal(hashed(), index + 1, 'one password hashed')
  }
  t.match(expected, { statusCode: 401 })
})

t.test('throttled in the same way, whether there is such an account or not', async (t) => {
  const rows = new Set<string>()
  for (const username of ['alice', 'disabled', 'bare', 'nobody']) {
    const server = await prepare(t)
    const answers = []
    for (let attempt = 0; attempt < 7; attempt += 1) {
      answers.push(seen(await server.postJson('/api/token/', { username, password: 'wrong' })))
    }
    server.clock.advance(60)
    answers.push(seen(await server.postJson('/api/token/', { username, password: 'wrong' })))
    rows.add(JSON.stringify(answers))
  }
  t.equal(rows.size, 1)
  t.match([...rows][0], /"statusCode":429/)
})

t.test('RFC 6749 §5.2: a client that is unknown, disabled, or wrong about itself gets one answer', async (t) => {
  const server = await prepare(t)
  const forms: [Record<string, string>, Record<string, string>?][] = [
    [{}, basic('service', 'wrong')],
    [{}, basic('nobody', 'wrong')],
    [{}, basic('off', SECRET)],
    [{}, basic('app', SECRET)],
    [{ client_id: 'service', client_secret: 'wrong' }],
    [{ client_id: 'nobody', client_secret: 'wrong' }],
    [{ client_id: 'off', client_secret: SECRET }],
    [{ client_id: 'app', client_secret: SECRET }],
    [{ client_id: 'service' }],
    [{ client_id: 'nobody' }],
    [{ client_id: 'off' }],
  ]
  for (const url of ['/token', '/revoke', '/introspect']) {
    const answers = new Set<string>()
    for (const [form, headers] of forms) {
      const response = await server.postForm(url, { grant_type: 'client_credentials', token: 'x', ...form }, headers)
      answers.add(JSON.stringify(seen(response)))
    }
    t.equal(answers.size, 1, url)
    t.match([...answers][0], /"statusCode":401/)
  }
  const introspected = await server.postForm('/introspect', { token: 'x', client_id: 'app' })
  t.strictSame(
    seen(introspected),
    seen(await server.postForm('/introspect', { token: 'x', client_id: 'nobody' })),
    'RFC 7662 §2.1: a public client is nobody there',
  )
})

t.test('throttled in the same way, whether there is such a client or not', async (t) => {
  const rows = new Set<string>()
  for (const client_id of ['service', 'off', 'nobody']) {
    const server = await prepare(t)
    const answers = []
    for (let attempt = 0; attempt < 23; attempt += 1) {
      const form = { grant_type: 'client_credentials' }
      answers.push(seen(await server.postForm('/token', form, basic(client_id, 'wrong'))))
    }
    rows.add(JSON.stringify(answers))
  }
  t.equal(rows.size, 1)
  t.match([...rows][0], /"statusCode":429/)
})

t.test("a refresh token tells a stranger nothing: another client's, a revoked one's, garbage", async (t) => {
  const server = await prepare(t)
  const { refresh } = await server.signIn()
  const revoked = await server.signIn()
  await server.postJson('/api/token/blacklist/', { refresh: revoked.refresh })
  const answers = new Set<string>()
  for (const refresh_token of [refresh, revoked.refresh, `${refresh.slice(0, -1)}x`, 'garbage']) {
    const form = { grant_type: 'refresh_token', refresh_token, client_id: 'app' }
    answers.add(JSON.stringify(seen(await server.postForm('/token', form))))
  }
  t.equal(answers.size, 1)
})

t.test('RFC 7662 §4: a stranger cannot tell a living token from garbage', async (t) => {
  const server = await prepare(t)
  const { access, refresh } = await server.signIn()
  const answers = new Set<string>()
  for (const token of [access, refresh, `${access}x`, 'garbage', 'a.b.c', 'gth_rt_x']) {
    answers.add(JSON.stringify(seen(await server.postForm('/introspect', { token }, basic('service', SECRET)))))
  }
  t.equal(answers.size, 1)
})

t.test('a set-up link that was used, one that expired and one that never was look alike', async (t) => {
  const server = await prepare(t)
  const answers = new Set<string>()
  for (const token of ['', 'x', `gth_su_${'A'.repeat(43)}`]) {
    answers.add(JSON.stringify(seen(await server.inject({ url: `/setup?token=${token}` }))))
    const posted = await server.postForm('/setup', { token, username: 'mallory', password: PASSWORD })
    answers.add(JSON.stringify(seen(posted)))
  }
  t.equal(answers.size, 1)
})

t.test('issuer, links and documents follow the configuration, never the Host header', async (t) => {
  const issuer = 'https://id.example.com'
  const hosts = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'gopher',
    forwarded: 'host=evil.example;proto=http',
    'x-original-url': '/admin/api/keys',
    'x-forwarded-prefix': '/evil',
  }
  for (const trust_proxy of [[], ['127.0.0.1']]) {
    const server = await buildTestApp(t, { config: { issuer, http: { ...CONFIG.http, trust_proxy } } })
    await server.createAccount()
    const urls = [
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/.well-known/jwks.json',
      '/admin/api/openapi.json',
      '/setup',
      '/nothing',
    ]
    for (const url of urls) {
      const honest = seen(await server.inject({ url, headers: { host: 'id.example.com' } }))
      const spoofed = seen(await server.inject({ url, headers: hosts }))
      // Each has a reference of its own.
      if (url !== '/setup') t.strictSame(spoofed, honest, url)
      t.notMatch(JSON.stringify(spoofed), /evil/)
      t.match(spoofed.headers, { 'strict-transport-security': /max-age=\d+/ })
    }
    const { access } = (await server.postJson('/api/token/', { username: 'alice', password: PASSWORD }, hosts)).json()
    t.match(JSON.parse(Buffer.from(access.split('.')[1], 'base64url').toString()), { iss: issuer, aud: issuer })
  }
})

t.test('X-Forwarded-For is believed of a configured proxy only, and only as far as the proxies reach', async (t) => {
  const prefixOf = async (trust_proxy: string[], headers: Record<string, string>, remoteAddress = '127.0.0.1') => {
    const server = await buildTestApp(t, { config: { http: { ...CONFIG.http, trust_proxy } } })
    await server.inject({
      method: 'POST',
      url: '/api/token/',
      headers,
      remoteAddress,
      payload: { username: 'nobody', password: 'x' },
    })
    const { items } = await server.deps.store.listAudit({ event: 'sign_in.refused' }, { limit: 1, cursor: null })
    return items[0]?.address_prefix
  }
  const spoofed = { 'x-forwarded-for': '203.0.113.9' }
  t.equal(await prefixOf([], spoofed), '127.0.0.1', 'nobody is trusted')
  t.equal(await prefixOf(['10.0.0.0/8'], spoofed), '127.0.0.1', 'somebody else is')
  t.equal(await prefixOf(['127.0.0.1'], spoofed), '203.0.113.9')
  const chain = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' }
  t.equal(await prefixOf(['127.0.0.1'], chain), '203.0.113.9', 'what the client wrote itself is not believed')
  t.equal(await prefixOf(['127.0.0.1'], { 'x-forwarded-for': 'rubbish\u00e9, <script>' }), 'unknown')
  t.equal(await prefixOf([], { forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' }), '127.0.0.1')
})
