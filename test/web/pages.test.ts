import t from 'tap'
import { LOCALES } from '../../server/protocol/locale.ts'
import { html, render } from '../../web/html.ts'
import { messages } from '../../web/locales/index.ts'
import { type Page, renderSheet } from '../../web/pages/layout.ts'
import { HOSTILE, hostilePages, samplePages } from '../helpers/sample_pages.ts'

const shell = {
  stylesheet: '/a.css',
  logo: '/a.svg',
  scripts: { show_password: '/show.js', submit_form: '/submit.js', go_on: '/go.js' },
}
const pages = samplePages()
const documentOf = (page: Page, locale: keyof typeof messages = 'en') =>
  renderSheet(shell, page(messages[locale]), messages[locale])

/** The markup of a page that is in {@link samplePages}. */
function sample(name: string): string {
  const page = pages[name]
  if (page === undefined) throw new Error(`there is no page ${name}`)
  return render(page(messages.en).content)
}

/** Names of tags and attributes; values and texts left out. */
const skeleton = (markup: string) => markup.replace(/"[^"]*"/g, '""').replace(/>[^<]*</g, '><')

t.test('HTML §13.3: what others wrote adds no tag and no attribute to any page', async (t) => {
  const tame = hostilePages('tame')
  for (const text of HOSTILE.filter((text) => text !== '')) {
    for (const [name, page] of Object.entries(hostilePages(text))) {
      const twin = tame[name]
      if (twin === undefined) throw new Error(name)
      t.equal(skeleton(documentOf(page)), skeleton(documentOf(twin)), `${name}: ${text.slice(0, 40)}`)
    }
  }
})

t.test('nothing on a page is run from the page: no script, style, handler or script URI', async (t) => {
  for (const [name, page] of [...Object.entries(pages), ...Object.entries(hostilePages('tame'))]) {
    t.notMatch(documentOf(page), /<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:|data:/i, name)
  }
})

