import { generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { subjectOf } from '../../server/tokens/subject.ts'
import { buildTestApp, claimsOf, NOW } from '../helpers/app.ts'
import { authorizationUrl, createBrowser, signInThroughPages, WEB_CLIENT } from '../helpers/web_client.ts'

const server = await buildTestApp(t)
const { issuer } = server
const alice = await server.createAccount()
const client = await server.createClient({ ...WEB_CLIENT, first_party: true })

/** Sends a request without cookies. */
async function ask(
  parameters: Record<string, string | undefined> = {},
  asking: Pick<Client, 'client_id' | 'redirect_uris'> = client,
) {
  const { url } = authorizationUrl(server, asking, parameters)
  const response = await server.inject({ url: url.slice(issuer.length) })
  const { location } = response.headers
  return { response, location: location === undefined ? undefined : new URL(String(location), issuer) }
}

/** The answer that a client gets, in the query. */
async function answerTo(parameters: Record<string, string | undefined>, asking?: Client) {
  const { location, response } = await ask(parameters, asking)
  if (location?.origin !== 'https://app.example')
    throw new Error(`no answer: ${response.statusCode} ${location?.href} ${response.body}`)
  return Object.fromEntries(location.searchParams)
}

t.test('RFC 6749 §4.1.2: the answer is a code, with state and iss (RFC 9207 §2)', async (t) => {
  const landing = await signInThroughPages(createBrowser(server), authorizationUrl(server, client).url)
  t.equal(landing.url.origin + landing.url.pathname, 'https://app.example/callback')
  t.match(Object.fromEntries(landing.url.searchParams), { code: /^gth_ac_/, state: 'the state', iss: issuer })
  t.equal(landing.url.searchParams.size, 3)
  t.equal(landing.statusCode, 303, 'RFC 9700 §4.12')
})

t.test('RFC 6749 §4.1.2.1: an error goes to the redirect URI, with state and iss', async (t) => {
  t.strictSame(await answerTo({ prompt: 'none' }), {
    error: 'login_required',
    error_description: 'signing in is needed, and prompt=none forbids to ask',
    state: 'the state',
    iss: issuer,
  })
  t.notOk('state' in (await answerTo({ prompt: 'none', state: undefined })))
  t.match(await answerTo({ response_type: 'token' }), { error: 'unsupported_response_type' })
  t.match(await answerTo({ code_challenge: undefined }), { error: 'invalid_request' })
  t.match(await answerTo({ scope: 'gatehouse:write' }), { error: 'invalid_scope' })
  t.match(await answerTo({ resource: 'https://unknown.example' }), { error: 'invalid_target' })
  t.match(await answerTo({ claims: '[]' }), { error: 'invalid_request' })
  t.match(await answerTo({ authorization_details: '[{"type":"payment"}]' }), { error: 'invalid_authorization_details' })
  t.match(await answerTo({ id_token_hint: 'x' }), { error: 'invalid_request' })
})

t.test(
  'RFC 9700 §4.11.2: a client that registered itself leads away only who has signed in, but for prompt=none',
  async (t) => {
    const stranger = await server.createClient({ ...WEB_CLIENT, client_id: 'stranger', origin: 'registered' })
    const { response, location } = await ask({ scope: 'gatehouse:write' }, stranger)
    t.equal(location, undefined)
    t.equal(response.statusCode, 400)
    const link = /id="go-on" class="button" href="([^"]+)">Go on to ([^<]+)</.exec(response.body)
    const href = new URL((link?.[1] ?? '').replaceAll('&amp;', '&'))
    t.equal(href.origin + href.pathname, 'https://app.example/callback')
    t.match(Object.fromEntries(href.searchParams), { error: 'invalid_scope', state: 'the state', iss: issuer })
    t.equal(link?.[2], 'app.example')
    const posted = await ask({ scope: 'gatehouse:write', response_mode: 'form_post' }, stranger)
    t.equal(posted.response.statusCode, 400)
    t.notMatch(posted.response.body, 'go-on', 'a link is all there is')
    t.match(await answerTo({ prompt: 'none' }, stranger), { error: 'login_required' })
    const claims = '{"id_token":{"acr":{"essential":true,"value":"out of reach"}}}'
    t.match((await ask({ claims }, stranger)).location?.pathname, '/login', 'however it is refused')

    const browser = createBrowser(server)
    await signInThroughPages(browser, '/login')
    const answer = await browser.open(authorizationUrl(server, stranger, { scope: 'gatehouse:write' }).url)
    t.equal(answer.url.searchParams.get('error'), 'invalid_scope')
  },
)

