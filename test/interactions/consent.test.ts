import t, { type Test } from 'tap'
import { commonPasswords } from '../../server/accounts/common_passwords.ts'
import type { Client } from '../../server/protocol/client.ts'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'
import { onceRead } from '../helpers/interaction.ts'
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

/** Alice, and a client that is not the operator's own. */
async function setUp(t: Test, changes: Partial<Client> = {}) {
  const server = await buildTestApp(t)
  const alice = await server.createAccount()
  const client = await server.createClient({ ...WEB_CLIENT, client_name: 'Web & Co', first_party: false, ...changes })
  const browser = createBrowser(server)
  const url = (parameters?: Record<string, string | undefined>) => authorizationUrl(server, client, parameters).url
  const { store } = server.deps
  const audited = async (event: string) => (await store.listAudit({ event }, { limit: 20, cursor: null })).items
  /** To the page that asks for consent. */
  const consentPage = async (parameters?: Record<string, string | undefined>) => {
    const page = await browser.open(url(parameters))
    return isConsent(page) ? page : browser.submit(page, CREDENTIALS)
  }
  const allowed = () => store.findConsent(alice.account_id, client.client_id)
  return { ...server, alice, client, browser, url, audited, consentPage, allowed }
}

const isConsent = ({ statusCode, body }: Landing) => statusCode === 200 && body.includes('id="consent-approve"')
const codeOf = ({ url }: Landing) => url.searchParams.get('code')
const CREDENTIALS = { username: 'alice', password: PASSWORD }

t.test(
  'OpenID Connect Core §3.1.2.4: who is asked sees whom, what and where to, and the answer is remembered',
  async (t) => {
    const { browser, url, consentPage, allowed, audited, alice } = await setUp(t)
    const page = await consentPage({ scope: 'openid profile' })
    t.match(page.body, 'Web &amp; Co')
    t.match(page.body, 'app.example')
    t.match(page.body, 'id="consent-deny"')
    t.match(page.headers['content-security-policy'], /form-action 'self' https:/)
    t.equal(await allowed(), undefined, 'nothing yet')
    t.ok(codeOf(await browser.submit(page, { decision: 'approve' })))
    t.match(await allowed(), { scope: 'openid profile', redirect_hosts: ['app.example'] })
    t.match(await audited('consent.granted'), [{ account_id: alice.account_id, client_id: 'web' }])
    t.ok(codeOf(await browser.open(url({ scope: 'openid profile' }))), 'not asked again')
    t.ok(codeOf(await browser.open(url({ scope: 'openid', prompt: 'none' }))))
  },
)

t.test('asked again when it grows; prompt=none then answers consent_required', async (t) => {
  const { browser, url, consentPage, allowed } = await setUp(t)
  await browser.submit(await consentPage({ scope: 'openid profile' }), { decision: 'approve' })
  const silent = await browser.open(url({ scope: 'openid email', prompt: 'none' }))
  t.equal(silent.url.searchParams.get('error'), 'consent_required')
  const page = await consentPage({ scope: 'openid email' })
  t.ok(isConsent(page))
  await browser.submit(page, { decision: 'approve' })
  t.match(await allowed(), { scope: 'openid profile email' })
})

t.test('RFC 6749 §4.1.2.1: deny answers access_denied, and nothing is remembered', async (t) => {
  const { browser, consentPage, allowed, audited } = await setUp(t)
  const page = await consentPage()
  const denied = await browser.submit(page, { decision: 'deny' })
  t.equal(denied.url.searchParams.get('error'), 'access_denied')
  t.equal(await allowed(), undefined)
  t.equal((await audited('consent.denied')).length, 1)
  t.equal((await browser.submit(page, { decision: 'approve' })).statusCode, 404, 'and the request is over')
  t.equal(await allowed(), undefined)
})

t.test('neither yes nor no is no answer', async (t) => {
  const { browser, consentPage, allowed } = await setUp(t)
  const page = await consentPage()
  for (const values of [{}, { decision: 'perhaps' }]) t.ok(isConsent(await browser.submit(page, values)))
  t.equal(await allowed(), undefined)
})

t.test('prompt=consent asks each time', async (t) => {
  const { browser, consentPage, url } = await setUp(t)
  await browser.submit(await consentPage(), { decision: 'approve' })
  const page = await browser.open(url({ prompt: 'consent' }))
  t.ok(isConsent(page))
  t.ok(codeOf(await browser.submit(page, { decision: 'approve' })))
})

t.test(
  'RFC 6749 §10.2: a client that registered itself is asked about each time, whatever it says of itself',
  async (t) => {
    const { browser, consentPage, url } = await setUp(t, { origin: 'registered', first_party: true })
    for (let times = 0; times < 2; times += 1) {
      const page = await consentPage()
      t.ok(isConsent(page))
      t.match(page.body, 'app.example', 'and where the answer goes')
      t.ok(codeOf(await browser.submit(page, { decision: 'approve' })))
    }
    t.ok(codeOf(await browser.open(url({ prompt: 'none' }))), 'but for what it renews silently')
  },
)

t.test('withdrawn: asked again', async (t) => {
  const { browser, consentPage, deps, alice, clock } = await setUp(t)
  await browser.submit(await consentPage(), { decision: 'approve' })
  t.equal(await deps.store.withdrawConsent(alice.account_id, 'web', clock.now(), []), 'withdrawn')
  t.ok(isConsent(await consentPage()))
})