t.test('every page: one heading that its title begins with, its language, and ids that occur once', async (t) => {
  const all = Object.entries(pages).flatMap(([name, page]) => LOCALES.map((locale) => ({ name, page, locale })))
  for (const { name, page, locale } of all) {
    const markup = documentOf(page, locale)
    const [, heading = ''] = /<h1>(.*?)<\/h1>/s.exec(markup) ?? []
    const title = render(html`${page(messages[locale]).title}`)
    t.ok(title.endsWith(heading.replace(/<[^>]+>/g, '')), `${locale} ${name}: ${title}`)
    t.match(markup, `<html lang="${locale}" dir="ltr">`)
    const ids = [...markup.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
    t.equal(new Set(ids).size, ids.length, `${name}: ${ids.join(' ')}`)
    for (const [, id] of markup.matchAll(/aria-(?:describedby|labelledby)="([^"]+)"/g))
      t.ok(ids.includes(id), `${name}: ${id}`)
    t.ok(Buffer.byteLength(markup) < 8000, `${name}: ${Buffer.byteLength(markup)} bytes`)
  }
})

t.test('names and ids that password managers and tests go by', async (t) => {
  const login = sample('login')
  t.match(login, '<h1>Sign in</h1>')
  t.match(login, /<input id="username" name="username" type="text" autocomplete="username webauthn"/)
  t.match(login, /<input id="password" name="password" type="password" autocomplete="current-password"/)
  t.match(login, /<button id="login-submit">/)
  t.match(login, /<button id="login-cancel" [^>]*name="cancel" value="true" formnovalidate>/)
  t.notMatch(sample('login_plain'), /login-cancel|remember/, 'nobody to answer to, nothing offered')
  t.ok(login.indexOf('login-submit') < login.indexOf('login-cancel'), 'HTML §4.10.21.2: Enter means the first button')
  for (const [name, ids] of Object.entries({
    consent: ['consent-approve', 'consent-deny'],
    device_confirm: ['device-approve', 'device-deny'],
    logout: ['logout-confirm', 'logout-cancel'],
  })) {
    for (const id of ids) t.match(sample(name), new RegExp(`<button id="${id}"[^>]* name="decision" value="[a-z]+">`))
  }
  t.match(sample('device_code'), /name="user_code" type="text" autocomplete="off"\s+autocapitalize="characters"/)
  t.match(sample('signed_out'), 'You have signed out')
})

t.test('a step has one form, which goes nowhere without its CSRF token and its interaction', async (t) => {
  for (const name of ['login', 'select_account', 'consent', 'device_code', 'device_confirm', 'logout']) {
    const markup = sample(name)
    t.equal(markup.match(/<form method="post" action="\/echo">/g)?.length, 1, name)
    t.match(markup, '<input type="hidden" name="csrf_token" value="a-csrf-token">')
    t.match(markup, '<input type="hidden" name="interaction" value="an-interaction">')
  }
})

t.test('a password that was entered is not sent back, and a fixed name cannot be changed', async (t) => {
  t.notMatch(sample('login_problem'), /type="password"[^>]* value=/)
  t.match(sample('login_problem'), /name="username"[^>]* value="alice"/)
  t.notMatch(sample('login_problem'), 'readonly')
  t.match(sample('login_again'), /name="username"[^>]* value="alice" readonly/)
  t.match(sample('login_again'), '<a href="/login?another">Not you?</a>')
})

t.test('WCAG 2.2 §3.3.1: a problem has the focus, and belongs to its inputs', async (t) => {
  t.match(sample('login_problem'), /id="problem" role="alert" tabindex="-1" autofocus/)
  t.equal(sample('login_problem').match(/aria-describedby="problem"/g)?.length, 2)
  t.equal(render(html`${pages.login_problem?.(messages.en).title}`), 'Error: Sign in')
  for (const name of Object.keys(pages)) t.ok((sample(name).match(/\sautofocus/g)?.length ?? 0) <= 1, name)
})

t.test('consent names the host that the answer goes to, and neither answer looks better', async (t) => {
  t.match(sample('consent'), 'Either way you go on to <b>photos.example</b>')
  t.match(sample('consent_full'), 'an application on this device, <b>127.0.0.1/callback</b>')
  const classes = [...sample('consent').matchAll(/<button([^>]*)>/g)].map(([, attributes = '']) => attributes)
  t.equal(classes.length, 2)
  for (const attributes of classes) t.notMatch(attributes, 'class=')
})

t.test(
  'RFC 7591 §5: who registered itself is said to be unchecked, and its own home page is not believed',
  async (t) => {
    t.match(sample('consent_full'), 'Not checked by an administrator')
    t.match(sample('consent_full'), 'Its details come from <b>agent.example</b>')
    t.notMatch(sample('consent_full'), 'href="https://photos.example"')
    t.notMatch(sample('consent'), 'Not checked by an administrator')
    t.match(sample('consent'), 'href="https://photos.example" target="_blank" rel="noopener noreferrer"')
  },
)

t.test('what is asked is said in plain words, and whatever has none is shown as it is', async (t) => {
  t.match(sample('consent'), 'See your e-mail address')
  t.match(sample('consent'), 'Use <code>photos.read</code>')
  t.notMatch(sample('consent'), 'class="new"')
  const full = sample('consent_full')
  t.equal(full.match(/class="new"/g)?.length, 2)
  t.match(full, 'date of birth and phone number')
  t.match(full, 'https://api.example/albums')
  for (const part of ['payment_initiation', 'creditor name', 'Merchant A', '123.50', 'initiate, status'])
    t.match(full, part)
})

t.test('RFC 8628 §5.4: the person sees the code and where the device asked from, and is warned', async (t) => {
  const markup = sample('device_confirm')
  for (const part of ['WDJB-MJHT', '203.0.113.0/24', 'AcmeTV/4.2', 'Only continue if you started this'])
    t.match(markup, part)
  t.match(markup, '<input type="hidden" name="user_code" value="WDJB-MJHT">')
})

t.test('Form Post Response Mode §2: the parameters go to the redirect URI, by a button as well', async (t) => {
  const page = pages.form_post?.(messages.en)
  t.match(sample('form_post'), '<form method="post" action="https://photos.example/callback">')
  t.match(sample('form_post'), '<input type="hidden" name="code" value="a-code">')
  t.match(sample('form_post'), '<button>Continue</button>')
  t.match(page, { scripts: ['submit_form'], form_action: ['https://photos.example/callback'] })
})

t.test(
  'an error tells people what to do, operators the reference, and developers the difference if they may know',
  async (t) => {
    t.match(sample('error'), 'k3j2-4f')
    t.notMatch(sample('error'), 'not for people', 'a fault is nobody else’s business')
    const told = sample('error_client')
    for (const part of [
      'redirect_uri is not registered',
      'localhost:8080/callback',
      '127.0.0.1:3000',
      'port: 8080 for 3000',
    ]) {
      t.match(told, part)
    }
  },
)
