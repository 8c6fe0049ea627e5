import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { DEVICE_CLIENT, signedInBrowser, startDevice } from '../helpers/device.ts'
import { authorizationUrl, createBrowser, formIn, WEB_CLIENT } from '../helpers/web_client.ts'
import { pageTargets } from './page_targets.ts'
import { furnish, requestOf, type Target, targets } from './targets.ts'

/** What other sites, and what is echoed, can do to pages. Fixation and login CSRF: `interactions/other_browsers.test.ts`. */

const server = await buildTestApp(t, {
  config: {
    http: { max_event_loop_delay_milliseconds: 0 },
    throttle: { account_attempts_per_minute: 100_000, address_attempts_per_minute: 100_000 },
  },
})
await furnish(server)
const pages = targets.filter(({ refusal }) => refusal === 'page')
const named = ({ method, route }: Target) => `${method} ${route}`

t.test('RFC 9700 §4.16, clickjacking: no page can be framed, stored or sniffed, whatever it answers', async (t) => {
  for (const target of pages) {
    const honest = await target.honest(server)
    const variants = [
      requestOf(target, honest),
      requestOf(target, honest, {}),
      { ...requestOf(target, honest), headers: {} },
      { method: target.method, url: `${honest.url.split('?')[0]}?interaction=x&client_id=x&token=x` },
    ]
    for (const variant of variants) {
      const { statusCode, headers } = await server.inject(variant)
      const policy = String(headers['content-security-policy'])
      const title = `${named(target)}: ${statusCode}`
      for (const directive of [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "script-src 'self'",
      ]) {
        if (!policy.includes(directive)) t.fail(`${title}: no ${directive}`)
      }
      if (/unsafe|\*|nonce-/.test(policy)) t.fail(`${title}: ${policy}`)
      t.match(
        headers,
        { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'referrer-policy': 'same-origin' },
        title,
      )
    }
  }
})

const FOREIGN: readonly Record<string, string>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://localhost:3000.evil.example' },
  { origin: 'https://localhost:3000' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' },
]

t.test(
  'OWASP CSRF Prevention: no form counts that is not this session’s own, and the honest one still does',
  async (t) => {
    const forms = pageTargets.filter(({ method }) => method === 'POST')
    t.ok(forms.length >= 4)
    for (const target of forms) {
      const honest = await target.honest(server)
      const theirs = await target.honest(server)
      const { csrf_token: right = '' } = honest.members
      const { csrf_token: foreign = '' } = theirs.members
      const token = String(right)
      const wrong = [
        '',
        String(foreign),
        `${token}x`,
        token.slice(1),
        token.toUpperCase(),
        'x'.repeat(43),
        '\u0000',
        '0',
      ]
      const send = (members: object, headers: Record<string, string> = {}) => {
        const request = requestOf(target, honest, { ...honest.members, ...members })
        return server.inject({ ...request, headers: { ...request.headers, ...headers } })
      }
      for (const csrf_token of wrong) {
        const { statusCode } = await send({ csrf_token })
        if (statusCode !== 403 && statusCode !== 400) t.fail(`${named(target)} with ${csrf_token}: ${statusCode}`)
      }
      for (const headers of FOREIGN) {
        t.equal((await send({}, headers)).statusCode, 403, `${named(target)} ${JSON.stringify(headers)}`)
      }
      for (const cookie of ['', 'gatehouse_session=x; gatehouse_browser=x', theirs.headers?.cookie ?? '']) {
        const { statusCode, headers } = await send({}, { cookie })
        const to_login = statusCode === 303 && /^\/login\?/.test(String(headers.location))
        if (![403, 404].includes(statusCode) && !to_login) t.fail(`${named(target)} without its cookie: ${statusCode}`)
      }
      const { statusCode } = await send({})
      t.equal(statusCode, target.answers ?? 200, `${named(target)}: the honest one`)
    }
  },
)

t.test('RP-Initiated Logout 1.0 §2: a page of another site signs nobody out', async (t) => {
  const alice = await server.deps.store.findAccountByIdentifier('alice')
  const victim = await signedInBrowser(server, alice?.account_id ?? '')
  const signedIn = async () => (await victim.open('/login')).body.includes('You are signed in')
  const cross_site = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const ask = await victim.open('/logout')
  const { csrf_token = '' } = formIn(ask.body).fields
  const attacker = await signedInBrowser(server, alice?.account_id ?? '')
  const { csrf_token: stolen = '' } = formIn((await attacker.open('/logout')).body).fields
  const attempts: [Record<string, string>, Record<string, string>][] = [
    [{}, cross_site],
    [{ decision: 'confirm' }, cross_site],
    [{ decision: 'confirm' }, {}],
    [{ decision: 'confirm', csrf_token }, cross_site],
    [{ decision: 'confirm', csrf_token: stolen }, {}],
    [{ decision: 'confirm', csrf_token: 'x' }, {}],
    [{ decision: 'confirm', client_id: 'service', logout_hint: 'alice' }, cross_site],
    [{ id_token_hint: 'x' }, cross_site],
  ]
  for (const [form, headers] of attempts) {
    await victim.post('/logout', form, headers)
    await victim.open(`/logout?${new URLSearchParams(form).toString()}`, headers)
    t.equal(await signedIn(), true, JSON.stringify(form))
  }
  await victim.submit(ask, { decision: 'confirm' })
  t.equal(await signedIn(), false, 'the person themselves')
})

