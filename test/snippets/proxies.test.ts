/** What `gatehouse snippet` prints for proxies that ask /forward-auth, as it is printed: Debian's nginx and Caddy. */
import t, { type Test } from 'tap'
import { request } from 'undici'
import { basic } from '../helpers/app.ts'
import { SECRET, serveClients } from '../helpers/clients.ts'
import { adapted, eventually, noProxy, startCaddy, startNginx } from '../helpers/nginx.ts'
import { freePort } from '../helpers/process.ts'
import { SCOPE, serve, snippetText } from '../helpers/snippets.ts'
import { type Browser, createBrowser, type Landing, signInThroughPages } from '../helpers/web_client.ts'

const API = 'https://orders.example'

/** The application behind the proxy. It answers with what it was sent. */
const application = (t: Test): Promise<string> =>
  serve(t, async (received) => {
    const body = Buffer.concat(await received.toArray()).toString()
    return { body: JSON.stringify({ headers: received.headers, url: received.url, body }) }
  })

const PROXIES = {
  nginx: async (t: Test, text: string, { port, behind }: { port: number; behind: string }) =>
    startNginx(
      t,
      adapted(text, {
        'listen 8080;': `listen 127.0.0.1:${port};`,
        '127.0.0.1:8081': behind,
        '/var/cache/nginx/gatehouse': 'FOLDER/cache',
      }),
    ),
  caddy: async (t: Test, text: string, { port, behind }: { port: number; behind: string }) =>
    startCaddy(t, adapted(text, { 'localhost:8080': `localhost:${port}`, '127.0.0.1:8081': behind })),
} as const

async function prepare(t: Test, proxy: keyof typeof PROXIES, cache_seconds = 0) {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const served = await serveClients(t, {
    GATEHOUSE_HTTP__TRUST_PROXY: '127.0.0.1/32,::1/128',
    GATEHOUSE_FORWARD_AUTH__ENABLED: 'true',
    GATEHOUSE_FORWARD_AUTH__ORIGINS: origin,
    GATEHOUSE_FORWARD_AUTH__CACHE_SECONDS: String(cache_seconds),
  })
  const described = {
    claims: {},
    token_typ: 'at+jwt' as const,
    scopes: [SCOPE, 'orders:write'],
    introspection_clients: [],
    authorization_details_types: [],
  }
  const rest = { access_token_seconds: null, signing_alg: 'RS256', created_at: 0, updated_at: 0 } as const
  await served.deps.store.createResource({ resource: API, ...described, ...rest }, [])
  const resources = [API, served.issuer]
  await served.client({ client_id: 'service', client_secret: SECRET, scope: `${SCOPE} orders:write`, resources })
  const behind = await application(t)
  await PROXIES[proxy](t, await snippetText(proxy, served.issuer, API), { port, behind })

  const post = async (path: string, form: Record<string, string>) => {
    const body = new URLSearchParams(form)
    const answer = await fetch(`${served.issuer}${path}`, { method: 'POST', body, headers: basic('service', SECRET) })
    return answer.text()
  }
  const token = async (scope = SCOPE, resource = API): Promise<string> =>
    JSON.parse(await post('/token', { grant_type: 'client_credentials', scope, resource })).access_token
  const call = async (headers: Record<string, string>, method: 'GET' | 'POST' = 'GET', path = '/orders/7?a=b') => {
    const asked = method === 'POST' ? { method, headers, body: 'the body' } : { method, headers }
    const { statusCode, headers: received, body } = await request(`${origin}${path}`, asked)
    return { statusCode, headers: received, body: await body.text() }
  }
  const withToken = (access_token: string, headers = {}) =>
    call({ authorization: `Bearer ${access_token}`, accept: 'application/json', ...headers })
  /** Asks for pages, as browsers do. */
  const browser = (): Browser =>
    createBrowser({
      issuer: origin,
      async inject({ method, url, headers, payload }) {
        const asked = { method, headers: { accept: 'text/html', ...headers }, body: payload ?? null }
        const { statusCode, headers: received, body } = await request(new URL(url, origin), asked)
        return { statusCode, headers: received, body: await body.text() }
      },
    })
  return { ...served, origin, post, token, call, withToken, browser }
}

const SMUGGLED = {
  'x-auth-subject': 'admin',
  'x-auth-email': 'admin@example.com',
  'x-auth-roles': 'admin',
  'remote-user': 'admin',
  'x-original-url': 'https://evil.example/',
  'x-original-method': 'POST',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-uri': '/evil',
  'x-forwarded-method': 'POST',
}

