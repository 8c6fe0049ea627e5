import t, { type Test } from 'tap'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'

const OURS = 'https://app.example.com'
const FOREIGN = 'https://evil.example'

async function prepare(t: Test, cors_origins = [OURS]) {
  const server = await buildTestApp(t, { config: { http: { cors_origins }, registration: { mode: 'open' } } })
  const preflight = (url: string, origin: string, method = 'POST') =>
    server.inject({
      method: 'OPTIONS',
      url,
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
    })
  return { server, preflight }
}

const open = await prepare(t)
const closed = await prepare(t, [])
const CONFIGURED = ['/introspect', '/api/token/', '/api/token/refresh', '/api/token/verify/']
const OF_CLIENTS = ['/token', '/revoke', '/par', '/register']

t.test('Fetch §4.8: a configured origin may call introspection and the login API', async (t) => {
  const { preflight } = open
  for (const url of CONFIGURED) {
    const { statusCode, headers } = await preflight(url, OURS)
    t.equal(statusCode, 204)
    t.equal(headers['access-control-allow-origin'], OURS)
    t.equal(headers['access-control-allow-methods'], 'POST')
    t.equal(headers['access-control-allow-headers'], 'content-type, authorization, dpop')
    t.equal(headers['access-control-allow-credentials'], undefined)
    t.match(headers.vary, /Origin/)
  }
})

t.test('Fetch §4.8: any other origin may not, nor `null`, nor one that looks alike', async (t) => {
  const { preflight } = open
  const strangers = [FOREIGN, 'null', `${OURS}.evil.example`, `${OURS}:8443`, 'http://app.example.com', '*']
  for (const url of CONFIGURED) {
    for (const origin of strangers) {
      t.equal((await preflight(url, origin)).headers['access-control-allow-origin'], undefined, `${url} ${origin}`)
    }
    t.equal((await closed.preflight(url, OURS)).headers['access-control-allow-origin'], undefined)
  }
})

t.test('Fetch §4.9: answers and refusals are readable by a configured origin, and by no other', async (t) => {
  const { server } = open
  await server.createAccount()
  for (const password of [PASSWORD, 'wrong']) {
    const ask = (origin: string) => server.postJson('/api/token/', { username: 'alice', password }, { origin })
    t.equal((await ask(OURS)).headers['access-control-allow-origin'], OURS)
    t.equal((await ask(FOREIGN)).headers['access-control-allow-origin'], undefined)
  }
  const refused = await server.postForm('/introspect', {}, { origin: OURS })
  t.equal(refused.statusCode, 401)
  t.equal(refused.headers['access-control-allow-origin'], OURS)
})

t.test('RFC 9700 §2.6: clients in browsers, wherever they are from, reach the endpoints of clients', async (t) => {
  for (const { server, preflight } of [open, closed]) {
    for (const url of OF_CLIENTS) {
      for (const origin of [OURS, FOREIGN, 'null']) {
        const { statusCode, headers } = await preflight(url, origin)
        t.equal(statusCode, 204)
        t.match(headers, {
          'access-control-allow-origin': '*',
          'access-control-allow-methods': 'POST',
          'access-control-allow-headers': 'content-type, authorization, dpop',
        })
      }
      const answer = await server.postForm(url, {}, { origin: FOREIGN })
      t.ok(answer.statusCode >= 400)
      t.match(answer.headers, {
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'www-authenticate, dpop-nonce',
      })
      t.equal(answer.headers.vary, undefined)
      t.notOk('access-control-allow-credentials' in answer.headers, 'Fetch §3.3.1: no cookie, no certificate')
    }
  }
  const { headers } = await closed.preflight('/register/a-client', FOREIGN, 'PUT')
  t.match(headers, { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, PUT, DELETE' })
})

t.test('what is public may be read from anywhere', async (t) => {
  const { server, preflight } = closed
  for (const url of ['/.well-known/jwks.json', '/.well-known/openid-configuration']) {
    t.equal((await preflight(url, FOREIGN, 'GET')).headers['access-control-allow-origin'], '*')
    const { headers } = await server.inject({ url, headers: { origin: FOREIGN } })
    t.equal(headers['access-control-allow-origin'], '*')
    t.equal(headers.vary, undefined, 'a shared cache keeps one copy for all')
  }
})

t.test(
  'RFC 9700 §2.6: the authorization endpoint, pages and the admin API are for no other origin, configured or not',
  async (t) => {
    const { server, preflight } = open
    for (const url of ['/admin/api/accounts', '/admin/api/openapi.json', '/setup', '/authorize', '/nothing', '*']) {
      for (const origin of [OURS, FOREIGN]) {
        const asked = await preflight(url, origin, 'GET')
        t.equal(asked.statusCode, 404)
        t.equal(asked.headers['access-control-allow-origin'], undefined, url)
        const { headers } = await server.inject({ url, headers: { origin } })
        t.equal(headers['access-control-allow-origin'], undefined, url)
      }
    }
  },
)
