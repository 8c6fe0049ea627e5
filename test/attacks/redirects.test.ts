import t, { type Test } from 'tap'
import { basic, buildTestApp } from '../helpers/app.ts'
import { clientKey, signAs } from '../helpers/client_keys.ts'
import { seedSession } from '../helpers/session.ts'
import { authorizationUrl, WEB_CLIENT } from '../helpers/web_client.ts'

/** RFC 9700 §4.1, §4.11: nothing that is not registered is redirected to, on any path, whatever else is wrong. */

const SECRET = 'a client secret of some length'
const REGISTERED = 'https://app.example/callback'
const WITH_QUERY = 'https://app.example/with?tenant=1'
const LOGGED_OUT = 'https://app.example/out'
const server = await buildTestApp(t, {
  config: { http: { max_event_loop_delay_milliseconds: 0 }, throttle: { client_failures_per_minute: 100_000 } },
})
const alice = await server.createAccount()
const key = await clientKey()
const redirect_uris = [REGISTERED, WITH_QUERY]
const metadata = {
  ...WEB_CLIENT,
  redirect_uris,
  post_logout_redirect_uris: [LOGGED_OUT, REGISTERED],
  jwks: { keys: [key.public_jwk] },
}
const web = await server.createClient(metadata)
await server.createClient({ ...metadata, client_id: 'confidential', client_secret: SECRET })
const native = await server.createClient({
  ...metadata,
  client_id: 'native',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]:4000/callback', 'com.example.app:/callback'],
})

/** What looks like a registered one, to somebody. */
const mutations: readonly string[] = [
  'https://evil.example/callback',
  'http://app.example/callback',
  'https://app.example/callback/',
  'https://app.example/callback?',
  'https://app.example/callback?x=1',
  'https://app.example/callback#',
  'https://app.example/callback#x',
  'https://app.example/callback#@evil.example',
  'https://app.example/callback/x',
  'https://app.example/callback/../evil',
  'https://app.example/x/../callback',
  'https://app.example/./callback',
  'https://app.example//callback',
  'https://app.example/%2e/callback',
  'https://app.example/%2e%2e/callback',
  'https://app.example/%63allback',
  'https://app.example/callback%00',
  'https://app.example/callback%20',
  'https://app.example/callback ',
  ' https://app.example/callback',
  '\thttps://app.example/callback',
  'https://app.example/call\tback',
  'https://app.example/callback\n',
  'https://app.example/callback\r\nset-cookie: a=b',
  'https://app.example/CALLBACK',
  'HTTPS://app.example/callback',
  'https://APP.example/callback',
  'https://app.example:443/callback',
  'https://app.example:444/callback',
  'https://app.example:/callback',
  'https://app.example:@evil.example/callback',
  'https://app.example./callback',
  'https://app.example%2eevil.example/callback',
  'https://app.example.evil.example/callback',
  'https://evil.example/app.example/callback',
  'https://evil.example/?https://app.example/callback',
  'https://evil.example#https://app.example/callback',
  'https://evil.example\\@app.example/callback',
  'https://evil.example\\.app.example/callback',
  'https://app.example\\@evil.example/callback',
  'https://app.example@evil.example/callback',
  'https://user:pass@app.example/callback',
  'https://@app.example/callback',
  'https:/app.example/callback',
  'https:app.example/callback',
  'https:///app.example/callback',
  '//app.example/callback',
  '/callback',
  'callback',
  '\\\\evil.example\\callback',
  'https://\u0430pp.example/callback',
  'https://app\u3002example/callback',
  'https://app.example/callback\u202e',
  'https://app.ex\u200bample/callback',
  'https://\uff41pp.example/callback',
  'https://app.exampl\u00e9/callback',
  'https://xn--pp-6kc.example/callback',
  'https://*.example/callback',
  'https://app.example/*',
  'https://app.example/callback;x=1',
  'https://app.example/callback&x=1',
  'https://app.example/callback,https://evil.example',
  'https://app.example/callback https://evil.example',
  'https://app.example/with',
  'https://app.example/with?tenant=2',
  'https://app.example/with?tenant=1&tenant=2',
  'https://app.example/with?tenant=1&x=https://evil.example',
  'https://app.example/with?TENANT=1',
  'https://app.example/with?tenant=%31',
  'javascript:alert(1)',
  'javascript://app.example/callback%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://app.example/callback',
  'about:blank',
  'urn:ietf:wg:oauth:2.0:oob',
  'http://localhost/callback',
  'http://127.0.0.1:1/callback',
  'x'.repeat(5000),
]

