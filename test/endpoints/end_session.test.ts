import t from 'tap'
import { ID_TOKEN_TYP } from '../../server/protocol/id_token.ts'
import type { Session } from '../../server/protocol/session.ts'
import { buildTestApp, NOW } from '../helpers/app.ts'
import { seedSessionClient } from '../helpers/session.ts'
import { type Browser, createBrowser, formIn, signInThroughPages, WEB_CLIENT } from '../helpers/web_client.ts'

const test = await buildTestApp(t)
const { deps, issuer } = test
const alice = await test.createAccount({ username: 'alice' })
const BYE = 'https://app.example/bye'
await test.createClient({ ...WEB_CLIENT, post_logout_redirect_uris: [BYE, 'https://app.example/tschuess?a=1'] })
await test.createClient({ ...WEB_CLIENT, client_id: 'other', post_logout_redirect_uris: ['https://other.example/bye'] })

/** Signs alice in. */
async function signedIn(): Promise<{ browser: Browser; session: Session }> {
  const browser = createBrowser(test)
  await signInThroughPages(browser, '/login')
  const { items } = await deps.store.listSessions({}, { limit: 200, cursor: null })
  const handle = browser.cookies.get('gatehouse_session') ?? ''
  const digest = deps.vault.digest('session', handle)
  const session = items.find(({ handle_digest }) => handle_digest === digest)
  if (session === undefined) throw new Error('nobody is signed in')
  return { browser, session }
}

const idToken = (session_id: string | undefined, changes: object = {}, typ = ID_TOKEN_TYP) =>
  deps.keys.sign('RS256', typ, {
    iss: issuer,
    sub: alice.account_id,
    aud: WEB_CLIENT.client_id,
    iat: NOW,
    exp: NOW + 300,
    ...(session_id === undefined ? {} : { sid: session_id }),
    ...changes,
  })

const logout = (parameters: Record<string, string> = {}) => `/logout?${new URLSearchParams(parameters).toString()}`

async function isSignedIn(session: Session): Promise<boolean> {
  return (await deps.store.findSession(session.session_id))?.session.ended_at === null
}

t.test('discovery says where, and that clients may hear of it', async (t) => {
  t.match((await test.inject({ url: '/.well-known/openid-configuration' })).json(), {
    end_session_endpoint: `${issuer}/logout`,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
  })
})

t.test('RFC 9700 §4.11.2: a client that registered itself leads nobody on who was not signed in here', async (t) => {
  const post_logout_redirect_uri = 'https://stranger.example/bye'
  const stranger = {
    client_id: 'stranger',
    origin: 'registered',
    post_logout_redirect_uris: [post_logout_redirect_uri],
  } as const
  await test.createClient({ ...WEB_CLIENT, ...stranger })
  const { client_id } = stranger
  const asked = await createBrowser(test).open(logout({ client_id, post_logout_redirect_uri, state: 's' }))
  t.equal(asked.statusCode, 200)
  t.match(asked.body, /id="go-on" class="button" href="https:\/\/stranger.example\/bye\?state=s"/)
  const id_token_hint = await idToken('gone', { aud: client_id })
  const hinted = await createBrowser(test).open(logout({ id_token_hint, post_logout_redirect_uri }))
  t.match(hinted.body, /id="go-on"/, 'an ID token says nothing of this browser')
  const { browser, session } = await signedIn()
  const own = await idToken(session.session_id, { aud: client_id })
  const left = await browser.open(logout({ id_token_hint: own, post_logout_redirect_uri }))
  t.equal(left.url.href, post_logout_redirect_uri, 'who has just been signed out goes on')
  const known = await createBrowser(test).open(
    logout({ client_id: WEB_CLIENT.client_id, post_logout_redirect_uri: BYE }),
  )
  t.equal(known.url.href, BYE, 'an administrator knows where it leads')
  await test.createClient({ ...WEB_CLIENT, client_id: 'off', disabled_at: NOW, post_logout_redirect_uris: [BYE] })
  const off = await createBrowser(test).open(logout({ client_id: 'off', post_logout_redirect_uri: BYE }))
  t.equal(off.url.pathname, '/logout', 'and has disabled this one')
})

t.test('RP-Initiated Logout 1.0 §2: without an ID token the person is asked, and then signed out', async (t) => {
  const { browser, session } = await signedIn()
  const asked = await browser.open('/logout')
  t.equal(asked.statusCode, 200)
  t.match(asked.body, /id="logout-confirm"/)
  t.ok(await isSignedIn(session), 'asking ends nothing')
  const done = await browser.submit(asked, { decision: 'confirm' })
  t.equal(done.statusCode, 200)
  t.match(done.body, /You have signed out/)
  t.notOk(await isSignedIn(session))
  t.notOk(browser.cookies.has('gatehouse_session'), 'the cookie is gone')
  const { items } = await deps.store.listAudit({}, { limit: 1, cursor: null })
  t.match(items[0], { event: 'session.ended', session_id: session.session_id, actor: alice.account_id })

  t.match((await browser.submit(asked, {})).body, /You have signed out/, 'a double submit')
})