t.test('withdrawn while more is being allowed: what was withdrawn does not come back', async (t) => {
  const { browser, consentPage, deps, alice, clock, allowed } = await setUp(t)
  await browser.submit(await consentPage({ scope: 'openid profile' }), { decision: 'approve' })
  const page = await consentPage({ scope: 'openid email' })
  onceRead(deps.store, 2, () => deps.store.withdrawConsent(alice.account_id, 'web', clock.now(), []))
  const asked = await browser.submit(page, { decision: 'approve' })
  t.ok(isConsent(asked))
  t.equal(await allowed(), undefined)
  t.ok(codeOf(await browser.submit(asked, { decision: 'approve' })))
  t.match(await allowed(), { scope: 'openid email' })
})

t.test('nobody consents past the login: the step leads back to where the request is', async (t) => {
  const { browser, url, allowed, deps } = await setUp(t)
  const login = await browser.open(url())
  const id = login.url.searchParams.get('interaction') ?? ''
  const { csrf_token = '' } = formIn(login.body).fields
  for (const answer of [
    await browser.open(`/consent?interaction=${id}`),
    await browser.post(`/consent?interaction=${id}`, { csrf_token, decision: 'approve' }),
    await browser.open(`/authorize/resume?interaction=${id}`),
  ]) {
    t.equal(answer.url.pathname, '/login')
  }
  t.equal(await allowed(), undefined)
  const again = await browser.open(url({ prompt: 'login' }))
  t.equal(again.url.pathname, '/login')
  await browser.submit(again, CREDENTIALS)
  const { items } = await deps.store.listConsents({}, { limit: 1, cursor: null })
  t.same(items, [])
})

t.test('consent with prompt=login: a session is not enough to get past it', async (t) => {
  const { browser, url, consentPage } = await setUp(t)
  await browser.submit(await consentPage(), { decision: 'approve' })
  const page = await browser.open(url({ prompt: 'login consent' }))
  const id = page.url.searchParams.get('interaction') ?? ''
  t.equal((await browser.open(`/consent?interaction=${id}`)).url.pathname, '/login')
})

t.test('consent is the session’s that was asked: not of who signs in next to it', async (t) => {
  const { browser, consentPage, createAccount, deps } = await setUp(t)
  const bob = await createAccount({ username: 'bob' })
  const page = await consentPage()
  const login = await browser.open(`/login?interaction=${page.url.searchParams.get('interaction')}&another=true`)
  const bobs = await browser.submit(login, { username: 'bob', password: PASSWORD })
  t.ok(isConsent(bobs))
  const stale = await browser.submit(page, { decision: 'approve' })
  t.equal(stale.statusCode, 403)
  t.equal(await deps.store.findConsent(bob.account_id, 'web'), undefined)
  t.ok(codeOf(await browser.submit(bobs, { decision: 'approve' })))
})

t.test('a session that ends midway: the person signs in again and goes on', async (t) => {
  const { browser, consentPage, deps, alice, clock } = await setUp(t)
  const page = await consentPage()
  await deps.store.endSessions({ account_id: alice.account_id }, 'revoked_by_admin', clock.now(), [])
  const login = await browser.submit(page, { decision: 'approve' })
  t.equal(login.url.pathname, '/login')
  const asked = await browser.submit(login, CREDENTIALS)
  t.ok(isConsent(asked), 'what was sent without a session allowed nothing')
  t.ok(codeOf(await browser.submit(asked, { decision: 'approve' })))
})

t.test('a client that is disabled or loses its redirect URI meanwhile gets no answer', async (t) => {
  const { browser, consentPage, allowed, deps, client, clock } = await setUp(t)
  const page = await consentPage()
  await deps.store.updateClient({ ...client, redirect_uris: ['https://app.example/new'] }, [])
  const moved = await browser.submit(page, { decision: 'approve' })
  t.equal(moved.left, false)
  t.equal(moved.statusCode, 400)
  t.equal(await allowed(), undefined)
  await deps.store.updateClient(client, [])
  const other = await consentPage()
  await deps.store.disableClient(client.client_id, clock.now(), [])
  const disabled = await browser.submit(other, { decision: 'approve' })
  t.equal(disabled.left, false)
  t.equal(disabled.statusCode, 404)
})

t.test('a request waits for an hour', async (t) => {
  const { browser, url, clock, deps } = await setUp(t)
  const page = await browser.open(url())
  clock.advance(deps.config.authorization.interaction_seconds)
  for (const late of [await browser.open(page.url.href), await browser.submit(page, CREDENTIALS)]) {
    t.equal(late.statusCode, 404)
    t.match(late.body, 'This page is out of date')
  }
})

t.test('prompt=select_account: continue, another account, cancel', async (t) => {
  const { browser, url, createAccount } = await setUp(t, { first_party: true })
  await createAccount({ username: 'bob' })
  await signInThroughPages(browser, url())
  const choose = async () => browser.open(url({ prompt: 'select_account' }))
  t.ok(codeOf(await browser.submit(await choose(), { choice: 'continue' })))
  t.equal((await browser.submit(await choose(), { choice: 'cancel' })).url.searchParams.get('error'), 'access_denied')
  const login = await browser.submit(await choose(), { choice: 'other' })
  t.notMatch(login.body, 'value="alice"')
  t.ok(codeOf(await browser.submit(login, { username: 'bob', password: PASSWORD })))
  const shown = await choose()
  t.match(shown.body, 'bob')
  const { fields } = formIn(shown.body)
  const { csrf_token: _, ...without } = fields
  t.equal((await browser.post(shown.url.href, { ...without, choice: 'continue' })).statusCode, 403)
})
