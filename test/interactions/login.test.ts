import t, { type Test } from 'tap'
import { commonPasswords } from '../../server/accounts/common_passwords.ts'
import type { Client } from '../../server/protocol/client.ts'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'
import {
  authorizationUrl,
  createBrowser,
  formIn,
  type Landing,
  signInThroughPages,
  WEB_CLIENT,
} from '../helpers/web_client.ts'

// Reading them takes a moment in which the first server would call itself busy.
await commonPasswords()

/** Alice, a client of the operator's own, and a browser that nobody is signed in at. */
async function setUp(t: Test, options?: Parameters<typeof buildTestApp>[1], changes: Partial<Client> = {}) {
  const server = await buildTestApp(t, options)
  const alice = await server.createAccount()
  const client = await server.createClient({ ...WEB_CLIENT, ...changes })
  const browser = createBrowser(server)
  const url = (parameters?: Record<string, string | undefined>) => authorizationUrl(server, client, parameters).url
  const audited = async (event: string) =>
    (await server.deps.store.listAudit({ event }, { limit: 20, cursor: null })).items
  return { ...server, alice, client, browser, url, audited }
}

const isLogin = ({ statusCode, body }: Landing) => statusCode === 200 && body.includes('id="login-submit"')
const CREDENTIALS = { username: 'alice', password: PASSWORD }

t.test('RFC 6749 §4.1: a person signs in and the client gets its code', async (t) => {
  const { browser, url, alice, audited } = await setUp(t)
  const page = await browser.open(url())
  t.equal(page.url.pathname, '/login')
  t.match(page.body, '<h1>Sign in</h1>')
  const landing = await browser.submit(page, CREDENTIALS)
  t.equal(landing.statusCode, 303, 'RFC 9700 §4.12: never 307, which would send the password on')
  t.equal(landing.url.origin + landing.url.pathname, 'https://app.example/callback')
  t.match(Object.fromEntries(landing.url.searchParams), {
    code: /^gth_ac_[\w-]{43}$/,
    state: 'the state',
    iss: 'http://localhost:3000',
  })
  const [issued] = await audited('authorization.code_issued')
  t.match(issued, { account_id: alice.account_id, client_id: 'web', address_prefix: '127.0.0.1' })
  const [started] = await audited('session.started')
  t.match(started, { account_id: alice.account_id, session_id: issued?.session_id })
  t.match(await audited('sign_in.succeeded'), [{ account_id: alice.account_id, session_id: issued?.session_id }])
})

t.test('who is signed in is not asked again, and no paused request is made', async (t) => {
  const { browser, url } = await setUp(t)
  await signInThroughPages(browser, url())
  const again = await browser.open(url())
  t.ok(again.left)
  t.ok(again.url.searchParams.get('code'))
})

t.test('cookies: HttpOnly, SameSite=Lax, for the browser’s session; __Host- and Secure on https', async (t) => {
  for (const [issuer, prefix, secure] of [
    ['http://localhost:3000', '', ''],
    ['https://id.example.com', '__Host-', '; Secure'],
  ] as const) {
    const { inject, url, browser } = await setUp(t, { config: { issuer } })
    const asked = await inject({ url: url().slice(issuer.length) })
    const named = new RegExp(`^${prefix}gatehouse_browser=[\\w-]{43}; Path=/; HttpOnly; SameSite=Lax${secure}$`)
    t.match(asked.headers['set-cookie'], named)
    await signInThroughPages(browser, url())
    t.same([...browser.cookies.keys()], [`${prefix}gatehouse_browser`, `${prefix}gatehouse_session`])
  }
})

t.test('remember: the cookie outlives the browser, and the session has no idle lifetime', async (t) => {
  const { deps, browser, url, clock } = await setUp(t)
  const page = await browser.open(url())
  const { action, fields } = formIn(page.body)
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const response = await deps.store.listSessions({}, { limit: 1, cursor: null })
  t.same(response.items, [])
  const answer = await browser.post(action, { ...fields, ...CREDENTIALS, remember: 'true' }, { cookie })
  t.ok(answer.left)
  const { items } = await deps.store.listSessions({}, { limit: 1, cursor: null })
  const { remembered_seconds } = deps.config.sessions
  t.match(items, [{ remembered: true, absolute_expires_at: clock.now() + remembered_seconds }])
  clock.advance(remembered_seconds - 1)
  t.ok((await browser.open(url())).left)
  clock.advance(1)
  t.ok(isLogin(await browser.open(url())))
})

t.test('a session ends when nobody uses it, and in any case after a day', async (t) => {
  const { deps, browser, url, clock } = await setUp(t)
  const { idle_seconds, absolute_seconds } = deps.config.sessions
  await signInThroughPages(browser, url())
  clock.advance(idle_seconds)
  t.ok(isLogin(await browser.open(url())))
  await signInThroughPages(browser, url())
  for (let used = 0; used + idle_seconds - 1 < absolute_seconds; used += idle_seconds - 1) {
    t.ok((await browser.open(url())).left)
    clock.advance(idle_seconds - 1)
  }
  clock.advance(absolute_seconds % (idle_seconds - 1))
  t.ok(isLogin(await browser.open(url())))
})

