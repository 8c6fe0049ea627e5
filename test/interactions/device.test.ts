import t, { type Test } from 'tap'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'
import { DEVICE_CLIENT, decideAbout, pollDevice, signedInBrowser, startDevice } from '../helpers/device.ts'
import { makeConsent, onceRead } from '../helpers/interaction.ts'
import { createBrowser, formIn } from '../helpers/web_client.ts'

async function prepare(t: Test) {
  const server = await buildTestApp(t)
  const { account_id } = await server.createAccount()
  await server.createClient({ ...DEVICE_CLIENT, first_party: false })
  const waiting = async (device_code: string) => (await pollDevice(server, device_code)).body.error
  return { server, account_id, waiting }
}

t.test('RFC 8628 §3.3: who is not signed in does that first, and comes back', async (t) => {
  const { server, waiting } = await prepare(t)
  const { user_code, verification_uri, device_code } = await startDevice(server)
  const browser = createBrowser(server)
  const login = await browser.open(verification_uri)
  t.equal(login.url.pathname, '/login')
  const page = await browser.submit(login, { username: 'alice', password: PASSWORD })
  t.equal(page.url.pathname, '/device')
  const confirm = await browser.submit(page, { user_code: user_code.toLowerCase().replace('-', ' ') })
  for (const shown of ['The television', user_code, 'alice', '127.0.0.1', 'lightMyRequest']) {
    t.ok(confirm.body.includes(shown), shown)
  }
  t.equal(await waiting(device_code), 'authorization_pending', 'entering the code decides nothing')
  const done = await browser.submit(confirm, { decision: 'approve' })
  t.match(done.body, 'The device is connected')
})

t.test('§3.3.1: a link brings the code along through the sign-in, and nothing is decided by it', async (t) => {
  const { server, waiting } = await prepare(t)
  const { user_code, verification_uri_complete, device_code } = await startDevice(server)
  const browser = createBrowser(server)
  const login = await browser.open(verification_uri_complete)
  const page = await browser.submit(login, { username: 'alice', password: PASSWORD })
  t.equal(page.url.pathname, '/device')
  t.equal(formIn(page.body).fields.user_code, user_code)
  const confirm = await browser.submit(page, {})
  t.match(confirm.body, 'id="device-approve"')
  t.equal(await waiting(device_code), 'authorization_pending')
})

t.test('RFC 9700 §4.11: signing in leads to a page of ours only', async (t) => {
  const { server } = await prepare(t)
  for (const then of ['https://evil.example', '//evil.example', '/device', 'toString', 'constructor']) {
    const browser = createBrowser(server)
    const login = await browser.open(`/login?then=${encodeURIComponent(then)}`)
    const page = await browser.submit(login, { username: 'alice', password: PASSWORD })
    t.match({ left: page.left, path: page.url.pathname }, { left: false, path: '/login' }, then)
  }
  const browser = createBrowser(server)
  const login = await browser.open('/login?then=device&user_code=%0d%0aLocation:%20https://evil.example')
  t.notMatch(formIn(login.body).action, 'evil')
})

t.test('what is allowed is remembered as on the consent page, and written down', async (t) => {
  const { server, account_id } = await prepare(t)
  const { user_code } = await startDevice(server, { scope: 'openid profile' })
  await decideAbout(server, account_id, user_code)
  t.match(await server.deps.store.findConsent(account_id, 'tv'), { scope: 'openid profile', redirect_hosts: [] })
  const { items } = await server.deps.store.listAudit({}, { limit: 50, cursor: null })
  const events = items.map(({ event }) => event)
  t.ok(events.includes('device.approved') && events.includes('consent.granted'))
})

t.test('withdrawn while a device is let in: neither comes back nor lets the device in', async (t) => {
  const { server, account_id, waiting } = await prepare(t)
  const { store } = server.deps
  const before = makeConsent({ account_id, client_id: 'tv', scope: 'read' })
  await store.saveConsent({ consent: before, before: undefined }, [])
  const { user_code, device_code } = await startDevice(server, { scope: 'openid' })
  const browser = await signedInBrowser(server, account_id)
  const confirm = await browser.submit(await browser.open('/device'), { user_code })
  onceRead(store, 1, () => store.withdrawConsent(account_id, 'tv', server.clock.now(), []))
  const asked = await browser.submit(confirm, { decision: 'approve' })
  t.match(asked.body, 'id="device-approve"', 'asked again')
  t.equal(await waiting(device_code), 'authorization_pending')
  t.equal(await store.findConsent(account_id, 'tv'), undefined)
  t.match((await browser.submit(asked, { decision: 'approve' })).body, 'The device is connected')
  t.match(await store.findConsent(account_id, 'tv'), { scope: 'openid' })
})

t.test('a device that cannot be let in leaves no consent', async (t) => {
  const { server, account_id } = await prepare(t)
  const { store } = server.deps
  const { user_code } = await startDevice(server)
  const browser = await signedInBrowser(server, account_id)
  const confirm = await browser.submit(await browser.open('/device'), { user_code })
  onceRead(store, 1, () => store.endSessions({ account_id }, 'revoked_by_admin', server.clock.now(), []))
  t.equal((await browser.submit(confirm, { decision: 'approve' })).url.pathname, '/login')
  t.equal(await store.findConsent(account_id, 'tv'), undefined)
})

