/** The modules of the plan `oidcc-backchannel-rp-initiated-logout-certification-test-plan`. */
import t from 'tap'
import { createLogoutDeliveries } from '../../server/tokens/logout_deliveries.ts'
import { buildTestApp } from '../helpers/app.ts'
import { answerOf, byBasic, relyingParty, UNHURRIED } from '../helpers/relying_party.ts'

const SECRET = 'the secret of the suite, long enough'
const BASE = 'https://suite.example/test/a/gatehouse'

/** What the suite has received. */
const received: { readonly url: string; readonly form: Readonly<Record<string, string>> }[] = []
const server = await buildTestApp(t, {
  config: UNHURRIED,
  outbound: {
    getJson: async (url) => {
      throw new Error(`nothing at ${url}`)
    },
    postSet: async () => ({ status: 202, text: '' }),
    postForm: async (url, form) => {
      received.push({ url, form })
    },
  },
})
const { issuer } = server
await server.createAccount()
const client = await server.createClient({
  client_id: 'suite',
  client_secret: SECRET,
  redirect_uris: [`${BASE}/callback`],
  post_logout_redirect_uris: [`${BASE}/post_logout_redirect`],
  backchannel_logout_uri: `${BASE}/backchannel_logout`,
  backchannel_logout_session_required: true,
  response_types: ['code'],
  grant_types: ['authorization_code'],
  scope: 'openid',
  require_pkce: false,
})
const party = relyingParty(server, client, byBasic('suite', SECRET))

t.test('oidcc-backchannel-logout-discovery-endpoint-verification: supported, with sid', async (t) => {
  t.match((await server.inject({ url: '/.well-known/openid-configuration' })).json(), {
    end_session_endpoint: String,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  })
})

t.test('oidcc-backchannel-rp-initiated-logout: a logout token of this session, and back to the client', async (t) => {
  const { tokens, claims, browser } = await party.flow({ nonce: 'the nonce' })
  const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${BASE}/post_logout_redirect` }
  const state = 's'.repeat(128)
  const landing = await browser.open(`/logout?${new URLSearchParams({ ...parameters, state }).toString()}`)
  t.equal(landing.url.href, `${BASE}/post_logout_redirect?state=${state}`)

  const deliveries = createLogoutDeliveries(server.deps)
  await deliveries.run()
  await deliveries.finish()
  t.equal(received.length, 1)
  t.equal(received[0]?.url, `${BASE}/backchannel_logout`)
  const { logout_token = '', ...more } = received[0]?.form ?? {}
  t.strictSame(more, {})
  const { payload, protectedHeader } = await party.verify(logout_token)
  t.match(protectedHeader, { alg: 'RS256', kid: String, typ: 'logout+jwt' })
  t.match(payload, { sub: claims.sub, sid: claims.sid, iat: Number, exp: Number, jti: String })
  t.strictSame(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  t.notOk('nonce' in payload)

  t.match(answerOf(issuer, await party.look({ prompt: 'none' }, browser)), { error: 'login_required' })
})