t.test('what cannot be redirected is a page with a plain sentence', async (t) => {
  for (const [parameters, description] of [
    [{ redirect_uri: 'https://evil.example/' }, 'redirect_uri is not registered'],
    [{ redirect_uri: '' }, 'redirect_uri is missing'],
    [{ client_id: '' }, 'client_id is missing'],
    [{ client_id: 'nobody' }, 'client_id is not registered'],
    [{ response_type: '' }, 'response_type is missing'],
    [
      { request_uri: 'urn:ietf:params:oauth:request_uri:gth_x', redirect_uri: '' },
      'the request_uri is unknown, expired or used',
    ],
  ] as const) {
    const { response, location } = await ask(parameters)
    t.equal(response.statusCode, 400, description)
    t.equal(location, undefined)
    t.match(response.headers['content-type'], /text\/html/)
    t.match(response.body, description)
  }
})

t.test('a disabled client is as good as none', async (t) => {
  const disabled = await server.createClient({ ...WEB_CLIENT, client_id: 'disabled', disabled_at: NOW })
  const { response } = await ask({}, disabled)
  t.equal(response.statusCode, 400)
  t.match(response.body, 'client_id is not registered')
})

t.test('in development the page says what is registered and how it differs', async (t) => {
  const { response } = await ask({ redirect_uri: 'https://app.example/callback/' })
  t.match(response.body, 'https://app.example/callback/')
  t.match(response.body, 'a slash too many at the end')
})

t.test('elsewhere it says only what was received', async (t) => {
  const there = await buildTestApp(t, { config: { issuer: 'https://op.example' } })
  await there.createClient(WEB_CLIENT)
  const { url } = authorizationUrl(there, WEB_CLIENT, { redirect_uri: 'https://evil.example/<x>' })
  const { body, statusCode } = await there.inject({ url: url.slice('https://op.example'.length) })
  t.equal(statusCode, 400)
  t.match(body, 'https://evil.example/&lt;x&gt;')
  t.notMatch(body, 'app.example')
})

t.test('RFC 6749 §3.1: POST is taken from another site as well, and sent on to where cookies come along', async (t) => {
  const { url } = authorizationUrl(server, client, { prompt: 'none', state: 'ü&=' })
  const form = new URL(url).searchParams.toString()
  const headers = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }
  const response = await server.postForm('/authorize', form, headers)
  t.equal(response.statusCode, 303)
  const location = String(response.headers.location)
  t.match(location, /^\/authorize\?/)
  t.strictSame(
    Object.fromEntries(new URL(location, issuer).searchParams),
    Object.fromEntries(new URLSearchParams(form)),
  )
  t.equal((await server.postForm('/authorize', `x=${'a'.repeat(9000)}`, headers)).statusCode, 413)
  t.equal((await server.postForm('/authorize', 'a=%ff', headers)).statusCode, 400)
})

t.test('RFC 9110 §9.3.2: HEAD, which only looks, finds nothing; other methods are refused', async (t) => {
  const { url } = authorizationUrl(server, client)
  t.equal((await server.inject({ method: 'HEAD', url: url.slice(issuer.length) })).statusCode, 404)
  const refused = await server.inject({ method: 'PUT', url: '/authorize' })
  t.equal(refused.statusCode, 405)
  t.equal(refused.headers.allow, 'GET, POST')
})

t.test('OpenID Connect Core §3.1.2.2 step 4: an id_token_hint is about its person or nobody', async (t) => {
  const idToken = (changes: object, typ = 'JWT') =>
    server.deps.keys.sign('RS256', typ, {
      iss: issuer,
      sub: alice.account_id,
      aud: client.client_id,
      iat: NOW - 999,
      exp: NOW - 99,
      ...changes,
    })
  const browser = createBrowser(server)
  await signInThroughPages(browser, authorizationUrl(server, client).url)
  const outcome = async (id_token_hint: string, more: Record<string, string> = {}) => {
    const { url } = authorizationUrl(server, client, { prompt: 'none', id_token_hint, ...more })
    const { searchParams } = (await browser.open(url)).url
    return searchParams.get('error') ?? (searchParams.has('code') ? 'code' : undefined)
  }
  t.equal(await outcome(await idToken({})), 'code', 'an expired one will do')
  t.equal(await outcome(await idToken({ sub: 'somebody-else' })), 'login_required')
  t.equal(await outcome(await idToken({ aud: 'other' })), 'invalid_request', 'of another client')
  t.equal(await outcome(await idToken({ aud: 'other', azp: client.client_id })), 'code')
  t.equal(await outcome(await idToken({ iss: 'https://other.example' })), 'invalid_request')
  t.equal(await outcome(await idToken({}, 'at+jwt')), 'invalid_request', 'an access token')
  t.equal(await outcome(await idToken({}, 'logout+jwt')), 'invalid_request', 'a logout token')
  t.equal(await outcome(await idToken({ exp: undefined })), 'invalid_request', 'no ID token')
  const subject = (value: string) => ({ claims: JSON.stringify({ id_token: { sub: { value } } }) })
  t.equal(await outcome('', subject(alice.account_id)), 'code', 'the claims parameter says the same')
  t.equal(await outcome('', subject('somebody-else')), 'login_required')
  t.equal(await outcome(await idToken({}), subject('somebody-else')), 'invalid_request', 'two people')
})

