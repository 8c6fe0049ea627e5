/** What one browser can do to another: fixation, login CSRF, and steps of requests that are not its own. */
import t, { type Test } from 'tap'
import { commonPasswords } from '../../server/accounts/common_passwords.ts'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'
import { authorizationUrl, createBrowser, formIn, signInThroughPages, WEB_CLIENT } from '../helpers/web_client.ts'

// Reading them takes a moment in which the first server would call itself busy.
await commonPasswords()

async function setUp(t: Test) {
  const server = await buildTestApp(t)
  const alice = await server.createAccount()
  const mallory = await server.createAccount({ username: 'mallory' })
  const client = await server.createClient({ ...WEB_CLIENT, first_party: false })
  const url = (parameters?: Record<string, string | undefined>) => authorizationUrl(server, client, parameters).url
  const sessions = async (account_id: string) =>
    (await server.deps.store.listSessions({ account_id }, { limit: 10, cursor: null })).items
  return { ...server, alice, mallory, url, sessions, victim: createBrowser(server), attacker: createBrowser(server) }
}

const CREDENTIALS = { username: 'alice', password: PASSWORD }
const MALLORYS = { username: 'mallory', password: PASSWORD }
const SESSION = 'gatehouse_session'
const BROWSER = 'gatehouse_browser'

t.test('session fixation: a handle that was planted never becomes the victim’s', async (t) => {
  const { victim, attacker, url, sessions, alice, mallory } = await setUp(t)
  await signInThroughPages(attacker, url(), MALLORYS)
  const planted = attacker.cookies.get(SESSION) ?? ''
  for (const handle of [planted, 'x'.repeat(43), '../../etc', '']) {
    victim.cookies.set(SESSION, handle)
    const page = await victim.open(url({ prompt: 'login' }))
    await victim.submit(page, CREDENTIALS)
    t.not(victim.cookies.get(SESSION), handle)
    victim.cookies.set(SESSION, handle)
    t.notMatch((await victim.open('/login')).body, 'alice')
    victim.cookies.clear()
  }
  t.match(await sessions(mallory.account_id), [{ ended_because: 'signed_in_again' }])
  t.equal((await sessions(alice.account_id)).length, 4)
})

t.test('the handle of before a sign-in opens nothing after it', async (t) => {
  const { victim, url } = await setUp(t)
  await signInThroughPages(victim, url())
  const before = victim.cookies.get(SESSION) ?? ''
  await victim.submit(await victim.open(url({ prompt: 'login' })), CREDENTIALS)
  victim.cookies.set(SESSION, before)
  t.match((await victim.open('/login')).body, 'id="login-submit"')
})

t.test('neither the digest nor the session_id is a handle', async (t) => {
  const { victim, attacker, url, sessions, alice } = await setUp(t)
  await signInThroughPages(victim, url())
  const [session] = await sessions(alice.account_id)
  for (const value of [session?.handle_digest, session?.session_id, victim.cookies.get(BROWSER)]) {
    attacker.cookies.set(SESSION, value ?? '')
    t.match((await attacker.open('/login')).body, 'id="login-submit"')
  }
})

t.test('login CSRF: a form with the attacker’s credentials is refused, with and without fetch metadata', async (t) => {
  const { victim, attacker, url, deps } = await setUp(t)
  const theirs = await attacker.open(url())
  const { action, fields } = formIn(theirs.body)
  const alone = formIn((await attacker.open('/login')).body)
  const ours = await victim.open(url())
  const { fields: own } = formIn(ours.body)
  const refused: [string, Record<string, string>, Record<string, string>?][] = [
    // The request of another browser is none here.
    [action, fields],
    ['/login', alone.fields],
    ['/login', {}],
    [ours.url.href, { ...own, csrf_token: fields.csrf_token ?? '' }],
    [ours.url.href, { ...own, csrf_token: '' }],
    [ours.url.href, { ...own, csrf_token: `${own.csrf_token}x` }],
    [ours.url.href, own, { origin: 'https://evil.example' }],
    [ours.url.href, own, { 'sec-fetch-site': 'cross-site' }],
  ]
  for (const [to, form, headers] of refused) {
    const { statusCode } = await victim.post(to, { ...form, ...MALLORYS }, headers)
    t.ok(statusCode === 403 || statusCode === 404, `${statusCode}`)
    t.notOk(victim.cookies.has(SESSION))
  }
  t.same((await deps.store.listSessions({}, { limit: 1, cursor: null })).items, [])
})

