/** The modules of the plan `oidcc-frontchannel-rp-initiated-logout-certification-test-plan`. */
import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { answerOf, byBasic, relyingParty, UNHURRIED } from '../helpers/relying_party.ts'

const SECRET = 'the secret of the suite, long enough'
const BASE = 'https://suite.example/test/a/gatehouse'

const server = await buildTestApp(t, { config: UNHURRIED })
const { issuer } = server
await server.createAccount()
const client = await server.createClient({
  client_id: 'suite',
  client_secret: SECRET,
  redirect_uris: [`${BASE}/callback`],
  post_logout_redirect_uris: [`${BASE}/post_logout_redirect`],
  frontchannel_logout_uri: `${BASE}/frontchannel_logout`,
  frontchannel_logout_session_required: true,
  response_types: ['code'],
  grant_types: ['authorization_code'],
  scope: 'openid',
  require_pkce: false,
})
const party = relyingParty(server, client, byBasic('suite', SECRET))

t.test('oidcc-frontchannel-logout-discovery-endpoint-verification: supported, with sid', async (t) => {
  t.match((await server.inject({ url: '/.well-known/openid-configuration' })).json(), {
    end_session_endpoint: String,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
  })
})

t.test('oidcc-frontchannel-rp-initiated-logout: a frame with iss and sid, and the way to the client', async (t) => {
  const { tokens, claims, browser } = await party.flow()
  const state = 's'.repeat(128)
  const bye = `${BASE}/post_logout_redirect`
  const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state }
  const { body, statusCode } = await browser.open(`/logout?${new URLSearchParams(parameters).toString()}`)
  t.equal(statusCode, 200)
  const src = /<iframe src="([^"]+)"/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const frame = new URL(src)
  t.equal(frame.origin + frame.pathname, `${BASE}/frontchannel_logout`)
  t.strictSame(Object.fromEntries(frame.searchParams), { iss: issuer, sid: claims.sid })
  t.match(body, `href="${bye}?state=${state}"`)

  t.match(answerOf(issuer, await party.look({ prompt: 'none' }, browser)), { error: 'login_required' })
})
