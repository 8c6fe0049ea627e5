import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { basic, buildTestApp, PASSWORD } from '../helpers/app.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { DEVICE_CLIENT, signedInBrowser, startDevice } from '../helpers/device.ts'
import { authorizationUrl, createBrowser, formIn, WEB_CLIENT } from '../helpers/web_client.ts'

/** What a stranger may not learn where browsers, devices and clients come in. */

const SECRET = 'a client secret of some length'
const CONFIG = {
  http: { max_event_loop_delay_milliseconds: 0 },
  registration: { mode: 'open', max_per_address_per_hour: 1000, metadata_documents: false },
  throttle: {
    client_failures_per_minute: 100_000,
    address_attempts_per_minute: 100_000,
    account_attempts_per_minute: 100_000,
  },
} as const

async function prepare(t: Test, throttle: Partial<typeof CONFIG.throttle> = CONFIG.throttle) {
  const server = await buildTestApp(t, { config: { ...CONFIG, throttle } })
  const alice = await server.createAccount({ username: 'alice', email: 'alice@example.com' })
  const disabled = await server.createAccount({ username: 'disabled' })
  await server.deps.store.disableAccount(disabled.account_id, server.clock.now(), [])
  const web = await server.createClient(WEB_CLIENT)
  return { ...server, alice, disabled, web }
}

/** An answer without what differs between any two. */
function seen({ statusCode, headers, body }: LightMyRequestResponse): string {
  const others = Object.entries(headers).filter(([name]) => !['date', 'set-cookie', 'content-length'].includes(name))
  const plain = body
    .replaceAll(/name="csrf_token" value="[^"]*"|<code>[\w-]+<\/code>|interaction=[\w-]{22}/g, '')
    .replaceAll(/(name="username"[^>]*?) value="[^"]*"/g, '$1')
  return JSON.stringify({ statusCode, headers: others, body: plain })
}

t.test('the login page: whoever cannot sign in sees one page', async (t) => {
  const server = await prepare(t)
  const answers = new Set<string>()
  const names = ['alice', 'alice@example.com', 'disabled', 'nobody', 'x'.repeat(200), '\u200b']
  for (const username of names) {
    const browser = createBrowser(server)
    const page = await browser.open('/login')
    const { fields } = formIn(page.body)
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    const password = username === 'disabled' ? PASSWORD : 'wrong'
    answers.add(seen(await server.postForm('/login', { ...fields, username, password }, { cookie })))
  }
  t.equal(answers.size, 1, [...answers].join('\n'))
  t.match([...answers][0], /"statusCode":422/)
})

t.test('the login page: how long a lock lasts is said, and is the same for whom it may concern or not', async (t) => {
  const rows = new Set<string>()
  for (const username of ['alice', 'disabled', 'nobody', 'x'.repeat(200)]) {
    const server = await prepare(t, {})
    const browser = createBrowser(server)
    const { fields } = formIn((await browser.open('/login')).body)
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    const attempt = () => server.postForm('/login', { ...fields, username, password: 'wrong' }, { cookie })
    const answers: string[] = []
    for (let guess = 0; guess < 7; guess += 1) answers.push(seen(await attempt()))
    server.clock.advance(60)
    for (let guess = 0; guess < 3; guess += 1) answers.push(seen(await attempt()))
    t.match(answers[6], /"statusCode":429.*"retry-after","\d+".*Too many attempts\. Try again in 1 minute\./)
    rows.add(JSON.stringify(answers))
  }
  t.equal(rows.size, 1)
})