t.test('whoever would rather stay is still signed in', async (t) => {
  const { browser, session } = await signedIn()
  const asked = await browser.open(logout({ client_id: 'web', post_logout_redirect_uri: BYE }))
  const stayed = await browser.submit(asked, { decision: 'cancel' })
  t.equal(stayed.left, false)
  t.match(stayed.body, /You are signed in/)
  t.ok(await isSignedIn(session))
})

t.test('RP-Initiated Logout 1.0 §2: an ID token of this very session signs out at once', async (t) => {
  for (const exp of [NOW + 300, NOW - 86_400]) {
    const { browser, session } = await signedIn()
    const id_token_hint = await idToken(session.session_id, { exp })
    const done = await browser.open(logout({ id_token_hint, post_logout_redirect_uri: BYE, state: 'a b' }))
    t.equal(done.url.href, `${BYE}?state=a+b`)
    t.equal(done.statusCode, 303)
    t.notOk(await isSignedIn(session), exp > NOW ? 'fresh' : '§4: an expired one, too')
  }
})

t.test('an ID token of another session, of no session or of another account only asks', async (t) => {
  const { session: elsewhere } = await signedIn()
  const { browser, session } = await signedIn()
  const hints = {
    'of another session': idToken(elsewhere.session_id),
    'of no session': idToken(undefined),
    'of another account': idToken(session.session_id, { sub: 'somebody else' }),
  }
  for (const [what, hint] of Object.entries(hints)) {
    const asked = await browser.open(logout({ id_token_hint: await hint, post_logout_redirect_uri: BYE }))
    t.match(asked.body, /id="logout-confirm"/, what)
    t.notMatch(asked.body, await hint, 'and no token stands in the page')
  }
  t.ok(await isSignedIn(session))
  t.ok(await isSignedIn(elsewhere))
})

t.test('the page asks in the name of the client, and leads back to it', async (t) => {
  const { browser } = await signedIn()
  const query = { client_id: 'web', post_logout_redirect_uri: 'https://app.example/tschuess?a=1', state: 'x&y' }
  const asked = await browser.open(logout({ ...query, logout_hint: 'alice', ui_locales: 'de' }))
  t.match(asked.headers['content-security-policy'], /form-action 'self' https:/)
  const done = await browser.submit(asked, {})
  t.equal(done.url.href, 'https://app.example/tschuess?a=1&state=x%26y')
  t.ok(done.left)
})

t.test('without a session there is nothing to ask', async (t) => {
  const browser = createBrowser(test)
  t.match((await browser.open('/logout')).body, /You have signed out/)
  const back = await browser.open(logout({ client_id: 'web', post_logout_redirect_uri: BYE, state: 'x' }))
  t.equal(back.url.href, `${BYE}?state=x`)
  const { browser: former, session } = await signedIn()
  await deps.store.endSession(session.session_id, 'revoked_by_admin', NOW, [])
  const id_token_hint = await idToken(session.session_id)
  t.equal((await former.open(logout({ id_token_hint, post_logout_redirect_uri: BYE }))).url.href, BYE)
  t.notOk(former.cookies.has('gatehouse_session'))
})

t.test('RP-Initiated Logout 1.0 §3: nothing unverified is redirected to; the refusal is a page', async (t) => {
  const { browser, session } = await signedIn()
  const hint = await idToken(session.session_id)
  const forged = hint.replace(/.{40}$/, 'A'.repeat(40))
  const cases: [parameters: Record<string, string>, said: string][] = [
    [{ post_logout_redirect_uri: BYE }, 'post_logout_redirect_uri needs id_token_hint or client_id'],
    [{ client_id: 'web', post_logout_redirect_uri: `${BYE}/` }, 'post_logout_redirect_uri is not registered'],
    [{ client_id: 'other', post_logout_redirect_uri: BYE }, 'post_logout_redirect_uri is not registered'],
    [
      { id_token_hint: hint, post_logout_redirect_uri: 'https://evil.example' },
      'post_logout_redirect_uri is not registered',
    ],
    [{ client_id: 'nobody', post_logout_redirect_uri: BYE }, 'client_id is not registered'],
    [{ client_id: 'other', id_token_hint: hint }, 'id_token_hint was issued to another client'],
    [{ id_token_hint: forged, post_logout_redirect_uri: BYE }, 'id_token_hint is not valid'],
    [{ id_token_hint: 'x' }, 'id_token_hint is not valid'],
    [
      { id_token_hint: await idToken(session.session_id, { iss: 'https://evil.example' }) },
      'id_token_hint is not valid',
    ],
    [{ id_token_hint: await idToken(session.session_id, {}, 'at+jwt') }, 'id_token_hint is not valid'],
    [{ id_token_hint: await idToken(session.session_id, {}, 'logout+jwt') }, 'id_token_hint is not valid'],
  ]
  for (const [parameters, said] of cases) {
    for (const method of ['GET', 'POST'] as const) {
      const refused =
        method === 'GET' ? await browser.open(logout(parameters)) : await browser.post('/logout', parameters)
      t.equal(refused.statusCode, 400, `${method} ${said}`)
      t.match(refused.body, said)
      t.equal(refused.headers.location, undefined)
    }
  }
  t.equal((await browser.open('/logout?state=a&state=b')).statusCode, 400)
  t.ok(await isSignedIn(session))
})