t.test('being seen is written down once a minute at most', async (t) => {
  const { deps, browser, url, clock } = await setUp(t)
  await signInThroughPages(browser, url())
  const started = clock.now()
  const seen = async () => {
    await browser.open(url())
    const { items } = await deps.store.listSessions({}, { limit: 1, cursor: null })
    return (items[0]?.last_seen_at ?? 0) - started
  }
  clock.advance(59)
  t.equal(await seen(), 0)
  clock.advance(1)
  t.equal(await seen(), 60)
})

t.test('OWASP: a wrong password, an unknown name, a disabled account: one answer, with the name kept', async (t) => {
  const { deps, browser, url, createAccount, clock } = await setUp(t)
  const bob = await createAccount({ username: 'bob' })
  await deps.store.disableAccount(bob.account_id, clock.now(), [])
  const pages: string[] = []
  for (const credentials of [
    { username: 'alice', password: 'wrong' },
    { username: 'nobody', password: PASSWORD },
    { username: 'bob', password: PASSWORD },
    { username: 'alice', password: '' },
  ]) {
    const answer = await browser.submit(await browser.open(url()), credentials)
    t.equal(answer.statusCode, 422)
    t.match(answer.body, `value="${credentials.username}"`)
    t.notMatch(answer.body, PASSWORD)
    const masked = answer.body.replaceAll(credentials.username, 'NAME').replaceAll(/value="[\w-]{43}"/g, '')
    pages.push(masked.replaceAll(/interaction=[\w-]+/g, ''))
  }
  t.equal(new Set(pages).size, 1)
  t.notOk(browser.cookies.has('gatehouse_session'))
  const again = await browser.submit(await browser.open(url()), { ...CREDENTIALS, password: 'wrong' })
  t.ok((await browser.submit(again, CREDENTIALS)).left, 'the page with the problem is a form as good as the first')
})

t.test(
  'guesses are throttled by account and address, with Retry-After; a success gives its attempt back',
  async (t) => {
    const { browser, url } = await setUp(t)
    const attempt = async (password: string) =>
      browser.submit(await browser.open(url({ prompt: 'login' })), { username: 'alice', password })
    for (let guesses = 1; guesses <= 4; guesses += 1) t.equal((await attempt(`guess ${guesses}`)).statusCode, 422)
    for (let honest = 1; honest <= 3; honest += 1) t.ok((await attempt(PASSWORD)).left)
    t.equal((await attempt('guess 5')).statusCode, 422)
    const locked = await attempt(PASSWORD)
    t.equal(locked.statusCode, 429)
    t.match(locked.headers, { 'retry-after': /^[1-9]\d*$/ })
    t.match(locked.body, 'id="login-submit"')
  },
)

t.test('while others are hashing: a 503 page with Retry-After and the form', async (t) => {
  const passwords = { hash_concurrency: 1, hash_queue: 0, time_cost: 10 }
  const { deps, browser, url } = await setUp(t, { config: { passwords } })
  const page = await browser.open(url())
  const other = deps.passwords.hash(PASSWORD)
  const busy = await browser.submit(page, CREDENTIALS)
  t.equal(busy.statusCode, 503)
  t.match(busy.headers, { 'retry-after': /^[1-9]\d*$/ })
  await other
  t.ok((await browser.submit(busy, CREDENTIALS)).left)
})

t.test('RFC 6749 §4.1.2.1: cancel answers access_denied, once', async (t) => {
  const { browser, url } = await setUp(t)
  const page = await browser.open(url())
  const { fields } = formIn(page.body)
  const landing = await browser.submit(page, { cancel: 'true' })
  t.match(Object.fromEntries(landing.url.searchParams), { error: 'access_denied', state: 'the state' })
  t.notOk(landing.url.searchParams.has('code'))
  const again = await browser.submit(page, { ...fields, ...CREDENTIALS })
  t.equal(again.statusCode, 404)
  t.match(again.body, 'This page is out of date')
})

t.test('the back button and a second submit do no harm', async (t) => {
  const { browser, url, deps } = await setUp(t, {}, { first_party: false })
  const page = await browser.open(url())
  const consent = await browser.submit(page, CREDENTIALS)
  t.match(consent.body, 'id="consent-approve"')
  const twice = await browser.submit(page, CREDENTIALS)
  t.match(twice.body, 'id="consent-approve"', 'back, and the same form again')
  t.equal((await deps.store.listSessions({}, { limit: 10, cursor: null })).items.length, 1, 'still one session')
  t.ok(isLogin(await browser.open(page.url.href)), 'back, and another may sign in')
  const landing = await browser.submit(twice, { decision: 'approve' })
  t.ok(landing.url.searchParams.get('code'))
  for (const late of [await browser.submit(page, CREDENTIALS), await browser.submit(twice, { decision: 'approve' })]) {
    t.equal(late.statusCode, 404)
    t.match(late.body, 'This page is out of date')
  }
})

