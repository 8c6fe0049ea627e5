/** What strangers leave behind in the database is bounded by address, and nobody else feels it. */
import t, { type Test } from 'tap'
import { basic, buildTestApp } from '../helpers/app.ts'
import { DEVICE_CLIENT } from '../helpers/device.ts'
import { authorizationUrl, createBrowser, signInThroughPages, WEB_CLIENT } from '../helpers/web_client.ts'

const MOST = 10
const SECRET = 'a long enough secret'

async function setUp(t: Test) {
  const server = await buildTestApp(t, { config: { throttle: { strangers_per_minute: MOST } } })
  await server.createAccount()
  const client = await server.createClient(WEB_CLIENT)
  const url = authorizationUrl(server, client).url
  const begin = () => createBrowser(server).open(url)
  /** Until there is no more room. */
  const fill = async () => {
    for (let n = 0; n < MOST; n += 1) await begin()
  }
  return { server, client, url, begin, fill }
}

const pushed = (client_id: string) => ({
  response_type: 'code',
  client_id,
  redirect_uri: WEB_CLIENT.redirect_uris[0] ?? '',
  scope: 'openid',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
})

t.test('RFC 6749 §4.1.2.1: too many begin to sign in: temporarily_unavailable, until the minute is over', async (t) => {
  const { server, begin, fill } = await setUp(t)
  await fill()
  const refused = await begin()
  t.ok(refused.left)
  t.equal(refused.url.searchParams.get('error'), 'temporarily_unavailable')
  server.clock.advance(60)
  t.equal((await begin()).url.pathname, '/login')
})

t.test('RFC 9700 §4.11.2: a client that made itself leads no stranger away: a page, with Retry-After', async (t) => {
  const { server, fill } = await setUp(t)
  const client = await server.createClient({ ...WEB_CLIENT, client_id: 'self-made', origin: 'registered' })
  await fill()
  const refused = await createBrowser(server).open(authorizationUrl(server, client).url)
  t.notOk(refused.left)
  t.equal(refused.statusCode, 429)
  t.match(refused.headers['retry-after'], /^[1-9]\d*$/)
  t.match(refused.body, 'Busy for a moment')
})

t.test('who is signed in, or signs in, takes no room', async (t) => {
  const { server, url, begin } = await setUp(t)
  const alice = createBrowser(server)
  for (let n = 0; n < 2 * MOST; n += 1) t.ok((await signInThroughPages(alice, url)).left)
  for (let n = 0; n < MOST + 5; n += 1)
    t.ok((await signInThroughPages(createBrowser(server), url)).url.searchParams.get('code'))
  t.equal((await begin()).url.pathname, '/login')
})

t.test(
  'RFC 9126 §2.3: public clients’ pushed requests are 429 at some point; a confidential client’s never',
  async (t) => {
    const { server, fill } = await setUp(t)
    const app = { ...WEB_CLIENT, client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic' } as const
    await server.createClient({ ...app, client_id: 'big' })
    await server.createClient({ ...WEB_CLIENT, client_id: 'public', token_endpoint_auth_method: 'none' })
    await server.createClient({ ...app, client_id: 'self-made', origin: 'registered' })
    const push = (client_id: string, headers = {}) => server.postForm('/par', pushed(client_id), headers)
    t.equal((await push('public')).statusCode, 201)
    await fill()
    for (const response of [await push('public'), await push('self-made', basic('self-made', SECRET))]) {
      t.equal(response.statusCode, 429)
      t.match(response.json(), { error: 'temporarily_unavailable' })
      t.match(response.headers['retry-after'], /^[1-9]\d*$/)
    }
    for (let n = 0; n < 2 * MOST; n += 1) t.equal((await push('big', basic('big', SECRET))).statusCode, 201)
  },
)

t.test('RFC 8628 §3.1: device codes of public clients, too; another address has its own room', async (t) => {
  const { server } = await setUp(t)
  await server.createClient(DEVICE_CLIENT)
  const form = { client_id: DEVICE_CLIENT.client_id ?? '', scope: 'openid' }
  const ask = (remoteAddress: string) =>
    server.inject({
      method: 'POST',
      url: '/device_authorization',
      remoteAddress,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(form).toString(),
    })
  for (let n = 0; n < MOST; n += 1) t.equal((await ask('203.0.113.9')).statusCode, 200)
  const refused = await ask('203.0.113.9')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { error: 'temporarily_unavailable' })
  t.equal((await ask('198.51.100.9')).statusCode, 200)
})
