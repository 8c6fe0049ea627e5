/** A real browser, for what only a browser can say about a page. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/** For tap's `skip`: the reason, where there is no browser. */
export const skip = executablePath === undefined && 'there is no Chromium here (apt-get install chromium)'

/** Nothing but the pages: no sandbox in a container, no traffic of the browser's own. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

type Test = { teardown(handler: () => Promise<void>): void }

/** Starts Chromium; it ends with the test. */
export async function launchBrowser(t: Test): Promise<Browser> {
  if (executablePath === undefined) throw new Error('a test with a browser needs `skip`')
  const browser = await chromium.launch({ executablePath, args })
  t.teardown(() => browser.close())
  return browser
}

/** A page of its own profile, and what the browser complained about on it: a policy that was broken, a script's error. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const refusal = /^Failed to load resource: the server responded with a status of 4/.test(message.text())
    if (message.type() === 'error' && !refusal) complaints.push(message.text())
  })
  return { page, complaints }
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** What axe finds wrong with the page as it is now: the rule, and where. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Evaluated by the debugger, so that the page's Content-Security-Policy stays in force.
  await page.evaluate(AXE)
  const found: unknown = await page.evaluate(
    `axe.run({ runOnly: ${JSON.stringify(WCAG)} })
      .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`,
  )
  if (!Array.isArray(found)) throw new Error('axe did not answer')
  return found.map(String)
}

/** How much wider than the window the page is, in CSS pixels. */
export async function overflow(page: Page): Promise<number> {
  return Number(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'))
}
