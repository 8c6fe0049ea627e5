import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import fastify, { type FastifyPluginAsync } from 'fastify'
import type { Browser } from 'playwright-core'
import t, { type Test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { browserScope, type PageOptions } from '../../server/http/browser_scope.ts'
import { consentPage } from '../../web/pages/consent.ts'
import { formPostPage } from '../../web/pages/form_post.ts'
import type { Page } from '../../web/pages/layout.ts'
import { signedOutPage } from '../../web/pages/logout.ts'
import { accessibilityProblems, launchBrowser, openPage, overflow, skip } from '../helpers/browser.ts'
import { freePort } from '../helpers/process.ts'
import { hostilePages, samplePages } from '../helpers/sample_pages.ts'

t.jobs = 1
const launched = skip ? undefined : await launchBrowser(t)

/** The real scope of pages, with a route for each; a form leads on to where the test says. */
async function serve(t: Test, pages: Readonly<Record<string, Page>>, leads_to = '') {
  const browser: Browser | undefined = launched
  if (browser === undefined) throw new Error('skipped')
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const { config } = loadConfig({ flags: { issuer }, env: {}, cwd: t.testdir() })
  const app = fastify()
  t.teardown(() => app.close())
  const routes: FastifyPluginAsync<PageOptions> = async (scope, { sendPage }) => {
    for (const [name, page] of Object.entries(pages)) scope.get(`/${name}`, (_request, reply) => sendPage(reply, page))
    scope.post('/echo', (_request, reply) => reply.redirect(leads_to, 303))
  }
  await app.register(browserScope({ config }, [routes]))
  await app.listen({ port, host: 'localhost' })
  return { browser, issuer }
}

/** Another site, and what it was asked for. */
async function otherSite(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.url !== '/favicon.ico') asked.push(`${request.method} ${request.url} ${body}`)
      response.setHeader('content-type', 'text/html')
      answer(request, response)
    })
  })
  const port = await freePort()
  await once(server.listen(port, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${port}`, asked }
}

const arrive = (_request: IncomingMessage, response: ServerResponse) => response.end('<h1>Arrived</h1>')

/** The heights of what can be pressed, in CSS pixels. */
const HEIGHTS = `[...document.querySelectorAll('main :is(button, a, input:not([type=hidden]))')]
  .map((target) => [target.outerHTML, target.getBoundingClientRect().height])`

for (const [colorScheme, width, locale] of [
  ['light', 320, 'en-US'],
  ['dark', 320, 'de-DE'],
  ['light', 1280, 'en-US'],
] as const) {
  t.test(`WCAG 2.2 AA: every page, ${colorScheme}, ${width} px wide, ${locale}`, { skip }, async (t) => {
    const { form_post: _submits_itself, ...pages } = samplePages()
    const { form_post: _likewise, signed_out: _goes_on, ...endless } = hostilePages('Endless'.repeat(40))
    const worst = Object.entries(endless).map(([name, page]): [string, Page] => [`endless_${name}`, page])
    const all = { ...pages, ...(colorScheme === 'light' && Object.fromEntries(worst)) }
    const { browser, issuer } = await serve(t, all)
    const { page, complaints } = await openPage(browser, { colorScheme, locale, viewport: { width, height: 720 } })
    for (const name of Object.keys(all)) {
      await page.goto(`${issuer}/${name}`)
      t.equal(await overflow(page), 0, `${name}: §1.4.10: nothing to scroll sideways`)
      const heights = await page.evaluate<[string, number][]>(HEIGHTS)
      for (const [target, height] of heights) t.ok(height >= 24, `${name}: §2.5.8: ${height} px: ${target}`)
      // What axe looks at is the same at any width.
      if (width === 320) t.same(await accessibilityProblems(page), [], name)
    }
    t.same(complaints, [], 'nothing on the pages breaks their own policy')
  })
}

t.test('by keyboard: from the name to the button, and Enter signs in rather than cancels', { skip }, async (t) => {
  const client = await otherSite(t, arrive)
  const { browser, issuer } = await serve(t, samplePages(), `${client.origin}/callback`)
  const { page } = await openPage(browser)
  await page.goto(`${issuer}/login`)
  const focused = () => page.evaluate('document.activeElement.name || document.activeElement.textContent')
  t.equal(await focused(), 'username')
  await page.keyboard.type('alice')
  for (const next of ['password', 'Show', 'remember', 'Sign in', 'cancel']) {
    await page.keyboard.press('Tab')
    t.equal(await focused(), next)
  }
  await page.fill('#password', 'a password')
  const [request] = await Promise.all([page.waitForRequest(`${issuer}/echo`), page.keyboard.press('Enter')])
  t.match(request.postData(), 'username=alice&password=a+password')
  t.notMatch(request.postData(), 'cancel')
})

t.test('cancelling asks for nothing to be filled in', { skip }, async (t) => {
  const client = await otherSite(t, arrive)
  const { browser, issuer } = await serve(t, samplePages(), `${client.origin}/callback`)
  const { page } = await openPage(browser, { javaScriptEnabled: false })
  await page.goto(`${issuer}/login`)
  const [request] = await Promise.all([page.waitForRequest(`${issuer}/echo`), page.click('#login-cancel')])
  t.match(request.postData(), /csrf_token=a-csrf-token&interaction=an-interaction&.*cancel=true/)
})

t.test('CSP: a client may lead on from its callback to another origin of its own', { skip }, async (t) => {
  const application = await otherSite(t, arrive)
  const client = await otherSite(t, (_request, response) =>
    response.writeHead(303, { location: `${application.origin}/` }).end(),
  )
  const callback = `${client.origin}/callback`
  const form = {
    action: '/echo',
    csrf_token: 'a-csrf-token',
    client: { client_id: 'a', name: 'A', self_registered: false },
    account: { username: 'alice', name: null },
    scopes: [{ name: 'openid' }],
    redirect_host: '127.0.0.1',
  }
  const pages = {
    consent: consentPage({ ...form, form_action: [callback] }),
    strict: consentPage(form),
    form_post: formPostPage({ redirect_uri: callback, parameters: { code: 'a-code' } }),
  }
  const { browser, issuer } = await serve(t, pages, callback)
  const { page, complaints } = await openPage(browser)
  await page.goto(`${issuer}/consent`)
  await page.click('#consent-approve')
  await page.waitForURL(`${application.origin}/`)
  await page.goto(`${issuer}/form_post`, { waitUntil: 'commit' })
  await page.waitForURL(`${application.origin}/`)
  t.match(client.asked, ['GET /callback ', 'POST /callback code=a-code'])
  t.same(complaints, [])

  await page.goto(`${issuer}/strict`)
  await Promise.all([page.waitForEvent('console'), page.click('#consent-approve')])
  t.equal(page.url(), `${issuer}/strict`, 'a page that names no client leads nowhere')
})

t.test('Form Post Response Mode §2: without JavaScript the button does it', { skip }, async (t) => {
  const client = await otherSite(t, arrive)
  const parameters = { code: 'a-code', state: '"é&' }
  const shown = formPostPage({ redirect_uri: `${client.origin}/callback`, parameters })
  const { browser, issuer } = await serve(t, { shown })
  const { page } = await openPage(browser, { javaScriptEnabled: false })
  await page.goto(`${issuer}/shown`)
  await page.click('button')
  t.equal(await page.textContent('h1'), 'Arrived')
  t.same(client.asked, ['POST /callback code=a-code&state=%22%C3%A9%26'])
})

t.test('Front-Channel Logout §2: the clients’ pages load in frames, then it goes on', { skip }, async (t) => {
  const out = await otherSite(t, arrive)
  const home = await otherSite(t, arrive)
  const shown = signedOutPage({
    return_to: { href: `${home.origin}/bye?state=s`, client: { name: 'A' } },
    frontchannel_logout_uris: [`${out.origin}/out?sid=1`, `${out.origin}/out?sid=2`],
  })
  const { browser, issuer } = await serve(t, { shown })
  const { page, complaints } = await openPage(browser)
  await page.goto(`${issuer}/shown`, { waitUntil: 'commit' })
  await page.waitForURL(`${home.origin}/bye?state=s`)
  t.same(out.asked.toSorted(), ['GET /out?sid=1 ', 'GET /out?sid=2 '])
  t.same(complaints, [])
})

t.test('a client that does not answer its frame holds nobody up', { skip }, async (t) => {
  const out = await otherSite(t, () => {})
  const home = await otherSite(t, arrive)
  const shown = signedOutPage({
    return_to: { href: `${home.origin}/`, client: { name: 'A' } },
    frontchannel_logout_uris: [`${out.origin}/out`],
  })
  const { browser, issuer } = await serve(t, { shown })
  const { page } = await openPage(browser)
  await page.goto(`${issuer}/shown`, { waitUntil: 'commit' })
  await page.waitForURL(`${home.origin}/`, { timeout: 8000 })

  const { page: plain } = await openPage(browser, { javaScriptEnabled: false })
  await plain.goto(`${issuer}/shown`, { waitUntil: 'commit' })
  await plain.click('a')
  t.equal(await plain.textContent('h1'), 'Arrived', 'without JavaScript by the link')
})
