/** oidc-client-ts, unchanged, in a single-page application of another origin than the server's. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { UserManagerSettings } from 'oidc-client-ts'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { PASSWORD } from '../helpers/app.ts'
import { launchBrowser, openPage, skip } from '../helpers/browser.ts'
import { type ServedClients, serveClients } from '../helpers/clients.ts'
import { freePort } from '../helpers/process.ts'

t.jobs = 1

const LIBRARY = readFileSync(
  new URL('dist/browser/oidc-client-ts.js', import.meta.resolve('oidc-client-ts/package.json')),
)

/** Every page of the application: what the library does with an answer that came to it is in `done`. */
const APPLICATION = `<!doctype html><title>Application</title><script src="/oidc-client-ts.js"></script><script>
  const settings = JSON.parse(localStorage.getItem('settings'))
  const app = settings && new oidc.UserManager(settings)
  const answers = { '/callback': () => app.signinCallback(), '/bye': () => app.signoutCallback() }
  const done = answers[location.pathname]?.()
</script>`

async function serveApplication(): Promise<string> {
  const application = createServer((request, response) => {
    if (request.url === '/oidc-client-ts.js') response.setHeader('content-type', 'text/javascript').end(LIBRARY)
    else response.setHeader('content-type', 'text/html').end(APPLICATION)
  })
  const port = await freePort()
  await once(application.listen(port, 'localhost'), 'listening')
  t.teardown(() => {
    application.closeAllConnections()
    application.close()
  })
  return `http://localhost:${port}`
}

const origin = await serveApplication()
const [browser, served]: [Awaited<ReturnType<typeof launchBrowser>> | undefined, ServedClients | undefined] = skip
  ? [undefined, undefined]
  : await Promise.all([launchBrowser(t), serveClients(t, { GATEHOUSE_HTTP__CORS_ORIGINS: origin })])

interface Application {
  readonly page: Page
  readonly complaints: string[]
  readonly issuer: string
}

/** The application in a browser of its own. */
async function openApplication(
  registration: Partial<Client> = {},
  more: Partial<UserManagerSettings> = {},
): Promise<Application> {
  if (browser === undefined || served === undefined) throw new Error('skipped')
  const [redirect_uri, post_logout_redirect_uri] = [`${origin}/callback`, `${origin}/bye`]
  const { client_id } = await served.webClient({
    redirect_uris: [redirect_uri],
    post_logout_redirect_uris: [post_logout_redirect_uri],
    ...registration,
  })
  const settings = {
    authority: served.issuer,
    client_id,
    redirect_uri,
    post_logout_redirect_uri,
    scope: 'openid profile email',
    loadUserInfo: true,
    automaticSilentRenew: false,
    silentRequestTimeoutInSeconds: 5,
    ...more,
  }
  const { page, complaints } = await openPage(browser)
  await page.goto(origin)
  await page.evaluate(`localStorage.setItem('settings', '${JSON.stringify(settings)}')`)
  await page.reload()
  return { page, complaints, issuer: served.issuer }
}

async function fillIn(page: Page): Promise<void> {
  await page.fill('#username', 'alice')
  await page.fill('#password', PASSWORD)
  await page.click('#login-submit')
}

/** Signs in, and comes back to the application. */
async function signIn(page: Page): Promise<void> {
  await Promise.all([page.waitForURL('**/login?*'), page.evaluate('void app.signinRedirect()')])
  await fillIn(page)
  await page.waitForURL(`${origin}/callback?*`)
  await page.evaluate('done')
}

const profile = async (t: Test, user: unknown) => {
  t.match(user, {
    profile: { sub: served?.alice.account_id, email: 'alice@example.com', sid: String },
    token_type: /^bearer$/i,
  })
}
const failure = (page: Page, work: string): Promise<unknown> =>
  page.evaluate(`${work}.then(() => 'nothing', ({ error, message }) => error ?? message)`)