/** Of a native application, only the port may differ, and only on the loopback. */
const nativeMutations: readonly string[] = [
  'http://127.0.0.1:65536/callback',
  'http://127.0.0.1:99999/callback',
  'http://127.0.0.1:-1/callback',
  'http://127.0.0.1:4000/callback/',
  'http://127.0.0.1:4000/callback?x=1',
  'http://127.0.0.1:4000/other',
  'http://127.0.0.1:4000@evil.example/callback',
  'http://127.0.0.1:4000\\@evil.example/callback',
  'http://127.0.0.1.evil.example/callback',
  'http://127.0.0.1:4000.evil.example/callback',
  'http://127.0.0.2:4000/callback',
  'http://127.1:4000/callback',
  'http://0x7f000001/callback',
  'http://2130706433/callback',
  'http://localhost:4000/callback',
  'http://LOCALHOST:4000/callback',
  'http://[::]:4000/callback',
  'http://[::ffff:127.0.0.1]:4000/callback',
  'http://[0:0:0:0:0:0:0:1]:4000/callback',
  'https://127.0.0.1:4000/callback',
  'com.example.app://callback',
  'com.example.app:/callback/',
  'com.example.app.evil:/callback',
  'COM.EXAMPLE.APP:/callback',
]

const CASES = [...mutations.map((uri) => [web, uri] as const), ...nativeMutations.map((uri) => [native, uri] as const)]

/** Where an answer leads the browser: by its header, by a form, by a link. */
function leadsTo({ headers, body }: { headers: Record<string, unknown>; body: string }): string[] {
  const { location, refresh } = headers
  const inside = [...body.matchAll(/<(?:form|a|iframe|meta)\b[^>]*?(?:action|href|src|content)="([^"]*)"/g)]
  return [location, refresh, ...inside.map(([, address]) => address)]
    .filter((address) => typeof address === 'string')
    .filter((address) => new URL(address.replaceAll('&amp;', '&'), server.issuer).origin !== server.issuer)
    .filter((address) => !/^(?:width=|light dark)/.test(address))
}

const withCookie = async () => {
  const { handle } = await seedSession(server.deps, { account_id: alice.account_id })
  return { cookie: `gatehouse_session=${handle}` }
}

/** What else may be wrong, or be asked for, so that the answer takes another way. */
const ways: readonly Record<string, string | undefined>[] = [
  {},
  { prompt: 'none' },
  { response_type: 'token' },
  { response_type: undefined },
  { response_mode: 'form_post' },
  { response_mode: 'jwt' },
  { response_mode: 'form_post.jwt', scope: 'nonsense' },
  { response_mode: 'nonsense' },
  { scope: undefined },
  { request: 'x' },
  { request_uri: 'https://evil.example/request' },
  { request_uri: 'urn:ietf:params:oauth:request_uri:gth_x' },
  { request: 'x', request_uri: 'x' },
  { code_challenge_method: 'plain', response_mode: 'fragment' },
]

async function refusedAsPage(t: Test, url: string, headers: Record<string, string>, title: string): Promise<void> {
  const answer = await server.inject({ url, headers })
  const gone = leadsTo(answer)
  if (answer.statusCode < 400 || answer.statusCode >= 500) t.fail(`${title}: ${answer.statusCode}`)
  if (gone.length > 0) t.fail(`${title}: leads to ${gone.join()}`)
  if (answer.headers.location !== undefined) t.fail(`${title}: ${answer.headers.location}`)
}

t.test('the registered ones are redirected to', async (t) => {
  const headers = await withCookie()
  const loopback = ['http://127.0.0.1:4000/callback', 'http://[::1]/callback', 'com.example.app:/callback']
  const right = [...redirect_uris.map((uri) => [web, uri] as const), ...loopback.map((uri) => [native, uri] as const)]
  for (const [client, redirect_uri] of right) {
    const { url } = authorizationUrl(server, client, { redirect_uri, prompt: 'none' })
    const { headers: received } = await server.inject({ url, headers })
    t.ok(String(received.location).startsWith(redirect_uri), redirect_uri)
  }
})

t.test('RFC 9700 §4.1.3: a redirect_uri that only looks registered is a page, whatever else is asked', async (t) => {
  const headers = await withCookie()
  for (const [client, redirect_uri] of CASES) {
    for (const way of ways) {
      const { url } = authorizationUrl(server, client, { redirect_uri, ...way })
      await refusedAsPage(t, url, headers, `${redirect_uri.slice(0, 80)} ${JSON.stringify(way)}`)
    }
  }
})

