import { once } from 'node:events'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { commonPasswords } from '../../server/accounts/common_passwords.ts'
import { createSetupLink } from '../../server/accounts/setup_link.ts'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'
import { accessibilityProblems, launchBrowser, openPage, overflow, skip } from '../helpers/browser.ts'
import { freePort } from '../helpers/process.ts'

t.jobs = 1
const browser = skip ? undefined : await launchBrowser(t)

/** A server that listens, and a set-up link to it. */
async function listening(t: Test) {
  if (browser === undefined) throw new Error('skipped')
  await commonPasswords()
  const port = await freePort()
  const server = await buildTestApp(t, { config: { issuer: `http://localhost:${port}` } })
  await server.app.listen({ port, host: 'localhost' })
  const link = await createSetupLink(server.deps)
  if (link === 'administrator_exists') throw new Error(link)
  return { ...server, setup_url: link.setup_url, browser }
}

t.test('by keyboard alone: from the link to an administrator who can sign in', { skip }, async (t) => {
  const { browser, issuer, setup_url, signIn } = await listening(t)
  const { page, complaints } = await openPage(browser)
  await page.goto(setup_url)
  const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent')
  const tab = async () => {
    await page.keyboard.press('Tab')
    return focused()
  }
  t.equal(await tab(), 'username', 'nothing stands before the first field')
  t.match(await page.evaluate('getComputedStyle(document.activeElement).outline'), /solid 3px|3px solid/)
  await page.keyboard.type('alice')
  t.equal(await tab(), 'email')
  t.equal(await tab(), 'password')
  await page.keyboard.type(PASSWORD)
  t.equal(await tab(), 'Show')
  t.equal(await tab(), 'setup-submit')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${issuer}/setup/done`)
  t.equal(await page.textContent('h1'), 'Gatehouse is set up')
  await t.resolves(signIn('alice'))

  await page.reload()
  t.equal(await page.textContent('h1'), 'Gatehouse is set up', 'a reload sends nothing again')
  await page.goBack()
  t.equal(await page.textContent('h1'), 'This link does not work any more')
  t.same(complaints, [], 'nothing on the pages breaks their own policy')
})

t.test(
  'WCAG 2.2 §3.3.1: after a mistake the focus is at the summary, whose links lead to the fields',
  { skip },
  async (t) => {
    const { browser, setup_url } = await listening(t)
    const { page, complaints } = await openPage(browser)
    await page.goto(setup_url)
    await page.fill('#username', 'alice')
    await page.fill('#password', 'too short')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[role=alert]')
    t.equal(await page.evaluate('document.activeElement.getAttribute("role")'), 'alert')
    t.equal(await page.inputValue('#username'), 'alice')
    t.equal(await page.inputValue('#password'), '')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    t.equal(await page.evaluate('document.activeElement.id'), 'password')
    t.same(complaints, [])
  },
)

t.test('without JavaScript: the same mistake, the same way out', { skip }, async (t) => {
  const { browser, issuer, setup_url, signIn } = await listening(t)
  const { page } = await openPage(browser, { javaScriptEnabled: false })
  await page.goto(setup_url)
  t.equal(await page.locator('button').count(), 1, 'no button that does nothing')
  await page.fill('#username', 'alice')
  await page.fill('#password', 'too short')
  await page.click('#setup-submit')
  t.equal(await page.locator('[role=alert]:focus').count(), 1)
  await page.fill('#password', PASSWORD)
  await page.click('#setup-submit')
  await page.waitForURL(`${issuer}/setup/done`)
  await t.resolves(signIn('alice'))
})

t.test('the password can be shown, and is hidden again before it is sent', { skip }, async (t) => {
  const { browser, setup_url } = await listening(t)
  const { page } = await openPage(browser)
  await page.goto(setup_url)
  await page.fill('#password', 'too short')
  const type = () => page.getAttribute('#password', 'type')
  await page.getByRole('button', { name: 'Show password' }).click()
  t.equal(await type(), 'text')
  await page.getByRole('button', { name: 'Hide password' }).click()
  t.equal(await type(), 'password')
  await page.getByRole('button', { name: 'Show password' }).click()
  await page.evaluate(`document.querySelector('form').addEventListener('submit', (event) => event.preventDefault())`)
  await page.click('#setup-submit')
  t.equal(await type(), 'password')
})

t.test('another site cannot send the form, even if it knows the token', { skip }, async (t) => {
  const { browser, deps, issuer, setup_url } = await listening(t)
  const token = new URL(setup_url).searchParams.get('token')
  const evil = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<form method="post" action="${issuer}/setup"><input name="token" value="${token}">
      <input name="username" value="mallory"><input name="password" value="${PASSWORD}"><button>Win</button></form>`)
  })
  const port = await freePort()
  await once(evil.listen(port, '127.0.0.1'), 'listening')
  t.teardown(() => evil.close())
  const { page } = await openPage(browser)
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.click('button')
  t.equal(await page.textContent('h1'), 'This is not allowed')
  t.equal(await deps.store.hasAdministrator(), false)
})

t.test('Referrer-Policy: our own forms carry our origin, and no other site sees the token', { skip }, async (t) => {
  const { browser, issuer, setup_url } = await listening(t)
  const { page } = await openPage(browser)
  await page.goto(setup_url)
  await page.fill('#username', 'alice')
  const [request] = await Promise.all([page.waitForRequest(`${issuer}/setup`), page.click('#setup-submit')])
  const headers = await request.allHeaders()
  t.match(headers, { origin: issuer, 'sec-fetch-site': 'same-origin' })

  await page.goto(setup_url)
  await page.evaluate(
    `document.querySelector('main').insertAdjacentHTML('beforeend', '<a id=out href="http://127.0.0.1:1/">out</a>')`,
  )
  const [outside] = await Promise.all([page.waitForRequest('http://127.0.0.1:1/'), page.click('#out')])
  t.notOk((await outside.allHeaders()).referer)
})

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [320, 1280]) {
    t.test(`WCAG 2.2 AA: axe finds nothing, ${colorScheme}, ${width} px wide`, { skip }, async (t) => {
      const { browser, issuer, setup_url, createAccount } = await listening(t)
      const { page, complaints } = await openPage(browser, { colorScheme, viewport: { width, height: 720 } })
      const check = async (heading: string) => {
        t.equal(await page.textContent('h1'), heading)
        t.same(await accessibilityProblems(page), [])
        t.equal(await overflow(page), 0, 'WCAG 2.2 §1.4.10: nothing to scroll sideways')
        for (const target of await page.locator('button, input:not([type=hidden]), main a').all()) {
          t.ok(((await target.boundingBox())?.height ?? 0) >= 44, 'a target of at least 44 px')
        }
      }
      await page.goto(setup_url)
      const background = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
      t.equal(background, colorScheme === 'light' ? 'rgb(243, 244, 248)' : 'rgb(15, 18, 26)')
      await check('Create the administrator')
      await page.fill('#username', 'x'.repeat(200))
      await page.fill('#email', `${'not'.repeat(60)} an address`)
      await page.fill('#password', 'too short')
      await page.click('#setup-submit')
      await page.waitForSelector('[role=alert]')
      await check('Create the administrator')
      await page.goto(`${issuer}/setup?token=unknown`)
      await check('This link does not work any more')
      await page.goto(`${issuer}/setup?token=a&token=b`)
      await check('This could not be understood')
      await createAccount({ roles: ['admin'] })
      await page.goto(`${issuer}/setup/done`)
      await check('Gatehouse is set up')
      t.same(complaints, [])
    })
  }
}
