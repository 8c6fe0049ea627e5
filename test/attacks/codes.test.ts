import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { AuthorizationRequest } from '../../server/protocol/authorization_request.ts'
import { basic, buildTestApp } from '../helpers/app.ts'
import { clientKey, dpopProof } from '../helpers/client_keys.ts'
import { codeFor, codeForm, VERIFIER } from '../helpers/code.ts'
import { seedSession } from '../helpers/session.ts'
import { authorizationUrl, createBrowser, WEB_CLIENT } from '../helpers/web_client.ts'

/** Codes in the wrong hands: injection, replay, and PKCE that somebody wants to be rid of (RFC 9700 §4.5, §4.8). */

const SECRET = 'a client secret of some length'
const OTHER_REDIRECT = 'https://app.example/other'
const server = await buildTestApp(t, {
  config: { http: { max_event_loop_delay_milliseconds: 0 }, throttle: { client_failures_per_minute: 100_000 } },
})
const alice = await server.createAccount()
const redirect_uris = [...WEB_CLIENT.redirect_uris, OTHER_REDIRECT]
const web = await server.createClient({ ...WEB_CLIENT, redirect_uris })
const confidential = await server.createClient({
  ...WEB_CLIENT,
  redirect_uris,
  client_id: 'confidential',
  client_secret: SECRET,
  require_pkce: false,
})
await server.createClient({ ...WEB_CLIENT, client_id: 'mallory' })
await server.createClient({ ...WEB_CLIENT, client_id: 'mallory-too', client_secret: SECRET })
const key = await clientKey()
const CONFIDENTIAL = basic('confidential', SECRET)

type Form = Record<string, string>
const redeem = async (form: Form, headers: Record<string, string> = {}) => {
  const { statusCode, body } = await server.postForm('/token', form, headers)
  return { status: statusCode, body: JSON.parse(body) }
}
const proof = (jwk = key) => dpopProof(jwk, { htu: `${server.issuer}/token`, now: server.clock.now() })
const without = (form: Form, name: string): Form =>
  Object.fromEntries(Object.entries(form).filter(([other]) => other !== name))

/** What somebody who holds a code and not all that belongs to it may try. The honest client can still redeem it. */
const injections: readonly [title: string, change: (form: Form) => Form, headers?: Record<string, string>][] = [
  ['RFC 6749 §4.1.3: at another public client', (form) => ({ ...form, client_id: 'mallory' })],
  [
    'RFC 6749 §4.1.3: at another confidential client',
    (form) => without(form, 'client_id'),
    basic('mallory-too', SECRET),
  ],
  ['RFC 6749 §4.1.3: with another registered redirect_uri', (form) => ({ ...form, redirect_uri: OTHER_REDIRECT })],
  ['RFC 6749 §4.1.3: with a redirect_uri of nobody', (form) => ({ ...form, redirect_uri: 'https://evil.example' })],
  ['RFC 6749 §4.1.3: without redirect_uri', (form) => without(form, 'redirect_uri')],
  ['RFC 6749 §4.1.3: redirect_uri with a slash', (form) => ({ ...form, redirect_uri: `${form.redirect_uri}/` })],
  ['RFC 7636 §4.6: without code_verifier', (form) => without(form, 'code_verifier')],
  ['RFC 7636 §4.6: an empty code_verifier', (form) => ({ ...form, code_verifier: '' })],
  ['RFC 7636 §4.6: another code_verifier', (form) => ({ ...form, code_verifier: 'w'.repeat(43) })],
  [
    'RFC 7636 §4.6: the challenge for the verifier',
    (form) => ({ ...form, code_verifier: createHash('sha256').update(VERIFIER).digest('base64url') }),
  ],
  [
    'RFC 7636 §4.3: the challenge, called plain',
    (form) => ({
      ...form,
      code_challenge_method: 'plain',
      code_verifier: createHash('sha256').update(VERIFIER).digest('base64url'),
    }),
  ],
  ['RFC 7636 §4.1: a verifier too short', (form) => ({ ...form, code_verifier: VERIFIER.slice(1) })],
  ['RFC 7636 §4.6: the verifier in capitals', (form) => ({ ...form, code_verifier: VERIFIER.toUpperCase() })],
]