t.test('signinRedirect, signinCallback: signed in, with UserInfo from another origin (CORS)', { skip }, async (t) => {
  const { page, complaints } = await openApplication()
  await signIn(page)
  await profile(t, await page.evaluate('app.getUser()'))
  t.same(complaints, [])
})

t.test('automaticSilentRenew: the refresh token is used before the access token ends', { skip }, async (t) => {
  const renewing = { automaticSilentRenew: true, accessTokenExpiringNotificationTimeInSeconds: 298 }
  const { page, complaints } = await openApplication({}, renewing)
  await signIn(page)
  const token: unknown = await page.evaluate('done.then(({ access_token }) => access_token)')
  await page.waitForFunction(`app.getUser().then(({ access_token }) => access_token !== '${String(token)}')`)
  const after = await page.evaluate('app.getUser()')
  await profile(t, after)
  t.same(complaints, [])
})

t.test('signinSilent: an invisible frame and prompt=none, where there is no refresh token', { skip }, async (t) => {
  const { page, complaints } = await openApplication({ grant_types: ['authorization_code'] })
  t.equal(await failure(page, 'app.signinSilent()'), 'login_required', 'nobody is signed in')
  await signIn(page)
  t.notOk(await page.evaluate('app.getUser().then((user) => user.refresh_token)'))
  await page.evaluate('app.removeUser()')
  await profile(t, await page.evaluate('app.signinSilent()'))
  t.same(complaints, [])
})

t.test('signoutRedirect: nobody is signed in afterwards, here or there', { skip }, async (t) => {
  const { page, complaints } = await openApplication()
  await signIn(page)
  await Promise.all([page.waitForURL(`${origin}/bye`), page.evaluate('void app.signoutRedirect()')])
  await page.evaluate('done')
  t.equal(await page.evaluate('app.getUser()'), null)
  t.equal(await failure(page, 'app.signinSilent()'), 'login_required')
  t.same(complaints, [])
})

t.test('signinPopup, signoutPopup: the window is kept hold of, and closed (decision 14)', { skip }, async (t) => {
  const { page, complaints } = await openApplication({ first_party: false })
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate('window.user = app.signinPopup({ popupAbortOnClose: true }), 0'),
  ])
  await fillIn(popup)
  await Promise.all([popup.waitForEvent('close'), popup.click('#consent-approve')])
  await profile(t, await page.evaluate('user'))
  const [bye] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate('window.out = app.signoutPopup({ popupAbortOnClose: true }), 0'),
  ])
  if (!bye.isClosed()) await bye.waitForEvent('close')
  await page.evaluate('out')
  t.equal(await failure(page, 'app.signinSilent()'), 'login_required')
  t.same(complaints, [])
})

t.test('signinPopup: who closes the window, or cancels, is not waited for', { skip }, async (t) => {
  const { page } = await openApplication()
  const open = () =>
    Promise.all([
      page.waitForEvent('popup'),
      page.evaluate('window.user = app.signinPopup({ popupAbortOnClose: true }), 0'),
    ])
  const [closed] = await open()
  await closed.waitForSelector('#username')
  await closed.close()
  t.match(await failure(page, 'user'), /closed/)
  const [cancelled] = await open()
  await cancelled.click('#login-cancel')
  t.equal(await failure(page, 'user'), 'access_denied')
})

t.test('Cross-Origin-Opener-Policy: other pages are not kept hold of', { skip }, async (t) => {
  const { page, issuer } = await openApplication()
  for (const [path, isCut] of [
    ['/login', false],
    ['/setup?token=unknown', true],
    ['/device', true],
  ] as const) {
    const opened = page.waitForEvent('popup')
    await page.evaluate(`window.other = open('${issuer}${path}'), 0`)
    const other = await opened
    await other.waitForSelector('h1')
    t.equal(await page.evaluate('other.closed'), isCut, path)
    await other.close()
  }
})
