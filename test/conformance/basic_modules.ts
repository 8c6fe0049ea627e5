/**
 * The modules of the plan `oidcc-basic-certification-test-plan`, each as a test. Form Post OP is the same list with
 * another response mode.
 *
 * @see [OpenID Connect conformance profiles](https://openid.net/certification/testing/)
 */
import type { Test } from 'tap'
import { basic, buildTestApp, NOW } from '../helpers/app.ts'
import { answerOf, byBasic, byPost, type FlowOptions, relyingParty, UNHURRIED } from '../helpers/relying_party.ts'
import { authorizationUrl, createBrowser, signInThroughPages } from '../helpers/web_client.ts'

const SECRET = 'the secret of the suite, long enough'
const REDIRECT_URI = 'https://suite.example/test/a/gatehouse/callback'

const PERSON = {
  given_name: 'Alice',
  family_name: 'Adams',
  middle_name: 'B.',
  nickname: 'al',
  profile: 'https://alice.example/',
  picture: 'https://alice.example/me.png',
  website: 'https://alice.example/blog',
  gender: 'female',
  birthdate: '1990-01-01',
  zoneinfo: 'Europe/Berlin',
  locale: 'de',
  phone_number: '+49 30 1234567',
  address: { formatted: 'Street 1, 10115 Berlin', country: 'DE' },
}