/** How a code is asked for, and how it is redeemed when all is well. */
async function honest(request: Partial<AuthorizationRequest> = {}) {
  const code = await codeFor(server, web, alice, { scope: 'openid offline_access', ...request })
  return codeForm(web, code)
}

const isActive = async (access_token: string) =>
  (await server.inject({ url: '/userinfo', headers: { authorization: `Bearer ${access_token}` } })).statusCode === 200

t.test(
  'RFC 9700 §4.5: a code that was injected is worth nothing, and the honest client still redeems it',
  async (t) => {
    for (const [title, change, headers] of injections) {
      const form = await honest()
      const { status, body } = await redeem(change(form), headers)
      t.match([status, body], [400, { error: /^invalid_(?:grant|request)$/ }], title)
      t.equal((await redeem(form)).status, 200, `${title}: the honest client`)
    }
  },
)

t.test('RFC 6749 §4.1.2: a replay ends what the code became, when everything else about it is right', async (t) => {
  const form = await honest()
  const { body } = await redeem(form)
  t.equal(await isActive(body.access_token), true)
  t.match(await redeem(form), { status: 400, body: { error: 'invalid_grant' } })
  t.equal(await isActive(body.access_token), false)
  const refresh = { grant_type: 'refresh_token', client_id: 'web', refresh_token: body.refresh_token }
  t.equal((await redeem(refresh)).status, 400)
})

t.test('RFC 9700 §4.5: a replay by somebody who holds the code alone signs nobody out', async (t) => {
  for (const [title, change, headers] of injections) {
    const form = await honest()
    const { body } = await redeem(form)
    t.equal((await redeem(change(form), headers)).status, 400, title)
    t.equal(await isActive(body.access_token), true, `${title}: what the honest client got stands`)
  }
})

t.test(
  'RFC 6749 §4.1.2: expired, a code is worth nothing; a replay after that still ends what it became',
  async (t) => {
    const late = await honest()
    const form = await honest()
    const { body } = await redeem(form)
    server.clock.advance(server.deps.config.authorization.code_seconds)
    t.equal((await redeem(late)).status, 400)
    t.equal((await redeem(form)).status, 400)
    t.equal(await isActive(body.access_token), false)
  },
)

t.test('RFC 9449 §10: a code that was asked for with a key is redeemed with that key', async (t) => {
  const stranger = await clientKey()
  const form = await honest({ dpop_jkt: key.jkt })
  for (const headers of [{}, { dpop: await proof(stranger) }]) t.equal((await redeem(form, headers)).status, 400)
  t.match(await redeem(form, { dpop: await proof() }), { status: 200, body: { token_type: 'DPoP' } })
  t.equal((await redeem(form, { dpop: await proof(stranger) })).status, 400)
})

t.test('a code whose person has signed out meanwhile is worth nothing', async (t) => {
  const { session } = await seedSession(server.deps, { account_id: alice.account_id })
  const code = await codeFor(server, web, alice, { session })
  await server.deps.store.endSession(session.session_id, 'signed_out', server.clock.now(), [])
  t.equal((await redeem(codeForm(web, code))).status, 400)
})

const UNKNOWN = 'gth_ac_'.padEnd(50, 'x')

t.test('RFC 6749 §5.2: codes that are unknown, expired, used up or of another client have one answer', async (t) => {
  const used = await honest()
  await redeem(used)
  const expired = await honest()
  server.clock.advance(server.deps.config.authorization.code_seconds)
  const others = { ...(await honest()), client_id: 'mallory' }
  const answers = []
  for (const form of [{ ...used, code: UNKNOWN }, { ...used, code: 'x' }, expired, used, others]) {
    answers.push(JSON.stringify(await redeem(form)))
  }
  t.equal(new Set(answers).size, 1, answers.join('\n'))
})