t.test('OpenID Connect Core §5.5.1: knowing a sub teaches nobody the name that goes with it', async (t) => {
  const server = await prepare(t)
  const { id_token } = (
    await server.postForm('/token', codeForm(server.web, await codeFor(server, server.web, server.alice)))
  ).json()
  const claims = (sub: string) => ({ claims: JSON.stringify({ id_token: { sub: { value: sub } } }) })
  const pages = []
  for (const asked of [
    claims(server.alice.account_id),
    claims(server.disabled.account_id),
    claims('nobody'),
    { id_token_hint: id_token },
  ]) {
    const { body, statusCode } = await createBrowser(server).open(authorizationUrl(server, server.web, asked).url)
    t.equal(statusCode, 200)
    t.notMatch(body, 'alice', JSON.stringify(asked).slice(0, 60))
    pages.push(body.replaceAll(/name="csrf_token" value="[^"]*"|interaction=[\w-]{22}/g, ''))
  }
  t.equal(new Set(pages).size, 1)
  const browser = await signedInBrowser(server, server.alice.account_id)
  const own = authorizationUrl(server, server.web, { ...claims(server.alice.account_id), prompt: 'login' })
  t.match((await browser.open(own.url)).body, 'alice', 'who is signed in sees their own name')
})

t.test('authorize, token and PAR: a client that is unknown and one that is disabled are the same', async (t) => {
  const server = await prepare(t)
  await server.createClient({ ...WEB_CLIENT, client_id: 'off', disabled_at: server.clock.now() })
  await server.createClient({ ...WEB_CLIENT, client_id: 'kept', client_secret: SECRET })
  const answers: Record<string, Set<string>> = {}
  const note = (where: string, answer: LightMyRequestResponse) => {
    answers[where] ??= new Set()
    answers[where].add(seen(answer))
  }
  for (const client_id of ['off', 'nobody', 'gatehouse', '\u00e9', "' OR 1=1"]) {
    const query = new URL(authorizationUrl(server, { ...WEB_CLIENT, client_id }).url).search
    note('/authorize', await server.inject({ url: `/authorize${query}` }))
    note('/authorize, bare', await server.inject({ url: `/authorize?client_id=${encodeURIComponent(client_id)}` }))
    note('/authorize by POST', await server.postForm('/authorize', query.slice(1)))
  }
  for (const [client_id, headers] of [
    ['off', {}],
    ['nobody', {}],
    ['kept', {}],
    ['', basic('kept', 'wrong')],
    ['', basic('off', SECRET)],
    ['', basic('nobody', SECRET)],
  ] as const) {
    for (const url of ['/token', '/par', '/device_authorization', '/revoke']) {
      const form = { grant_type: 'authorization_code', token: 'x', ...(client_id === '' ? {} : { client_id }) }
      note(url, await server.postForm(url, form, headers))
    }
  }
  for (const [where, set] of Object.entries(answers)) t.equal(set.size, 1, `${where}\n${[...set].join('\n')}`)
})

t.test(
  'RFC 7592 §3: of a client that is another’s, gone, or never was, a registration token learns nothing',
  async (t) => {
    const server = await prepare(t)
    const register = async () =>
      (await server.postJson('/register', { redirect_uris: ['https://a.example/cb'] })).json()
    const [mine, other, gone] = [await register(), await register(), await register()]
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    await server.inject({
      method: 'DELETE',
      url: `/register/${gone.client_id}`,
      headers: bearer(gone.registration_access_token),
    })
    const attempts = [
      [other.client_id, mine.registration_access_token],
      [gone.client_id, gone.registration_access_token],
      ['web', mine.registration_access_token],
      ['nobody', mine.registration_access_token],
      [mine.client_id, 'x'],
      [mine.client_id, mine.client_secret],
      [mine.client_id, `${mine.registration_access_token}x`],
      ['__proto__', 'x'],
    ]
    const answers = new Set<string>()
    for (const [client_id, token] of attempts) {
      for (const method of ['GET', 'DELETE'] as const) {
        answers.add(seen(await server.inject({ method, url: `/register/${client_id}`, headers: bearer(token) })))
      }
    }
    t.equal(answers.size, 1, [...answers].join('\n'))
    const url = `/register/${mine.client_id}`
    t.equal((await server.inject({ url, headers: bearer(mine.registration_access_token) })).statusCode, 200)
  },
)

t.test(
  'RFC 8628 §5.1: user codes that are unknown, expired, or decided or claimed by somebody else are one page',
  async (t) => {
    const server = await prepare(t)
    await server.createClient(DEVICE_CLIENT)
    const bob = await server.createAccount({ username: 'bob' })
    const browser = await signedInBrowser(server, server.alice.account_id)
    const other = await signedInBrowser(server, bob.account_id)
    const enter = async (user_code: string, who = browser) => who.submit(await who.open('/device'), { user_code })
    const expired = await startDevice(server)
    server.clock.advance(expired.expires_in)
    const decided = await startDevice(server)
    await other.submit(await enter(decided.user_code, other), { decision: 'deny' })
    const taken = await startDevice(server)
    await enter(taken.user_code, other)
    const answers = new Set<string>()
    for (const user_code of [expired.user_code, decided.user_code, taken.user_code, 'BCDF-GHJK', 'x', '']) {
      const { statusCode, body } = await enter(user_code)
      const plain = body.replaceAll(/ value="[^"]*"/g, '')
      answers.add(JSON.stringify({ statusCode, plain }))
    }
    t.equal(answers.size, 1, [...answers].join('\n'))
  },
)

t.test('RFC 8628 §3.5: device codes that are unknown, or another client’s, are one answer', async (t) => {
  const server = await prepare(t)
  await server.createClient(DEVICE_CLIENT)
  await server.createClient({ ...DEVICE_CLIENT, client_id: 'radio' })
  const { device_code } = await startDevice(server)
  const [grant_type] = DEVICE_CLIENT.grant_types
  const answers = new Set<string>()
  for (const code of [device_code, `${device_code}x`, 'x', 'gth_dc_']) {
    answers.add(seen(await server.postForm('/token', { grant_type, client_id: 'radio', device_code: code })))
  }
  t.equal(answers.size, 1, [...answers].join('\n'))
})

t.test('RFC 6749 §3.2: a parameter that recurs is refused, wherever one of them would have counted', async (t) => {
  const server = await prepare(t)
  await server.createClient({ ...WEB_CLIENT, client_id: 'kept', client_secret: SECRET })
  const browser = await signedInBrowser(server, server.alice.account_id)
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const { searchParams } = new URL(authorizationUrl(server, server.web, { prompt: 'none', nonce: 'n' }).url)
  const evil = 'https://evil.example'
  const query = searchParams.toString()
  for (const name of searchParams.keys()) {
    for (const value of [evil, searchParams.get(name) ?? '']) {
      for (const twice of [`${query}&${name}=${value}`, `${name}=${value}&${query}`]) {
        const { statusCode, headers } = await server.inject({ url: `/authorize?${twice}`, headers: { cookie } })
        const location = String(headers.location)
        const refused = statusCode === 400 || (statusCode === 303 && location.includes('error=invalid_request'))
        if (!refused || location.startsWith(evil)) t.fail(`${name}: ${statusCode} ${location}`)
        const pushed = await server.postForm('/par', twice)
        if (pushed.statusCode < 400) t.fail(`${name} pushed: ${pushed.statusCode}`)
      }
    }
  }
  const form = new URLSearchParams(codeForm(server.web, await codeFor(server, server.web, server.alice)))
  for (const name of form.keys()) {
    const twice = await server.postForm('/token', `${form.toString()}&${name}=${form.get(name)}`)
    if (twice.statusCode < 400) t.fail(`${name} at the token endpoint: ${twice.statusCode}`)
  }
  t.equal((await server.postForm('/token', form.toString())).statusCode, 200, 'and once it is fine')
  const more = [
    'client_id=web&client_id=kept',
    'client_id=web&client_secret=x',
    `client_id=kept&client_secret=${SECRET}&client_secret=x`,
  ]
  for (const shown of more) {
    const answer = await server.postForm('/token', `grant_type=refresh_token&refresh_token=x&${shown}`)
    t.ok([400, 401].includes(answer.statusCode) && !answer.body.includes('invalid_grant'), shown)
  }
  const both = await server.postForm('/token', { grant_type: 'refresh_token', client_id: 'web' }, basic('kept', SECRET))
  t.ok(both.statusCode >= 400 && !both.body.includes('refresh_token is missing'), 'two clients at once')
})