t.setTimeout(90_000)
for (const proxy of ['nginx', 'caddy'] as const) {
  const skip = noProxy(proxy)
  if (skip) process.stderr.write(`test/snippets/proxies.test.ts SKIPPED: ${skip}\n`)

  t.test(`${proxy} asks /forward-auth`, { skip }, async (t) => {
    const { alice, issuer, origin, post, token, call, withToken, browser, site } = await prepare(t, proxy)

    t.test('a token lets in, and the application hears whose it is', async (t) => {
      const { statusCode, body } = await withToken(await token())
      t.equal(statusCode, 200)
      t.match(JSON.parse(body), {
        url: '/orders/7?a=b',
        headers: { 'x-auth-subject': 'service', 'x-auth-scope': SCOPE },
      })
      const authorization = `Bearer ${await token()}`
      const posted = await call({ authorization, 'content-type': 'application/json' }, 'POST')
      t.match([posted.statusCode, JSON.parse(posted.body).body], [200, 'the body'])
    })

    t.test('RFC 6750 §3.1: the refusals reach the client, with their challenge', async (t) => {
      const good = await token()
      const refused = {
        none: await call({ accept: 'application/json' }),
        'a forged one': await withToken(`${good.slice(0, -8)}AAAAAAAA`),
        'another audience': await withToken(await token('', issuer)),
        'a forged one of a browser': await withToken('garbage', { accept: 'text/html' }),
      }
      for (const [name, { statusCode, headers }] of Object.entries(refused)) {
        t.equal(statusCode, 401, name)
        t.match([headers['www-authenticate']].flat().join(), /Bearer realm="gatehouse"/, name)
      }
      const insufficient = await withToken(await token('orders:write'))
      t.equal(insufficient.statusCode, 403)
      await post('/revoke', { token: good })
      t.equal((await withToken(good)).statusCode, 401, 'revoked: refused at once')
    })

    t.test(
      'what a client sends under the names of the answer, or as the original request, counts for nothing',
      async (t) => {
        const { statusCode, body } = await withToken(await token(), SMUGGLED)
        t.equal(statusCode, 200)
        const { headers } = JSON.parse(body)
        t.equal(headers['x-auth-subject'], 'service')
        for (const name of ['x-auth-email', 'x-auth-roles', 'remote-user']) t.notOk(headers[name], name)
        t.equal((await call({ ...SMUGGLED, accept: 'application/json' })).statusCode, 401)
        const page = await call({ ...SMUGGLED, accept: 'text/html' })
        t.ok([401, 302].includes(page.statusCode))
        t.notMatch(JSON.stringify(page.headers), 'evil')
      },
    )

    t.test('a browser signs in on the way, and signing out at the issuer is heard at once', async (t) => {
      const [here, person] = [browser(), createBrowser(site)]
      const away = await here.open(`${origin}/orders/7?a=b`)
      t.equal(away.url.origin + away.url.pathname, `${issuer}/authorize`)
      const back: Landing = await signInThroughPages(person, away.url.href)
      t.match(back.url.href, `${origin}/forward-auth/callback?`)
      const landing = await here.open(back.url.href)
      t.match([landing.statusCode, landing.url.href], [200, `${origin}/orders/7?a=b`], 'where the person was going')
      const { headers } = JSON.parse(landing.body)
      t.match(headers, {
        'remote-user': 'alice',
        'x-auth-subject': alice.account_id,
        'x-auth-email': 'alice@example.com',
      })
      await person.submit(await person.open(`${issuer}/logout`), { decision: 'confirm' })
      t.ok((await here.open(`${origin}/orders/7`)).left)
    })
  })
}

const skip = noProxy('nginx')
t.test('nginx keeps the answers for as long as configured, each for its credential and host', { skip }, async (t) => {
  const { post, token, withToken, call } = await prepare(t, 'nginx', 4)
  const good = await token()
  t.equal((await withToken(good)).statusCode, 200)
  await post('/revoke', { token: good })
  t.equal((await withToken(good)).statusCode, 200, 'kept')
  t.equal((await withToken(`${good}x`)).statusCode, 401, 'another credential')
  t.equal((await withToken(good, { cookie: 'a=b' })).statusCode, 401, 'other cookies')
  t.equal((await withToken(good, { host: 'other.example' })).statusCode, 401, 'another host')
  t.equal((await call({ accept: 'application/json' })).statusCode, 401, 'no credential')
  const refused = await token('orders:write')
  t.equal((await withToken(refused)).statusCode, 403, 'another policy')
  await eventually(async () => (await withToken(good)).statusCode === 401, 10)
})
