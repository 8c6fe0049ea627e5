import t from 'tap'
import { ensureForwardAuthClient, FORWARD_AUTH_CLIENT_ID } from '../../server/clients/forward_auth_client.ts'
import { APP, browserAtApplication, forwarded, HTML, prepareForwardAuth as prepare } from '../helpers/forward_auth.ts'
import { signInThroughPages } from '../helpers/web_client.ts'

const OTHER = 'https://other.example'

t.test('OAuth 2.1 §4.1: a browser signs in on the way, and comes back to where it was going', async (t) => {
  const test = await prepare(t)
  const { browser, person, enter } = await browserAtApplication(test)
  const away = await browser.open(`${APP}/private?a=1`)
  t.equal(`${away.url.origin}${away.url.pathname}`, `${test.issuer}/authorize`)
  t.match(Object.fromEntries(away.url.searchParams), {
    client_id: FORWARD_AUTH_CLIENT_ID,
    redirect_uri: `${APP}/forward-auth/callback`,
    code_challenge_method: 'S256',
  })
  const landing = await enter()
  t.match([landing.statusCode, landing.url.href], [200, `${APP}/private?a=1`])
  t.match(landing.headers, { 'remote-user': 'alice' })
  t.strictSame([...browser.cookies.keys()].sort(), [
    '__Host-gatehouse_forward_session',
    '__Host-gatehouse_forward_start',
  ])
  t.notOk([...browser.cookies.values()].includes(person.cookies.get('gatehouse_session') ?? ''), 'not the own cookie')
  t.equal((await browser.open(`${APP}/other`)).statusCode, 200)

  const page = await person.open('/logout')
  await person.submit(page, { decision: 'confirm' })
  t.ok((await browser.open(`${APP}/private`)).left, 'signed out there, signed out here')
})

t.test('who may not be let in any more is not: session, account, client, origin', async (t) => {
  const signedIn = async () => {
    const test = await prepare(t, { origins: [APP, OTHER] })
    const { browser, enter } = await browserAtApplication(test)
    await enter()
    t.notOk((await browser.open(`${APP}/`)).left)
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    return { ...test, isIn: async () => (await test.ask('', { cookie, ...forwarded() })).statusCode === 200, cookie }
  }
  const ended = await signedIn()
  await ended.deps.store.endSessions({ account_id: ended.alice.account_id }, 'revoked_by_admin', ended.clock.now(), [])
  t.notOk(await ended.isIn())
  const disabled = await signedIn()
  await disabled.deps.store.disableAccount(disabled.alice.account_id, disabled.clock.now(), [])
  t.notOk(await disabled.isIn())
  const withdrawn = await signedIn()
  await withdrawn.deps.store.disableClient(FORWARD_AUTH_CLIENT_ID, withdrawn.clock.now(), [])
  t.notOk(await withdrawn.isIn())
  const idle = await signedIn()
  idle.clock.advance(idle.deps.config.sessions.idle_seconds)
  t.notOk(await idle.isIn())
  const { ask, cookie } = await signedIn()
  t.equal((await ask('', { cookie, ...forwarded('/', OTHER) })).statusCode, 401, 'another application')
  t.equal((await ask('', { cookie, ...forwarded() }, '192.0.2.1')).statusCode, 401, 'no proxy that is believed')
  for (const forged of [
    cookie.replace(/\.[\w-]{43}/, `.${'A'.repeat(43)}`),
    cookie.replace('session=e', 'session=f'),
  ]) {
    t.not(forged, cookie)
    t.equal((await ask('', { cookie: forged, ...forwarded() })).statusCode, 401, 'a forged one')
  }
})

t.test('RFC 9470 §4: a step-up leads to a fresh sign-in, and what cannot be reached to no circle', async (t) => {
  const test = await prepare(t)
  const { browser, enter } = await browserAtApplication(test, 'sign_in=redirect&max_age=60')
  t.equal((await enter()).statusCode, 200)
  test.clock.advance(61)
  const away = await browser.open(`${APP}/private`)
  t.equal(away.url.searchParams.get('max_age'), '60')
  t.equal((await enter('/private')).statusCode, 200, 'asked for the password again')
  const strong = await browserAtApplication(test, 'sign_in=redirect&acr_values=urn:strong')
  const refused = await strong.enter()
  t.match([refused.left, refused.statusCode, refused.url.pathname], [false, 403, '/forward-auth/callback'])
})

