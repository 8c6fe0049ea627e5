import t, { type Test } from 'tap'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'
import { authorizationUrl, createBrowser, signInThroughPages, WEB_CLIENT } from '../helpers/web_client.ts'

/** Alice, and a client that people are asked about. */
async function setUp(t: Test) {
  const server = await buildTestApp(t)
  await server.createAccount()
  const client = await server.createClient({
    ...WEB_CLIENT,
    first_party: false,
    client_name: 'Photos',
    'client_name#de': 'Bilder',
    policy_uri: 'https://app.example/privacy',
    'policy_uri#de': 'https://app.example/datenschutz',
  })
  const url = (parameters: Record<string, string>) => authorizationUrl(server, client, parameters).url
  return { server, client, browser: createBrowser(server), url }
}

const IN_FRENCH = { 'accept-language': 'fr' }

t.test('OpenID Connect Core §3.1.2.1 ui_locales: every page on the way is in the language asked for', async (t) => {
  const { browser, url } = await setUp(t)
  const login = await browser.open(url({ ui_locales: 'xx de-CH en', prompt: 'consent' }), IN_FRENCH)
  t.match(login.body, '<html lang="de" dir="ltr">')
  t.match(login.body, '<h1>Anmelden</h1>')
  t.match(login.headers, { 'content-language': 'de', vary: 'Accept-Language' })

  const wrong = await browser.submit(login, { username: 'alice', password: 'not this one' })
  t.equal(wrong.statusCode, 422)
  t.match(wrong.body, 'Der Benutzername oder das Passwort stimmt nicht.')
  t.match(wrong.body, '<title>Fehler: Anmelden')

  const consent = await browser.submit(wrong, { username: 'alice', password: PASSWORD })
  t.match(consent.body, '<h1>Darf <bdi class="name">Bilder</bdi> Ihr Konto nutzen?</h1>')
  t.match(consent.body, 'Wissen, dass Sie es sind')
  t.ok((await browser.submit(consent, { decision: 'approve' })).left)
})

t.test('the page that sends a form_post, and the one to choose an account, too', async (t) => {
  const { browser, url } = await setUp(t)
  await signInThroughPages(browser, url({}))
  const chosen = await browser.open(url({ ui_locales: 'es', prompt: 'select_account', response_mode: 'form_post' }))
  t.match(chosen.body, 'Elegir una cuenta')
  t.match((await browser.submit(chosen, { choice: 'continue' })).body, '<h1>Un momento</h1>')
  t.match((await browser.open(url({ ui_locales: 'fr', response_mode: 'form_post' }))).body, '<h1>Un instant</h1>')
})

t.test('RFC 9110 §12.5.4: without ui_locales as the browser says, in English where it says nothing', async (t) => {
  const { browser, url } = await setUp(t)
  const { url: login } = await browser.open(url({}))
  t.match((await browser.open(login.href)).body, '<h1>Sign in</h1>')
  t.match((await browser.open(login.href, IN_FRENCH)).body, '<h1>Se connecter</h1>')
  t.match((await browser.open('/login?interaction=gone', IN_FRENCH)).body, 'Cette page n’est plus à jour')
  t.match((await browser.open('/device', IN_FRENCH)).url.pathname, '/login')
})

t.test('RFC 7591 §2.2: a client has its name and its links in the language of the page, or without one', async (t) => {
  const { browser, url } = await setUp(t)
  const german = (await browser.open(url({ ui_locales: 'de' }))).body
  t.match(german, '<bdi class="name">Bilder</bdi>')
  t.match(german, 'href="https://app.example/datenschutz"')
  const spanish = (await browser.open(url({ ui_locales: 'es' }))).body
  t.match(spanish, '<bdi class="name">Photos</bdi>')
  t.match(spanish, 'href="https://app.example/privacy"')
})

t.test('a refusal on a page is told in the language that was asked for; its reason is as in the log', async (t) => {
  const { browser, url } = await setUp(t)
  const refused = await browser.open(url({ ui_locales: 'de', redirect_uri: 'https://evil.example/' }))
  t.equal(refused.statusCode, 400)
  t.match(refused.body, 'Von dort aus können Sie sich nicht anmelden')
  t.match(refused.body, '<dd lang="en">redirect_uri is not registered')
  const unknown = await browser.open('/authorize?client_id=nobody&ui_locales=fr')
  t.match(unknown.body, 'Vous ne pouvez pas vous connecter depuis cette application')
})

t.test('OpenID Connect Core §3.1.2.1: ui_locales that mean nothing are no error', async (t) => {
  const { browser, url } = await setUp(t)
  const hostile = ['__proto__', 'constructor', '<script>', 'de_DE', ' ', 'x'.repeat(3000), 'xx '.repeat(900), 'é', '*']
  for (const ui_locales of hostile) {
    const login = await browser.open(url({ ui_locales }), { 'accept-language': ui_locales.replaceAll('é', 'e') })
    t.equal(login.statusCode, 200, ui_locales.slice(0, 20))
    t.match(login.body, '<html lang="en" dir="ltr">')
  }
  const repeated = await browser.open(`${url({ ui_locales: 'de' })}&ui_locales=fr`)
  t.match(repeated.url.searchParams.get('error'), 'invalid_request', 'RFC 6749 §3.1: no parameter twice')
})

t.test('RP-Initiated Logout §2 ui_locales: the question, the answer and the refusal', async (t) => {
  const { browser, url } = await setUp(t)
  await signInThroughPages(browser, url({}))
  const asked = await browser.open('/logout?ui_locales=de&client_id=web', IN_FRENCH)
  t.match(asked.body, '<bdi class="name">Bilder</bdi> möchte Sie hier abmelden')
  const stay = await browser.submit(asked, { decision: 'cancel' })
  t.match(stay.body, 'Sie sind angemeldet')
  const refused = await browser.open(
    '/logout?ui_locales=es&client_id=web&post_logout_redirect_uri=https://evil.example/',
  )
  t.match(refused.body, 'indicó una dirección de retorno que no está registrada aquí')
  t.match((await browser.submit(asked, {})).body, 'Sie haben sich abgemeldet')
})

t.test('Discovery §3: ui_locales_supported', async (t) => {
  const { server } = await setUp(t)
  const { ui_locales_supported } = (await server.inject({ url: '/.well-known/openid-configuration' })).json()
  t.same(ui_locales_supported, ['en', 'de', 'fr', 'es'])
})