const PAYLOADS = [
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '" onfocus="alert(1)" autofocus="',
  '</title></textarea></style><svg/onload=alert(1)>',
  '<!--<script>-->alert(1)<!--',
  '&quot;&gt;&lt;script&gt;',
  'javascript:alert(1)//',
  '{{7*7}} <%= 7*7 %>',
  '\u2028<b>\u202e',
]

/** What a page would do that it should not. */
function active(body: string): string[] {
  const tags = body.match(/<[a-z!/][^>]*>/gi) ?? []
  const bad = tags.filter(
    (tag) =>
      /<script(?! (?:type="module" )?(?:defer )?src="\/assets\/)|<(?:svg|iframe|object|embed|base|!--)\b/i.test(tag) ||
      /\son\w+\s*=|\s(?:href|src|action|formaction)="?\s*(?:javascript|data|vbscript):/i.test(
        tag.replaceAll(/="[^"]*"/g, (value) => value.replace(/\son/g, ' ')),
      ),
  )
  return bad.filter((tag) => !/^<img src="\/assets\//.test(tag))
}

t.test('OWASP XSS Prevention: what anybody sends or registers is text on every page', async (t) => {
  const alice = await server.deps.store.findAccountByIdentifier('alice')
  await server.createClient(DEVICE_CLIENT).catch(() => undefined)
  for (const [index, payload] of PAYLOADS.entries()) {
    const client = await server.createClient({
      ...WEB_CLIENT,
      client_id: `xss-${index}`,
      client_name: payload,
      client_uri: payload,
      logo_uri: payload,
      policy_uri: payload,
      tos_uri: payload,
      scope: `openid ${payload.replaceAll(/[ "\\]/g, '')}`,
      origin: 'registered',
      first_party: false,
    })
    const asked = { login_hint: payload, state: payload, nonce: payload, ui_locales: payload, acr_values: payload }
    const browser = await signedInBrowser(server, alice?.account_id ?? '')
    const tv = await startDevice(server, {}, { 'user-agent': payload.replaceAll(/[^\x20-\x7e]/g, '') })
    const at = (parameters: Record<string, string | undefined>) =>
      authorizationUrl(server, client, { ...asked, ...parameters }).url
    const scope = client.scope
    const query = encodeURIComponent(payload)
    const visited = [
      await createBrowser(server).open(at({})),
      await browser.open(at({ prompt: 'consent', scope })),
      await browser.open(at({ prompt: 'select_account' })),
      await browser.open(at({ prompt: 'login' })),
      await browser.open(at({ redirect_uri: payload })),
      await browser.open(at({ response_type: undefined })),
      await browser.open(at({ response_mode: 'form_post', prompt: 'none', scope: 'nonsense' })),
      await browser.open(at({ response_mode: 'form_post', prompt: 'none', max_age: payload })),
      await browser.open(`/authorize?client_id=${query}`),
      await browser.open(`/authorize?client_id=${client.client_id}&request=${query}`),
      await browser.open(`/logout?client_id=${client.client_id}&state=${query}`),
      await browser.open(`/logout?client_id=${query}&post_logout_redirect_uri=${query}`),
      await browser.open(`/login?interaction=${query}`),
      await browser.open(`/device?user_code=${query}`),
      await browser.open(`/device?user_code=${tv.user_code}&x=${query}`),
      await browser.submit(await browser.open('/device'), { user_code: payload }),
      await browser.submit(await browser.open('/device'), { user_code: tv.user_code }),
      await createBrowser(server).open(`/${query}`),
    ]
    for (const { url, body, headers } of visited) {
      if (!String(headers['content-type']).startsWith('text/html')) continue
      const bad = active(body)
      if (bad.length > 0) t.fail(`${payload} at ${url.pathname}: ${bad.join(' ').slice(0, 300)}`)
      if (/<[a-z]/i.test(payload) && body.includes(payload)) t.fail(`${payload} at ${url.href}: raw`)
    }
    const refused = await browser.submit(await createBrowser(server).open('/login'), {
      username: payload,
      password: 'x',
    })
    t.same(active(refused.body), [], payload)
  }
})

t.test('RFC 9110 §5.5: no parameter becomes a header, and what comes back is what was sent', async (t) => {
  const client = await server.createClient({ ...WEB_CLIENT, client_id: 'headers' })
  const alice = await server.deps.store.findAccountByIdentifier('alice')
  const browser = await signedInBrowser(server, alice?.account_id ?? '')
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const values = [
    'a\r\nset-cookie: x=y',
    'a\nlocation: https://evil.example',
    'a\u2028b',
    'a&code=x&iss=x',
    '#x',
    '%0d%0a',
    '\u00e9\u{1f600}',
    ' +%',
  ]
  for (const state of values) {
    for (const response_mode of ['query', 'fragment']) {
      for (const more of [{ prompt: 'none' }, { scope: 'nonsense' }]) {
        const { url } = authorizationUrl(server, client, { state, response_mode, nonce: state, ...more })
        const { headers } = await server.inject({ url, headers: { cookie } })
        const location = new URL(String(headers.location))
        const answer = new URLSearchParams(response_mode === 'query' ? location.search : location.hash.slice(1))
        t.strictSame([answer.getAll('state'), answer.getAll('iss')], [[state], [server.issuer]])
        t.strictSame(answer.getAll('code').length + answer.getAll('error').length, 1)
        t.strictSame(
          [headers['set-cookie'] ?? []].flat().filter((line) => !line.startsWith('gatehouse_')),
          [],
        )
        t.notMatch(String(headers.location), /[\r\n\u2028]/)
      }
    }
  }
})