t.test('a browser without its cookie has no form that counts', async (t) => {
  const { victim } = await setUp(t)
  const { fields } = formIn((await victim.open('/login')).body)
  victim.cookies.clear()
  t.equal((await victim.post('/login', { ...fields, ...CREDENTIALS })).statusCode, 403)
})

t.test('a paused request is its browser’s: whoever else knows its id is told that it is over', async (t) => {
  const { victim, attacker, url, deps } = await setUp(t)
  const login = await victim.open(url())
  const id = login.url.searchParams.get('interaction') ?? ''
  await signInThroughPages(attacker, url(), MALLORYS)
  for (const step of ['/login', '/consent', '/select-account', '/authorize/resume']) {
    for (const answer of [
      await attacker.open(`${step}?interaction=${id}`),
      ...(step === '/authorize/resume' ? [] : [await attacker.post(`${step}?interaction=${id}`, { decision: 'deny' })]),
    ]) {
      t.equal(answer.statusCode, 404)
      t.match(answer.body, 'This page is out of date')
    }
  }
  const consent = await victim.submit(login, CREDENTIALS)
  t.equal((await attacker.open(`/authorize/resume?interaction=${id}`)).statusCode, 404)
  t.ok((await victim.submit(consent, { decision: 'approve' })).url.searchParams.get('code'))
  t.equal(await deps.store.findConsent('mallory', 'web'), undefined)
})

t.test('consent CSRF: approval needs the token of this session', async (t) => {
  const { victim, attacker, url, deps, alice } = await setUp(t)
  const consent = await victim.submit(await victim.open(url()), CREDENTIALS)
  const theirs = await attacker.submit(await attacker.open(url()), MALLORYS)
  const { csrf_token: stolen = '' } = formIn(theirs.body).fields
  const login = formIn((await victim.open(`/login${consent.url.search}`)).body)
  for (const csrf_token of [stolen, login.fields.csrf_token ?? '', '', 'x'.repeat(43)]) {
    const { statusCode } = await victim.post(consent.url.href, { csrf_token, decision: 'approve' })
    t.equal(statusCode, 403)
  }
  const headers = { origin: 'https://evil.example' }
  t.equal((await victim.submit({ ...consent, body: consent.body }, { decision: 'approve' })).left, true)
  t.equal((await victim.post(consent.url.href, { decision: 'approve' }, headers)).statusCode, 403)
  t.ok(await deps.store.findConsent(alice.account_id, 'web'))
})

t.test('ids that are tampered with, repeated or missing are pages with a 4xx', async (t) => {
  const { victim, url } = await setUp(t)
  const { url: page } = await victim.open(url())
  const id = page.searchParams.get('interaction') ?? ''
  for (const [path, status] of [
    [`/login?interaction=${id}x`, 404],
    [`/login?interaction=${id.slice(1)}`, 404],
    [`/login?interaction=${'x'.repeat(22)}`, 404],
    [`/login?interaction=%27%20OR%201`, 404],
    [`/login?interaction=${id}&interaction=${id}`, 400],
    ['/consent', 404],
    ['/select-account', 404],
    ['/authorize/resume', 404],
    ['/authorize/resume?interaction=', 404],
  ] as const) {
    t.equal((await victim.open(path)).statusCode, status, path)
  }
})

t.test('a HEAD never uses a request up', async (t) => {
  const { victim, url, inject } = await setUp(t)
  const consent = await victim.submit(await victim.open(url()), CREDENTIALS)
  const cookie = [...victim.cookies].map((pair) => pair.join('=')).join('; ')
  const head = await inject({ method: 'HEAD', url: `/authorize/resume${consent.url.search}`, headers: { cookie } })
  t.equal(head.statusCode, 404)
  t.ok((await victim.submit(consent, { decision: 'approve' })).left)
})

t.test('one answer to one request, however many ask for it at once', async (t) => {
  const { victim, url } = await setUp(t)
  await signInThroughPages(victim, url())
  const login = await victim.open(url({ prompt: 'login' }))
  const landings = await Promise.all([1, 2, 3].map(() => victim.submit(login, CREDENTIALS)))
  t.equal(landings.filter(({ left }) => left).length, 1)
  t.equal(landings.filter(({ statusCode }) => statusCode === 404).length, 2)
})

t.test('neither handle nor code nor password is logged', async (t) => {
  const { victim, url, logged } = await setUp(t)
  const landing = await signInThroughPages(victim, url())
  await victim.post('/login', { ...CREDENTIALS, csrf_token: 'x' })
  const secrets = [...victim.cookies.values(), landing.url.searchParams.get('code') ?? '', PASSWORD]
  t.ok(logged.length > 0)
  for (const line of logged) for (const secret of secrets) t.notOk(line.includes(secret))
})