/** In a browser that alice is signed in at. */
async function authorize(t: Test, client: typeof web, parameters: Record<string, string | undefined>) {
  const browser = createBrowser(server)
  browser.cookies.set('gatehouse_session', (await seedSession(server.deps, { account_id: alice.account_id })).handle)
  const flow = authorizationUrl(server, client, { prompt: 'none', ...parameters })
  const { url, left } = await browser.open(flow.url)
  t.equal(left, true)
  return { ...flow, answer: Object.fromEntries(url.searchParams) }
}

t.test('RFC 9700 §4.8.2: a public client cannot do without PKCE, and nobody can use plain', async (t) => {
  const weak: Record<string, string | undefined>[] = [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge: '', code_challenge_method: 'S256' },
    { code_challenge: undefined, code_challenge_method: 'S256' },
    { code_challenge_method: 'plain' },
    { code_challenge_method: undefined },
    { code_challenge_method: 's256' },
    { code_challenge_method: 'S256 ' },
    { code_challenge_method: 'none' },
    { code_challenge: 'too-short' },
    { code_challenge: 'x'.repeat(129) },
    { code_challenge: `${'x'.repeat(42)}=` },
  ]
  for (const client of [web, confidential]) {
    for (const parameters of weak) {
      // A confidential client that is registered to do without may send nothing at all.
      const nothing = !parameters.code_challenge && !parameters.code_challenge_method && 'code_challenge' in parameters
      if (client === confidential && nothing) continue
      const { answer } = await authorize(t, client, parameters)
      t.match(answer, { error: 'invalid_request' }, `${client.client_id} ${JSON.stringify(parameters)}`)
    }
  }
})

t.test('RFC 9700 §4.8.2: what was begun with PKCE ends with it, what was begun without ends without', async (t) => {
  const redeemAs = ({ redirect_uri }: { redirect_uri: string }, code: string | undefined, more: Form) =>
    redeem({ grant_type: 'authorization_code', code: code ?? '', redirect_uri, ...more }, CONFIDENTIAL)
  const begun = await authorize(t, confidential, {})
  t.equal((await redeemAs(begun, begun.answer.code, {})).status, 400, 'the verifier is left out')
  const { code_verifier } = begun
  t.equal((await redeemAs(begun, begun.answer.code, { code_verifier })).status, 200)

  const bare = await authorize(t, confidential, { code_challenge: undefined, code_challenge_method: undefined })
  t.equal((await redeemAs(bare, bare.answer.code, { code_verifier })).status, 400, 'a verifier out of nowhere')
  t.equal((await redeemAs(bare, bare.answer.code, {})).status, 200)
})

t.test('RFC 9207 §2: every answer says whose it is, success or refusal, in every mode', async (t) => {
  const asked: Record<string, string | undefined>[] = [
    {},
    { scope: 'nonsense' },
    { prompt: 'login none' },
    { response_type: 'token' },
    { max_age: 'x' },
    { code_challenge_method: 'plain' },
    { claims: '{' },
    { request: 'x' },
    { id_token_hint: 'x' },
    { resource: 'https://nobody.example' },
  ]
  for (const response_mode of [undefined, 'query', 'jwt', 'query.jwt']) {
    for (const parameters of asked) {
      const { answer } = await authorize(t, web, { response_mode, ...parameters })
      const { response } = answer
      const said = response === undefined ? answer : JSON.parse(atob(response.split('.')[1] ?? ''))
      t.match(said, { iss: server.issuer, state: 'the state' }, JSON.stringify({ response_mode, ...parameters }))
      t.equal(said.code === undefined, said.error !== undefined)
    }
  }
})