t.test('OpenID Connect Core §8.1: a pairwise sub names its person, whatever became of the session', async (t) => {
  const pairwise = await server.createClient({ ...WEB_CLIENT, client_id: 'pairwise', subject_type: 'pairwise' })
  const bob = await server.createAccount({ username: 'bob' })
  const idTokenOf = (account_id: string) =>
    server.deps.keys.sign('RS256', 'JWT', {
      iss: issuer,
      sub: subjectOf(server.deps, pairwise, account_id),
      aud: 'pairwise',
      iat: NOW - 999,
      exp: NOW - 99,
      sid: 'a session that is forgotten',
    })
  const browser = createBrowser(server)
  await signInThroughPages(browser, authorizationUrl(server, pairwise).url)
  const landing = async (id_token_hint: string, more: Record<string, string> = {}) =>
    browser.open(authorizationUrl(server, pairwise, { id_token_hint, ...more }).url)
  const [hers, his] = [await idTokenOf(alice.account_id), await idTokenOf(bob.account_id)]
  t.ok((await landing(hers, { prompt: 'none' })).url.searchParams.has('code'))
  t.equal((await landing(his, { prompt: 'none' })).url.searchParams.get('error'), 'login_required')
  t.match((await landing(his)).body, 'id="login-submit"', 'not alice')
  const claims = JSON.stringify({ id_token: { sub: { value: alice.account_id } } })
  const by_account_id = authorizationUrl(server, pairwise, { prompt: 'none', claims })
  t.equal(
    (await browser.open(by_account_id.url)).url.searchParams.get('error'),
    'login_required',
    'no sub of this client',
  )
})

t.test('RFC 9101: request objects', async (t) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const stranger = await generateKeyPair('ES256')
  const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'k', alg: 'ES256' }
  const signing = await server.createClient({
    ...WEB_CLIENT,
    client_id: 'signing',
    jwks: { keys: [{ kty: 'EC', ...jwk }] },
    require_signed_request_object: true,
  })
  const claims = {
    iss: 'signing',
    aud: issuer,
    client_id: 'signing',
    response_type: 'code',
    redirect_uri: 'https://app.example/callback',
    scope: 'openid',
    state: 'inside',
    prompt: 'none',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    exp: NOW + 60,
  }
  const sign = (changes: object = {}, key = privateKey, header: object = {}) =>
    new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'ES256', kid: 'k', ...header }).sign(key)
  const outcome = async (request: string, beside: Record<string, string> = {}) =>
    answerTo({ request, state: 'outside', ...beside }, signing)

  await t.test('§6.3: only what is inside counts', async (t) => {
    t.match(await outcome(await sign(), { prompt: 'login' }), { error: 'login_required', state: 'inside' })
    t.match(await outcome(await sign({ prompt: undefined, code_challenge: undefined })), { error: 'invalid_request' })
    t.match(await outcome(await sign({}, privateKey, { typ: 'oauth-authz-req+jwt' })), { error: 'login_required' })
    const { response } = await ask({ request: await sign({ redirect_uri: 'https://evil.example' }) }, signing)
    t.match(response.body, 'redirect_uri is not registered')
  })
  await t.test('§10.5: who has to sign is refused without', async (t) => {
    t.match(await answerTo({}, signing), { error: 'invalid_request', state: 'the state' })
  })
  await t.test('§6: forgeries', async (t) => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
    for (const [name, request] of Object.entries({
      unsigned,
      'another key': await sign({}, stranger.privateKey),
      'another audience': await sign({ aud: 'https://other.example' }),
      'another issuer': await sign({ iss: 'web' }),
      'another client': await sign({ client_id: 'web' }),
      expired: await sign({ exp: NOW - 1 }),
      'a client assertion': await sign({ sub: 'signing' }),
      'another kind of JWT': await sign({}, privateKey, { typ: 'dpop+jwt' }),
      'a request within': await sign({ request: 'x' }),
      nonsense: 'x',
    })) {
      t.match(await outcome(request), { error: 'invalid_request_object', state: 'outside' }, name)
    }
  })
  await t.test('§5: not both, and no request_uri but from us', async (t) => {
    t.match(await outcome(await sign(), { request_uri: 'https://app.example/r' }), { error: 'invalid_request' })
    t.match(await answerTo({ request_uri: 'https://app.example/r' }), { error: 'request_uri_not_supported' })
  })
})

t.test('RFC 8414 §2: discovery says what is there', async (t) => {
  t.match((await server.inject({ url: '/.well-known/openid-configuration' })).json(), {
    authorization_endpoint: `${issuer}/authorize`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    request_parameter_supported: true,
    request_uri_parameter_supported: false,
    claims_parameter_supported: true,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    require_pushed_authorization_requests: false,
  })
})

t.test('JARM §2.1: an answer as a JWT is no ID token', async (t) => {
  const { response } = await answerTo({ prompt: 'none', response_mode: 'jwt' })
  t.notOk('sub' in claimsOf(String(response)))
  t.match(await answerTo({ id_token_hint: String(response) }), { error: 'invalid_request' })
})