t.test('two tabs: a form that was shown before somebody signed in next to it still works', async (t) => {
  const { browser, url } = await setUp(t)
  const [one, other] = [await browser.open(url({ state: 'one' })), await browser.open(url({ state: 'other' }))]
  t.equal((await browser.submit(one, CREDENTIALS)).url.searchParams.get('state'), 'one')
  t.equal((await browser.submit(other, CREDENTIALS)).url.searchParams.get('state'), 'other')
})

t.test(
  'OpenID Connect Core §3.1.2.1 prompt=login: the person proves it again; the sid stays, the handle does not',
  async (t) => {
    const { browser, url, clock, deps, alice } = await setUp(t)
    await signInThroughPages(browser, url())
    const [before] = (await deps.store.listSessions({}, { limit: 2, cursor: null })).items
    const handle = browser.cookies.get('gatehouse_session')
    clock.advance(100)
    const page = await browser.open(url({ prompt: 'login' }))
    t.ok(isLogin(page))
    t.match(page.body, 'value="alice"')
    t.ok((await browser.submit(page, CREDENTIALS)).left)
    const sessions = (await deps.store.listSessions({ account_id: alice.account_id }, { limit: 2, cursor: null })).items
    t.match(sessions, [{ session_id: before?.session_id, auth_time: clock.now() }])
    t.equal(sessions.length, 1)
    t.not(browser.cookies.get('gatehouse_session'), handle)
  },
)

t.test('another one signs in: the session before ends', async (t) => {
  const { browser, url, deps, createAccount, alice } = await setUp(t)
  await createAccount({ username: 'bob' })
  await signInThroughPages(browser, url())
  const page = await browser.open(url({ prompt: 'login' }))
  const [, href = ''] = /href="([^"]*another=true)"/.exec(page.body) ?? []
  const blank = await browser.open(href.replaceAll('&amp;', '&'))
  t.notMatch(blank.body, 'value="alice"')
  t.ok((await browser.submit(blank, { username: 'bob', password: PASSWORD })).left)
  const sessions = (await deps.store.listSessions({ account_id: alice.account_id }, { limit: 2, cursor: null })).items
  t.match(sessions, [{ ended_because: 'signed_in_again' }])
})

t.test('prompt=none: an answer without a page', async (t) => {
  const { browser, url } = await setUp(t)
  const nobody = await browser.open(url({ prompt: 'none' }))
  t.equal(nobody.url.searchParams.get('error'), 'login_required')
  t.equal(nobody.url.searchParams.get('iss'), 'http://localhost:3000')
  t.same([...browser.cookies], [], 'and without a trace in the browser')
  await signInThroughPages(browser, url())
  t.ok((await browser.open(url({ prompt: 'none' }))).url.searchParams.get('code'))
})

t.test('a session that ended elsewhere is as good as none', async (t) => {
  const { browser, url, deps, alice, clock } = await setUp(t)
  await signInThroughPages(browser, url())
  await deps.store.endSessions({ account_id: alice.account_id }, 'revoked_by_admin', clock.now(), [])
  t.ok(isLogin(await browser.open(url())))
  await signInThroughPages(browser, url())
  await deps.store.disableAccount(alice.account_id, clock.now(), [])
  t.ok(isLogin(await browser.open(url())))
})

t.test('login_hint fills the name in, as text', async (t) => {
  const { browser, url } = await setUp(t)
  t.match((await browser.open(url({ login_hint: 'ali"><b>ce' }))).body, 'value="ali&quot;&gt;&lt;b&gt;ce"')
})

t.test('without a request: signing in for its own sake, and who is signed in', async (t) => {
  const { browser } = await setUp(t)
  const page = await browser.open('/login')
  t.ok(isLogin(page))
  t.notMatch(page.body, 'login-cancel', 'there is nobody to answer')
  const done = await browser.submit(page, CREDENTIALS)
  t.equal(done.url.pathname, '/login')
  t.match(done.body, 'alice')
  t.notMatch(done.body, 'login-submit')
})

t.test('an issuer with a path has the pages below it', async (t) => {
  const { browser, url } = await setUp(t, { config: { issuer: 'http://localhost:3000/id' } })
  const page = await browser.open(url())
  t.equal(page.url.pathname, '/id/login')
  t.ok((await browser.submit(page, CREDENTIALS)).url.searchParams.get('code'))
})

t.test('Chrome holds form-action against the redirect that follows a form: it lets the client’s in', async (t) => {
  const { browser, url } = await setUp(t)
  const { headers } = await browser.open(url())
  t.match(headers['content-security-policy'], /form-action 'self' https:/)
})