t.test(
  'a client’s mistake is its own: the person signs out all the same, and the log says what to register',
  async (t) => {
    const { browser, session } = await signedIn()
    test.logged.length = 0
    const refused = await browser.open(logout({ client_id: 'web', post_logout_redirect_uri: `${BYE}/` }))
    t.match(refused.body, 'asked for a return address that is not registered here')
    t.notMatch(refused.body, 'could not be understood')
    t.match(test.logged.join(''), `client web asked for ${BYE}/: register it among its post_logout_redirect_uris`)
    const [, href = ''] = /<a id="sign-out" class="button" href="([^"]+)"/.exec(refused.body) ?? []
    const asked = await browser.open(href)
    t.match((await browser.submit(asked, { decision: 'confirm' })).body, 'You have signed out')
    t.notOk(await isSignedIn(session))

    const mistaken = await browser.open(logout({ id_token_hint: 'x' }))
    t.match(mistaken.body, 'made a mistake when it asked for that')
    t.notMatch(mistaken.body, 'return address')
  },
)

t.test('an access token is no ID token hint', async (t) => {
  const { access } = await test.signIn()
  const refused = await createBrowser(test).open(logout({ id_token_hint: access }))
  t.equal(refused.statusCode, 400)
})

t.test(
  'RP-Initiated Logout 1.0 §2: a form of the client may send the request; its cookies come by a redirect',
  async (t) => {
    const { browser, session } = await signedIn()
    const form = { id_token_hint: await idToken(session.session_id), post_logout_redirect_uri: BYE, state: 'x' }
    const sent = new URLSearchParams({ ...form, more: 'ignored' }).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      origin: 'https://app.example',
      'sec-fetch-site': 'cross-site',
    }
    const response = await test.inject({ method: 'POST', url: '/logout', headers, payload: sent })
    t.equal(response.statusCode, 303)
    t.equal(response.headers.location, logout(form))
    t.equal((await browser.open(String(response.headers.location))).url.href, `${BYE}?state=x`)

    const { browser: another } = await signedIn()
    t.match(
      (await another.post('/logout', {}, headers)).body,
      /id="logout-confirm"/,
      'with cookies it is asked at once',
    )
  },
)

t.test('OWASP CSRF Prevention: only a page of this session confirms', async (t) => {
  const { browser, session } = await signedIn()
  const { browser: attacker } = await signedIn()
  const { fields } = formIn((await browser.open('/logout')).body)
  const { fields: theirs } = formIn((await attacker.open('/logout')).body)
  const crossSite = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const cases: [form: Record<string, string>, headers: Record<string, string>][] = [
    [{ csrf_token: 'x' }, {}],
    [{ csrf_token: theirs.csrf_token ?? '' }, {}],
    [{ csrf_token: fields.csrf_token ?? '' }, crossSite],
  ]
  for (const [form, headers] of cases) t.equal((await browser.post('/logout', form, headers)).statusCode, 403)
  t.ok(await isSignedIn(session))
})

t.test(
  'Front-Channel Logout 1.0 §3: clients that asked for it are loaded in frames, before the way back',
  async (t) => {
    const { browser, session } = await signedIn()
    const front = { ...WEB_CLIENT, client_id: 'front', frontchannel_logout_uri: 'https://front.example/out?a=1' }
    await test.createClient({ ...front, frontchannel_logout_session_required: true })
    await test.createClient({ ...front, client_id: 'plain', frontchannel_logout_uri: 'https://plain.example/out' })
    await test.createClient({
      ...front,
      client_id: 'stranger',
      frontchannel_logout_uri: 'https://stranger.example/out',
    })
    for (const client_id of ['front', 'plain', 'web']) await seedSessionClient(deps, session, client_id)
    const id_token_hint = await idToken(session.session_id)
    const done = await browser.open(logout({ id_token_hint, post_logout_redirect_uri: BYE, state: 'x' }))
    t.equal(done.statusCode, 200)
    t.match(done.body, /You have signed out/)
    const frames = [...done.body.matchAll(/<iframe src="([^"]+)"/g)].map(([, src = '']) => src.replaceAll('&amp;', '&'))
    const query = new URLSearchParams({ iss: issuer, sid: session.session_id }).toString()
    t.same(frames, [`https://front.example/out?a=1&${query}`, 'https://plain.example/out'])
    t.match(done.headers['content-security-policy'], /frame-src https:\/\/front\.example https:\/\/plain\.example(;|$)/)
    t.match(done.body, `href="${BYE}?state=x"`)
  },
)