t.test('RFC 9700 §4.11.2: nobody is led anywhere that is not configured, whoever says so', async (t) => {
  const { ask, issuer } = await prepare(t)
  const page = { accept: HTML, ...forwarded() }
  t.equal((await ask('sign_in=redirect', page)).statusCode, 302)
  const refused = {
    'another host': { ...page, 'x-forwarded-host': 'evil.example' },
    'another port': { ...page, 'x-forwarded-host': 'app.example:8443' },
    'a host that begins like it': { ...page, 'x-forwarded-host': 'app.example.evil.example' },
    http: { ...page, 'x-forwarded-proto': 'http' },
    'this server': { ...page, ...forwarded('/', issuer) },
    'a script': { ...page, 'sec-fetch-mode': 'cors' },
    'a program': { ...page, accept: 'application/json' },
    'a form': { ...page, 'x-forwarded-method': 'POST' },
    'a program with a token': { ...page, authorization: 'Bearer garbage' },
  }
  for (const [name, headers] of Object.entries(refused)) {
    const answer = await ask('sign_in=redirect', headers)
    t.match([answer.statusCode, answer.headers.location], [401, undefined], name)
  }
  t.equal((await ask('sign_in=redirect', page, '192.0.2.1')).statusCode, 401, 'a proxy that nobody believes')
  t.equal((await ask('', page)).statusCode, 401, 'where the proxy cannot pass redirects on')
  t.equal((await ask('sign_in=redirect&accept=token', page)).statusCode, 401, 'where no session is taken')
})

t.test('OAuth 2.1 §7.12: the callback takes only what this browser was sent for, once and in time', async (t) => {
  const test = await prepare(t)
  const { browser, person } = await browserAtApplication(test)
  const away = await browser.open(`${APP}/private?a=1`)
  const { url } = await signInThroughPages(person, away.url.href)
  const attempt = (changes: Record<string, string>, headers: Record<string, string>) => {
    const query = new URLSearchParams({ ...Object.fromEntries(url.searchParams), ...changes })
    return test.inject({ url: `/forward-auth/callback?${query.toString()}`, headers })
  }
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
  const [payload = ''] = (url.searchParams.get('state') ?? '').split('.')
  const evil = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), address: 'https://evil.example' }),
  )
  const refused = {
    'another browser': ['browser', {}, { cookie: `__Host-gatehouse_forward_start=${'a'.repeat(43)}` }],
    'no browser': ['browser', {}, {}],
    'no state of ours': ['state', { state: 'x' }, { cookie }],
    'a changed state': [
      'state',
      { state: `${evil.toString('base64url')}.${url.searchParams.get('state')?.split('.')[1] ?? ''}` },
      { cookie },
    ],
    'another issuer': ['iss', { iss: 'https://evil.example' }, { cookie }],
    'no code of ours': ['code', { code: 'x' }, { cookie }],
  } as const
  const reason = () => test.logged.findLast((line) => line.includes('was not started here'))
  for (const [name, [detail, changes, headers]] of Object.entries(refused)) {
    const answer = await attempt(changes, headers)
    t.match([answer.statusCode, answer.headers.location], [400, undefined], name)
    t.match(reason(), `open the page again (${detail})`, name)
  }
  const done = await attempt({}, { cookie })
  t.match([done.statusCode, done.headers.location], [303, `${APP}/private?a=1`])
  t.match(String(done.headers['set-cookie']), /; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
  t.equal((await attempt({}, { cookie })).statusCode, 400, 'a code is good once')
  test.clock.advance(test.deps.config.authorization.interaction_seconds)
  t.equal((await attempt({}, { cookie })).statusCode, 400, 'too late')
  t.match(reason(), '(state)')
  const twice = await test.inject({ url: '/forward-auth/callback?state=a&state=b' })
  t.equal(twice.statusCode, 400)
})

t.test('RFC 7636: a code that another application sees is of no use to it', async (t) => {
  const test = await prepare(t)
  const { browser, person } = await browserAtApplication(test)
  const away = await browser.open(`${APP}/private`)
  const { url } = await signInThroughPages(person, away.url.href)
  const form = {
    grant_type: 'authorization_code',
    client_id: FORWARD_AUTH_CLIENT_ID,
    code: url.searchParams.get('code') ?? '',
  }
  const start = browser.cookies.get('__Host-gatehouse_forward_start') ?? ''
  const stolen = { ...form, redirect_uri: `${APP}/forward-auth/callback`, code_verifier: start }
  t.equal((await test.postForm('/token', stolen)).json().error, 'invalid_grant')
})

t.test('its client follows the configuration, and what an administrator disabled stays so', async (t) => {
  const { deps, clock } = await prepare(t)
  const find = () => deps.store.findClient(FORWARD_AUTH_CLIENT_ID)
  const configured = (forward_auth: object) => ({
    ...deps,
    config: { ...deps.config, forward_auth: { ...deps.config.forward_auth, ...forward_auth } },
  })
  await deps.store.disableClient(FORWARD_AUTH_CLIENT_ID, clock.now(), [])
  await ensureForwardAuthClient(configured({ origins: [APP, 'https://b.example'] }))
  const changed = await find()
  t.strictSame(
    changed?.redirect_uris,
    [APP, 'https://b.example'].map((origin) => `${origin}/forward-auth/callback`),
  )
  t.not(changed?.disabled_at, null)
  await ensureForwardAuthClient(configured({ enabled: false }))
  t.equal(await find(), undefined)
})