t.test('what is denied is not remembered', async (t) => {
  const { server, account_id } = await prepare(t)
  const { user_code } = await startDevice(server)
  await decideAbout(server, account_id, user_code, 'deny')
  t.equal(await server.deps.store.findConsent(account_id, 'tv'), undefined)
})

t.test('§5.4: only the session that entered the code decides about it', async (t) => {
  const { server, account_id, waiting } = await prepare(t)
  const mallory = await server.createAccount({ username: 'mallory' })
  const { user_code, device_code } = await startDevice(server)
  const hers = await signedInBrowser(server, account_id)
  const confirm = await hers.submit(await hers.open('/device'), { user_code })
  t.match(confirm.body, 'id="device-approve"')

  for (const other of [mallory.account_id, account_id]) {
    const browser = await signedInBrowser(server, other)
    const form = await browser.open('/device')
    for (const answer of [{ user_code }, { user_code, decision: 'approve' }, { user_code, decision: 'deny' }]) {
      const page = await browser.submit(form, answer)
      t.equal(page.statusCode, 422)
      t.notMatch(page.body, 'television')
    }
  }
  t.equal(await waiting(device_code), 'authorization_pending')
  t.match((await hers.submit(confirm, { decision: 'approve' })).body, 'The device is connected')
})

t.test('a decision that is sent twice is told once more, and the first one stands', async (t) => {
  const { server, account_id, waiting } = await prepare(t)
  for (const [decision, other] of [
    ['approve', 'deny'],
    ['deny', 'approve'],
  ] as const) {
    const { user_code, device_code } = await startDevice(server)
    const browser = await signedInBrowser(server, account_id)
    const confirm = await browser.submit(await browser.open('/device'), { user_code })
    const decided = await browser.submit(confirm, { decision })
    t.equal((await browser.submit(confirm, { decision })).body, decided.body)
    t.equal((await browser.submit(confirm, { decision: other })).body, decided.body)
    t.equal(await waiting(device_code), decision === 'deny' ? 'access_denied' : undefined)
  }
})

t.test('a code that is unknown, expired or decided is met with one sentence', async (t) => {
  const { server, account_id } = await prepare(t)
  const [decided, expired] = [await startDevice(server), await startDevice(server)]
  await decideAbout(server, account_id, decided.user_code)
  const browser = await signedInBrowser(server, account_id)
  const page = await browser.open('/device')
  const say = async (user_code: string) => {
    const { statusCode, body } = await browser.submit(page, { user_code })
    return { statusCode, problem: /id="user_code-problem">([^<]*)</.exec(body)?.[1] }
  }
  const unknown = await say('BBBB-BBBB')
  t.match(unknown, { statusCode: 422, problem: /not right/ })
  t.strictSame(await say(decided.user_code), unknown)
  server.clock.advance(600)
  t.strictSame(await say(expired.user_code), unknown)
  t.strictSame(await say('no code at all'), unknown)
})

t.test('RFC 8628 §5.1: guesses at user codes are counted, by account and by address', async (t) => {
  const { server, account_id } = await prepare(t)
  const { user_code } = await startDevice(server)
  const browser = await signedInBrowser(server, account_id)
  const page = await browser.open('/device')
  for (let guess = 0; guess < 5; guess += 1) {
    t.equal((await browser.submit(page, { user_code: 'BBBB-BBBB' })).statusCode, 422)
  }
  const refused = await browser.submit(page, { user_code })
  t.equal(refused.statusCode, 429, 'a right one, too')
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.match(refused.body, 'Too many attempts. Try again in 1 minute.')
  const again = await signedInBrowser(server, account_id)
  t.equal(
    (await again.submit(await again.open('/device'), { user_code })).statusCode,
    429,
    'a new session is no way out',
  )
  const { account_id: other } = await server.createAccount({ username: 'bob' })
  const honest = await signedInBrowser(server, other)
  t.match(await honest.submit(await honest.open('/device'), { user_code }), { statusCode: 200 })
})

t.test('§5.1: right codes cost nothing', async (t) => {
  const { server, account_id } = await prepare(t)
  for (let device = 0; device < 8; device += 1) {
    await decideAbout(server, account_id, (await startDevice(server)).user_code)
  }
})

t.test('a form that is not of this session decides nothing', async (t) => {
  const { server, account_id, waiting } = await prepare(t)
  const { user_code, device_code } = await startDevice(server)
  const browser = await signedInBrowser(server, account_id)
  await browser.submit(await browser.open('/device'), { user_code })
  const forged = await browser.post('/device', { user_code, decision: 'approve', csrf_token: 'forged' })
  t.equal(forged.statusCode, 403)
  const elsewhere = await browser.post(
    '/device',
    { user_code, decision: 'approve' },
    { 'sec-fetch-site': 'cross-site' },
  )
  t.equal(elsewhere.statusCode, 403)
  t.equal(await waiting(device_code), 'authorization_pending')
})

t.test('a client that was disabled meanwhile is nobody to let in', async (t) => {
  const { server, account_id } = await prepare(t)
  const { user_code } = await startDevice(server)
  t.equal(await server.deps.store.disableClient('tv', 1, []), 'disabled')
  const browser = await signedInBrowser(server, account_id)
  t.equal((await browser.submit(await browser.open('/device'), { user_code })).statusCode, 422)
})