/** @param response_mode undefined: as the response type has it */
export async function basicModules(t: Test, response_mode: 'form_post' | undefined): Promise<void> {
  const server = await buildTestApp(t, { config: UNHURRIED })
  const { issuer, clock } = server
  const account = await server.createAccount({ email: 'alice@example.com' })
  await server.deps.store.updateAccount({ ...account, name: 'Alice Adams', profile: PERSON }, [])
  const suite = {
    redirect_uris: [REDIRECT_URI],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid profile email address phone offline_access',
    first_party: false,
    require_pkce: false,
    client_secret: SECRET,
  }
  const client = await server.createClient({ ...suite, client_id: 'suite' })
  const second = await server.createClient({ ...suite, client_id: 'suite-2' })
  const post = await server.createClient({
    ...suite,
    client_id: 'suite-post',
    token_endpoint_auth_method: 'client_secret_post',
  })
  const always = { nonce: 'the nonce', ...(response_mode === undefined ? {} : { response_mode }) }
  const party = relyingParty(server, client, byBasic('suite', SECRET), always)
  const metadata = (await server.inject({ url: '/.well-known/openid-configuration' })).json()
  const answered = async (parameters: Record<string, string | undefined>, options: FlowOptions = {}) =>
    answerOf(issuer, await party.open(parameters, options)) ?? {}

  t.test('oidcc-server: a sign-in gives a code, tokens and what UserInfo knows', async (t) => {
    const { answer, tokens, claims } = await party.flow()
    t.match(answer, { code: String, state: 'the state', iss: issuer })
    t.match(tokens, { token_type: 'Bearer', expires_in: Number, access_token: String })
    t.match(claims, { iss: issuer, aud: 'suite', sub: String, iat: NOW, exp: Number, nonce: 'the nonce' })
    const told = await party.userinfo(tokens)
    t.match([told.statusCode, told.json()], [200, { sub: claims.sub }])
    t.equal((await party.open()).left, response_mode === undefined, 'otherwise by a form of ours')
  })

  t.test('oidcc-response-type-missing: without response_type there is an error', async (t) => {
    const landing = await party.open({ response_type: undefined })
    t.equal(landing.statusCode, 400)
    t.match(landing.body, 'response_type is missing')
  })

  t.test('oidcc-idtoken-signature: it is RS256 with a kid of the JWKS when nothing was registered', async (t) => {
    const { header } = await party.flow()
    const { keys } = (await server.inject({ url: '/.well-known/jwks.json' })).json()
    t.equal(header.alg, 'RS256')
    t.ok(keys.some((key: { kid: string }) => key.kid === header.kid))
  })

  t.test('oidcc-idtoken-unsigned: none is not supported, so that the module is skipped', async (t) => {
    t.ok(metadata.id_token_signing_alg_values_supported.includes('RS256'))
    t.notOk(metadata.id_token_signing_alg_values_supported.includes('none'))
  })

  t.test('oidcc-userinfo-get, oidcc-userinfo-post-header, oidcc-userinfo-post-body: three ways to ask', async (t) => {
    const { tokens, claims } = await party.flow()
    const { access_token } = tokens
    const authorization = `Bearer ${access_token}`
    for (const response of [
      await party.userinfo(tokens),
      await server.postForm('/userinfo', '', { authorization }),
      await server.postForm('/userinfo', { access_token }),
    ]) {
      t.match([response.statusCode, response.json()], [200, { sub: claims.sub }])
      t.match(response.headers['content-type'], /^application\/json/)
    }
  })

  t.test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow: nonce is optional', async (t) => {
    t.notOk('nonce' in (await party.flow({ nonce: undefined })).claims)
  })

  const expected = {
    profile: { name: 'Alice Adams', given_name: 'Alice', preferred_username: 'alice', updated_at: Number },
    email: { email: 'alice@example.com', email_verified: false },
    address: { address: PERSON.address },
    phone: { phone_number: PERSON.phone_number, phone_number_verified: false },
  }
  t.test(
    'oidcc-scope-profile, oidcc-scope-email, oidcc-scope-address, oidcc-scope-phone: UserInfo tells what the scope asks for',
    async (t) => {
      for (const [scope, claims] of Object.entries(expected)) {
        const { tokens } = await party.flow({ scope: `openid ${scope}` })
        const told = (await party.userinfo(tokens)).json()
        t.match(told, claims, scope)
        const others = Object.entries(expected).filter(([name]) => name !== scope)
        for (const name of others.flatMap(([, them]) => Object.keys(them))) t.notOk(name in told, name)
      }
    },
  )
  t.test('oidcc-scope-all: and all of them together', async (t) => {
    const { tokens } = await party.flow({ scope: 'openid profile email address phone' })
    t.match((await party.userinfo(tokens)).json(), Object.assign({}, ...Object.values(expected)))
  })

  t.test('oidcc-alternate-happy-flow: neither scopes nor parameters have an order', async (t) => {
    const url = new URL(party.url({ scope: 'email openid' }))
    const reversed = new URLSearchParams([...url.searchParams].toReversed())
    const landing = await signInThroughPages(createBrowser(server), `/authorize?${reversed.toString()}`)
    const response = await party.exchange(answerOf(issuer, landing)?.code ?? '')
    t.equal(response.statusCode, 200)
    t.match((await party.userinfo(response.json())).json(), { email: 'alice@example.com' })
  })

  t.test('oidcc-display-page, oidcc-display-popup, oidcc-login-hint: a login page, and no error', async (t) => {
    for (const parameters of [{ display: 'page' }, { display: 'popup' }, { login_hint: 'buffy@example.com' }]) {
      t.match((await party.look(parameters)).body, 'id="login-submit"')
      const browser = createBrowser(server)
      t.match(await answered(parameters, { browser }), { code: String }, JSON.stringify(parameters))
    }
  })

  t.test('oidcc-prompt-login: signing in again, and auth_time says so', async (t) => {
    const first = await party.flow({ max_age: '10000' })
    clock.advance(2)
    t.match((await party.look({ prompt: 'login' }, first.browser)).body, 'id="login-submit"')
    const again = await party.flow({ prompt: 'login' }, { browser: first.browser })
    t.equal(again.claims.sub, first.claims.sub)
    t.ok(Number(again.claims.auth_time) > Number(first.claims.auth_time))
  })

  t.test('oidcc-prompt-none-not-logged-in: login_required, and a long state comes back', async (t) => {
    const state = 's'.repeat(128)
    t.match(await answered({ prompt: 'none', state }, { browser: createBrowser(server) }), {
      error: 'login_required',
      state,
    })
  })

  t.test('oidcc-prompt-none-logged-in: the same person and time, without a page', async (t) => {
    const first = await party.flow()
    const silent = answerOf(issuer, await party.look({ prompt: 'none' }, first.browser))
    const { payload } = await party.verify((await party.exchange(silent?.code ?? '')).json().id_token)
    t.match(payload, { sub: first.claims.sub, auth_time: first.claims.auth_time })
  })

  t.test('oidcc-max-age-1: signing in again, with auth_time', async (t) => {
    const first = await party.flow()
    clock.advance(2)
    t.match((await party.look({ max_age: '1' }, first.browser)).body, 'id="login-submit"')
    const again = await party.flow({ max_age: '1' }, { browser: first.browser })
    t.equal(again.claims.auth_time, clock.now())
  })

  t.test('oidcc-max-age-10000: no page, and the same auth_time', async (t) => {
    const first = await party.flow({ max_age: '15000' })
    clock.advance(2)
    const silent = answerOf(issuer, await party.look({ max_age: '10000' }, first.browser))
    const { payload } = await party.verify((await party.exchange(silent?.code ?? '')).json().id_token)
    t.match(payload, { sub: first.claims.sub, auth_time: first.claims.auth_time })
  })

  t.test('oidcc-id-token-hint: with prompt=none, for who is signed in', async (t) => {
    const first = await party.flow()
    const parameters = { prompt: 'none', id_token_hint: first.tokens.id_token }
    t.match(answerOf(issuer, await party.look(parameters, first.browser)), { code: String })
  })

  t.test('oidcc-ensure-request-with-unknown-parameter-succeeds, oidcc-claims-locales: none is an error', async (t) => {
    for (const parameters of [{ extra: 'foobar' }, { claims_locales: 'se' }]) {
      t.match(await answered(parameters), { code: String }, JSON.stringify(parameters))
    }
  })

  t.test('oidcc-ui-locales: no error, and a page in the first language that is here', async (t) => {
    t.match(await answered({ ui_locales: 'se' }), { code: String })
    const { body } = await createBrowser(server).open(authorizationUrl(server, client, { ui_locales: 'se fr' }).url)
    t.match(body, '<html lang="fr"')
    t.ok(metadata.ui_locales_supported.includes('fr'))
  })

  t.test('oidcc-ensure-request-with-acr-values-succeeds: with the acr that was asked for', async (t) => {
    const [acr] = metadata.acr_values_supported
    t.equal((await party.flow({ acr_values: metadata.acr_values_supported.join(' ') })).claims.acr, acr)
    t.match(await answered({ acr_values: '1 2' }), { code: String })
  })

  t.test('oidcc-codereuse, oidcc-codereuse-30seconds: invalid_grant, and the access token is revoked', async (t) => {
    for (const seconds of [0, 30]) {
      const { answer, tokens } = await party.flow()
      clock.advance(seconds)
      const again = await party.exchange(answer.code ?? '')
      t.match([again.statusCode, again.json()], [400, { error: 'invalid_grant' }])
      t.equal((await party.userinfo(tokens)).statusCode, 401)
    }
  })

  t.test('oidcc-ensure-registered-redirect-uri: a page says what is wrong', async (t) => {
    const landing = await party.look({ redirect_uri: `${REDIRECT_URI}/other` })
    t.match([landing.left, landing.statusCode], [false, 400])
    t.match(landing.body, 'redirect_uri is not registered')
  })

  t.test('oidcc-ensure-post-request-succeeds: the request may be a form of the client', async (t) => {
    const browser = createBrowser(server)
    const form = Object.fromEntries(new URL(party.url()).searchParams)
    const from = { origin: 'https://suite.example', 'sec-fetch-site': 'cross-site' }
    const page = await browser.post('/authorize', form, from)
    t.match(page.body, 'id="login-submit"')
    const landing = await signInThroughPages(browser, page.url.href)
    t.match(answerOf(issuer, landing), { code: String })
  })

  t.test('oidcc-server-client-secret-post: the secret may be in the body', async (t) => {
    const { claims } = await relyingParty(server, post, byPost('suite-post', SECRET), always).flow()
    t.equal(claims.aud, 'suite-post')
  })

  t.test(
    'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported: request_uri_not_supported',
    async (t) => {
      const request_uri = 'https://suite.example/requesturi/x#hash'
      t.match(await answered({ request_uri }), { error: 'request_uri_not_supported', state: 'the state' })
      t.equal(metadata.request_uri_parameter_supported, false)
    },
  )

  t.test(
    'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported, oidcc-ensure-request-object-with-redirect-uri: none is not supported, so that they are skipped',
    async (t) => {
      t.notOk(metadata.request_object_signing_alg_values_supported.includes('none'))
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
      const request = `${encode({ alg: 'none' })}.${encode({ redirect_uri: REDIRECT_URI, scope: 'openid' })}.`
      t.match(await answered({ request }), { error: 'invalid_request_object' })
    },
  )

  t.test('oidcc-claims-essential: name by UserInfo, and not in the ID token', async (t) => {
    const { tokens, claims } = await party.flow({ claims: '{"userinfo":{"name":{"essential":true}}}' })
    t.match((await party.userinfo(tokens)).json(), { name: 'Alice Adams' })
    t.notOk('name' in claims)
  })

  t.test('oidcc-refresh-token: it works for its client, and for no other', async (t) => {
    const { tokens, claims } = await party.flow({ scope: 'openid offline_access', prompt: 'consent' })
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
    const stolen = await server.postForm('/token', form, basic(second.client_id, SECRET))
    t.match([stolen.statusCode, stolen.json()], [400, { error: 'invalid_grant' }])
    const renewed = await party.token(form)
    t.equal(renewed.statusCode, 200)
    const { payload } = await party.verify(renewed.json().id_token)
    const { iss, sub, aud, auth_time } = claims
    t.match(payload, { iss, sub, aud, auth_time })
    t.equal((await party.userinfo(renewed.json())).statusCode, 200)
  })

  t.test('oidcc-ensure-request-with-valid-pkce-succeeds: PKCE is always welcome', async (t) => {
    const { url, code_verifier } = authorizationUrl(server, client, always)
    const answer = answerOf(issuer, await signInThroughPages(createBrowser(server), url))
    t.equal((await party.exchange(answer?.code ?? '', { code_verifier })).statusCode, 200)
  })
}