t.test('RFC 9101 §6.3: neither inside a request object, nor beside it', async (t) => {
  const headers = await withCookie()
  const { searchParams } = new URL(authorizationUrl(server, web, { prompt: 'none' }).url)
  const signed = (redirect_uri: string | undefined) =>
    signAs(key, { ...Object.fromEntries(searchParams), iss: 'web', aud: server.issuer, redirect_uri })
  const at = (request: string, redirect_uri: string) =>
    `/authorize?${new URLSearchParams({ client_id: 'web', response_type: 'code', request, redirect_uri }).toString()}`
  for (const evil of mutations) {
    await refusedAsPage(t, at(await signed(evil), REGISTERED), headers, `inside ${evil.slice(0, 80)}`)
  }
  await refusedAsPage(t, at(await signed(undefined), 'https://evil.example'), headers, 'missing inside, beside it')
  const { headers: received } = await server.inject({
    url: at(await signed(REGISTERED), 'https://evil.example'),
    headers,
  })
  t.match(received.location, /^https:\/\/app\.example\/callback\?code=/, 'what is inside counts')
})

t.test('RFC 9126 §2.1: not pushed either, and the pushed one cannot be replaced', async (t) => {
  const { searchParams } = new URL(authorizationUrl(server, { ...web, client_id: 'confidential' }).url)
  const pushed = { ...Object.fromEntries(searchParams), prompt: 'none' }
  const push = (redirect_uri: string) =>
    server.postForm('/par', { ...pushed, redirect_uri }, basic('confidential', SECRET))
  for (const evil of mutations) {
    const { statusCode, headers } = await push(evil)
    if (statusCode !== 400 || headers.location !== undefined) t.fail(`${evil}: ${statusCode}`)
  }
  const { request_uri } = (await push(REGISTERED)).json()
  const query = { client_id: 'confidential', request_uri, redirect_uri: 'https://evil.example' }
  const { headers } = await server.inject({
    url: `/authorize?${new URLSearchParams(query).toString()}`,
    headers: await withCookie(),
  })
  t.match(headers.location, /^https:\/\/app\.example\/callback\?code=/)
})

t.test('OAuth 2.1 §4.1.3: POST to the authorization endpoint leads to itself, and on to nowhere else', async (t) => {
  for (const [client, redirect_uri] of CASES) {
    const { searchParams } = new URL(authorizationUrl(server, client, { redirect_uri }).url)
    const first = await server.postForm('/authorize', searchParams.toString())
    if (first.statusCode >= 400) continue
    t.equal(first.statusCode, 303)
    const { location = '' } = first.headers
    if (!/^\/authorize\?/.test(location)) t.fail(`${redirect_uri}: ${location}`)
    await refusedAsPage(t, location, {}, redirect_uri)
  }
})

t.test('RP-Initiated Logout 1.0 §3: nor after signing out, with a session and without', async (t) => {
  const evils = mutations.map((evil) => evil.replace('/callback', '/out'))
  for (const headers of [{}, await withCookie()]) {
    for (const post_logout_redirect_uri of [...evils, WITH_QUERY]) {
      for (const more of [{ client_id: 'web' }, {}, { client_id: 'nobody' }, { id_token_hint: 'x' }]) {
        const query = new URLSearchParams({ post_logout_redirect_uri, ...more }).toString()
        await refusedAsPage(
          t,
          `/logout?${query}`,
          headers,
          `${post_logout_redirect_uri.slice(0, 80)} ${Object.keys(more).join()}`,
        )
      }
    }
  }
})

t.test('a redirect URI that was taken away while the request waited is not redirected to', async (t) => {
  const gone = 'https://app.example/gone'
  const client = await server.createClient({ ...metadata, client_id: 'changing', redirect_uris: [gone, REGISTERED] })
  const started = await server.inject({ url: authorizationUrl(server, client, { redirect_uri: gone }).url })
  const cookie = [started.headers['set-cookie']].flat().join().split(';')[0] ?? ''
  await server.deps.store.updateClient({ ...client, redirect_uris: [REGISTERED] }, [])
  const id = new URL(String(started.headers.location), server.issuer).searchParams.get('interaction')
  for (const step of ['/login', '/consent', '/select-account', '/authorize/resume']) {
    await refusedAsPage(t, `${step}?interaction=${id}`, { cookie }, step)
  }
})

t.test('no other parameter is an address that anybody is sent to', async (t) => {
  const evil = 'https://evil.example/'
  const names = [
    'next',
    'return_to',
    'returnTo',
    'redirect',
    'redirect_to',
    'continue',
    'url',
    'then',
    'target_link_uri',
  ]
  const query = new URLSearchParams(names.map((name) => [name, evil])).toString()
  for (const path of ['/login', '/logout', '/device', '/consent', '/select-account', '/authorize/resume', '/setup']) {
    for (const headers of [{}, await withCookie()]) {
      for (const url of [
        `${path}?${query}`,
        `${path}?then=//evil.example`,
        `/${path}//evil.example`,
        `${path}/%2f%2fevil.example`,
      ]) {
        t.same(leadsTo(await server.inject({ url, headers })), [], url)
      }
    }
  }
})
