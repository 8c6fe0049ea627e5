import t, { type Test } from 'tap'
import type { AccessTokenClaims } from '../../server/protocol/access_token.ts'
import type { Client } from '../../server/protocol/client.ts'
import { actorOf, exchangedFrom, TOKEN_EXCHANGE_GRANT } from '../../server/protocol/token_exchange.ts'
import { basic, buildTestApp, claimsOf } from '../helpers/app.ts'
import { clientKey, dpopProof } from '../helpers/client_keys.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'

const SECRET = 'a client secret of some length'
const ORDERS = 'https://orders.example'
const STOCK = 'https://stock.example'
const BILLS = 'https://bills.example'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const REFUSED = { status: 400, body: { error: 'invalid_request' } }
const NOT_VALID = { ...REFUSED, body: { error_description: 'the subject token or the actor token is not valid here' } }

/** A web client calls `orders`, whose service goes on to `stock`. */
async function prepare(t: Test, changes: Partial<Client> = {}) {
  const server = await buildTestApp(t)
  const { store } = server.deps
  const account = await server.createAccount({ email: 'alice@example.com' })
  for (const resource of [ORDERS, STOCK, BILLS]) {
    const rest = {
      access_token_seconds: null,
      authorization_details_types: [],
      claims: {},
      token_typ: 'at+jwt' as const,
      created_at: 0,
      updated_at: 0,
    }
    const introspection_clients = resource === ORDERS ? ['orders'] : []
    await store.createResource(
      { ...rest, resource, scopes: ['read', 'write'], signing_alg: 'RS256', introspection_clients },
      [],
    )
  }
  const web = await server.createClient({ ...WEB_CLIENT, scope: 'openid read write', resources: [ORDERS] })
  const service = { grant_types: [TOKEN_EXCHANGE_GRANT, 'client_credentials'], client_secret: SECRET, scope: 'read' }
  await server.createClient({ ...service, client_id: 'orders', resources: [STOCK], ...changes })
  await server.createClient({ ...service, client_id: 'stranger', resources: [STOCK] })

  const signIn = async (headers: Record<string, string> = {}): Promise<string> => {
    const code = await codeFor(server, web, account, { scope: 'openid read write', resources: [ORDERS] })
    const response = await server.postForm('/token', codeForm(web, code), headers)
    return response.json().access_token
  }
  const exchange = async (
    subject_token: string,
    more: Record<string, string> = {},
    { client_id = 'orders', headers = {} }: { client_id?: string; headers?: Record<string, string> } = {},
  ) => {
    const form = { grant_type: TOKEN_EXCHANGE_GRANT, subject_token, subject_token_type: ACCESS_TOKEN, ...more }
    const response = await server.postForm('/token', form, { ...basic(client_id, SECRET), ...headers })
    return { status: response.statusCode, body: response.json() }
  }
  const introspect = async (token: string) =>
    (await server.postForm('/introspect', { token }, basic('orders', SECRET))).json()
  return { server, store, account, web, service, signIn, exchange, introspect }
}

t.test('RFC 8693 §2.2.1, §4.1: a service gets a token for the next one, in which it acts for the person', async (t) => {
  const { server, account, signIn, exchange, introspect } = await prepare(t)
  const { status, body } = await exchange(await signIn(), { resource: STOCK, scope: 'read' })
  t.equal(status, 200)
  t.match(body, { issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: 300, scope: 'read' })
  t.notOk('refresh_token' in body || 'id_token' in body)
  const act = { sub: 'orders' }
  t.match(claimsOf(body.access_token), { sub: account.account_id, aud: STOCK, client_id: 'orders', scope: 'read', act })
  t.match(await introspect(body.access_token), { active: true, act, client_id: 'orders' })
  const { items } = await server.deps.store.listAudit({}, { limit: 50, cursor: null })
  t.ok(items.some(({ event, client_id }) => event === 'token.exchanged' && client_id === 'orders'))
})

t.test('§2.1: audience names a resource as resource does, and both are refused where there is none', async (t) => {
  const { signIn, exchange } = await prepare(t)
  const token = await signIn()
  const { body } = await exchange(token, { audience: STOCK })
  t.equal(claimsOf(body.access_token).aud, STOCK)
  for (const more of [{ audience: 'stock' }, { audience: 'https://unknown.example' }, { resource: BILLS }]) {
    t.match(await exchange(token, more), { status: 400, body: { error: 'invalid_target' } })
  }
})

t.test('the scope is what the subject token has and the service may hold, or less', async (t) => {
  const { signIn, exchange } = await prepare(t)
  const token = await signIn()
  t.match(await exchange(token, { resource: STOCK }), { body: { scope: 'read' } }, 'write is not for the service')
  for (const scope of ['write admin', 'profile']) {
    t.match(await exchange(token, { resource: STOCK, scope }), { status: 400, body: { error: 'invalid_scope' } })
  }
  const narrowed = (await exchange(token, { resource: ORDERS, scope: 'openid' }, {})).body
  t.match(narrowed, { error: 'invalid_target' }, 'nor is its own API, unless it is registered for it')
})

t.test('only those exchange a token that it was meant for: its client, and who serves its audience', async (t) => {
  const { signIn, exchange } = await prepare(t)
  t.match(await exchange(await signIn(), { resource: STOCK }, { client_id: 'stranger' }), NOT_VALID)
})

t.test('its own client stays at the resources that were granted to it', async (t) => {
  const { server, account, exchange } = await prepare(t)
  const client = await server.createClient({
    ...WEB_CLIENT,
    client_id: 'agent',
    client_secret: SECRET,
    grant_types: ['authorization_code', TOKEN_EXCHANGE_GRANT],
    scope: 'read',
    resources: ['*'],
  })
  const code = await codeFor(server, client, account, { scope: 'read', resources: [ORDERS, STOCK] })
  const form = { ...codeForm(client, code), resource: ORDERS }
  const { access_token } = (await server.postForm('/token', form, basic('agent', SECRET))).json()
  const by = { client_id: 'agent' }
  t.match(await exchange(access_token, { resource: STOCK }, by), { status: 200 })
  t.match(await exchange(access_token, { resource: BILLS }, by), { status: 400, body: { error: 'invalid_target' } })
})

t.test('§5: a public client exchanges nothing', async (t) => {
  const { server, signIn } = await prepare(t)
  await server.createClient({ client_id: 'spa', grant_types: [TOKEN_EXCHANGE_GRANT] })
  const form = { grant_type: TOKEN_EXCHANGE_GRANT, subject_token: await signIn(), subject_token_type: ACCESS_TOKEN }
  const response = await server.postForm('/token', { ...form, client_id: 'spa' })
  t.match(response.json(), { error: 'unauthorized_client' })
})

t.test('§2.1, §3: other kinds of tokens are neither taken nor issued', async (t) => {
  const { signIn, exchange } = await prepare(t)
  const token = await signIn()
  const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
  for (const more of [
    { subject_token_type: type('id_token') },
    { subject_token_type: type('refresh_token') },
    { requested_token_type: type('refresh_token') },
    { requested_token_type: type('jwt') },
    { actor_token: token },
    { actor_token_type: ACCESS_TOKEN },
    { actor_token: token, actor_token_type: type('saml2') },
  ]) {
    t.match(await exchange(token, { resource: STOCK, ...more }), REFUSED, JSON.stringify(more).slice(0, 80))
  }
  const taken = { subject_token_type: type('jwt'), requested_token_type: ACCESS_TOKEN }
  t.match(await exchange(token, { resource: STOCK, ...taken }), { status: 200 })
})

t.test('§2.2.2: a subject token that is altered, expired, of another kind or nobody’s is refused', async (t) => {
  const { server, account, web, signIn, exchange } = await prepare(t)
  const token = await signIn()
  const code = await codeFor(server, web, account)
  const { id_token, refresh_token } = (await server.postForm('/token', codeForm(web, code))).json()
  const own = { grant_type: 'client_credentials', resource: STOCK }
  const service = (await server.postForm('/token', own, basic('orders', SECRET))).json().access_token
  for (const bad of ['x', `${token.slice(0, -8)}AAAAAAAA`, id_token, refresh_token, service]) {
    t.match(await exchange(bad, { resource: STOCK }), NOT_VALID)
  }
  server.clock.advance(300)
  t.match(await exchange(token, { resource: STOCK }), NOT_VALID, 'expired')
})

t.test('the new token never outlives the old one', async (t) => {
  const { server, signIn, exchange } = await prepare(t)
  const token = await signIn()
  server.clock.advance(200)
  const { body } = await exchange(token, { resource: STOCK })
  t.equal(body.expires_in, 100)
  t.equal(claimsOf(body.access_token).exp, claimsOf(token).exp)
})

for (const [what, end] of [
  [
    'the grant',
    async (s, token) => void (await s.store.revokeGrant(grantOf(token), { because: 'revoked_by_owner', now: 1 }, [])),
  ],
  ['the account', async (s) => void (await s.store.disableAccount(s.account.account_id, 1, []))],
  ['the client of the grant', async (s) => disable(s, 'web')],
  ['the client that exchanged', async (s) => disable(s, 'orders')],
  ['the client of the grant, deleted,', async (s) => void (await s.store.deleteClient('web', 1, []))],
] as [string, (s: Awaited<ReturnType<typeof prepare>>, token: string) => Promise<void>][]) {
  t.test(`what ends ${what} ends an exchanged token, and exchanging`, async (t) => {
    const s = await prepare(t)
    await s.server.createClient({ client_id: 'reader', client_secret: SECRET, scope: 'gatehouse:read' })
    const token = await s.signIn()
    const { body } = await s.exchange(token, { resource: STOCK })
    const active = async () =>
      (await s.server.postForm('/introspect', { token: body.access_token }, basic('reader', SECRET))).json().active
    t.equal(await active(), true)
    await end(s, token)
    t.equal(await active(), false)
    t.not((await s.exchange(token, { resource: STOCK })).status, 200)
  })
}

/** `web` → `orders` → `stock`: the token that `stock` calls `bills` with, and those that it came of. */
async function prepareChain(t: Test) {
  const s = await prepare(t)
  await s.server.createClient({ ...s.service, client_id: STOCK, resources: [BILLS] })
  await s.server.createClient({ client_id: 'reader', client_secret: SECRET, scope: 'gatehouse:read' })
  const first = await s.signIn()
  const second: string = (await s.exchange(first, { resource: STOCK })).body.access_token
  const exchangeSecond = () => s.exchange(second, { resource: BILLS }, { client_id: STOCK })
  const third: string = (await exchangeSecond()).body.access_token
  const active = async (token: string) =>
    (await s.server.postForm('/introspect', { token }, basic('reader', SECRET))).json().active
  return { ...s, first, second, third, exchangeSecond, active }
}

for (const link of ['first', 'second', 'third'] as const) {
  t.test(`RFC 7009 §2: revoking the ${link} token of a chain ends what came of it, and no more`, async (t) => {
    const s = await prepareChain(t)
    const { server, active } = s
    t.match(claimsOf(s.third), {
      exchanged_from: [{ client_id: 'web' }, { client_id: 'orders' }],
      sub: s.account.account_id,
    })
    const chain = [s.first, s.second, s.third]
    t.strictSame(await Promise.all(chain.map(active)), [true, true, true])
    const by = { first: 'web', second: 'orders', third: STOCK }[link]
    const credentials =
      by === 'web' ? { form: { client_id: by }, headers: {} } : { form: {}, headers: basic(by, SECRET) }
    const revoked = await server.postForm('/revoke', { token: s[link], ...credentials.form }, credentials.headers)
    t.equal(revoked.statusCode, 200)
    const stands = { first: [false, false, false], second: [true, false, false], third: [true, true, false] }[link]
    t.strictSame(await Promise.all(chain.map(active)), stands)
    t.equal((await s.exchangeSecond()).status, link === 'third' ? 200 : 400)
  })
}

t.test('a client in the middle of a chain that is disabled or deleted ends what came of its token', async (t) => {
  for (const end of [
    async (s: Awaited<ReturnType<typeof prepareChain>>) => disable(s, 'orders'),
    async (s: Awaited<ReturnType<typeof prepareChain>>) => void (await s.store.deleteClient('orders', 1, [])),
  ]) {
    const s = await prepareChain(t)
    await end(s)
    t.equal(await s.active(s.third), false)
    t.equal(await s.active(s.first), true)
    t.match(await s.exchangeSecond(), NOT_VALID)
  }
})

t.test('a token is exchanged eight times at most, one for the next', (t) => {
  let subject: Parameters<typeof exchangedFrom>[0] = { jti: '0', client_id: 'a' }
  for (let times = 1; times <= 8; times += 1) {
    subject = { jti: String(times), client_id: 'a', exchanged_from: exchangedFrom(subject) }
  }
  t.equal(subject.exchanged_from?.length, 8)
  t.throws(() => exchangedFrom(subject), { code: 'invalid_request' })
  t.end()
})

t.test(
  'OpenID Connect Core §5.5: a claim that the person allowed one client by its name is not for another',
  async (t) => {
    const { server, account, exchange } = await prepare(t, { scope: 'openid email' })
    const web = await server.createClient({
      ...WEB_CLIENT,
      client_id: 'mail',
      scope: 'openid email',
      resources: [ORDERS],
    })
    const claims = { userinfo: { email: null } }
    const code = await codeFor(server, web, account, { scope: 'openid', resources: [ORDERS], claims })
    const token = (await server.postForm('/token', codeForm(web, code))).json().access_token
    const { body } = await exchange(token, { resource: `${server.issuer}/userinfo` })
    const ask = async (access_token: string) => (await server.postForm('/userinfo', { access_token })).json()
    t.match(await ask(token), { email: account.email })
    t.strictSame(await ask(body.access_token), { sub: account.account_id })
  },
)

t.test('§1.1: impersonation is for clients that are entitled to it', async (t) => {
  const { signIn, exchange } = await prepare(t, { may_impersonate: true })
  const { body } = await exchange(await signIn(), { resource: STOCK })
  t.notOk('act' in claimsOf(body.access_token))
})

t.test('§4.1: an actor token says who acts; what it is bound by holds for it, too', async (t) => {
  const { server, store, signIn, exchange } = await prepare(t, { may_impersonate: true })
  const token = await signIn()
  const helper = await server.createAccount({ username: 'helper' })
  const web = await store.findClient('web')
  if (web === undefined) throw new Error('there is no such client')
  const code = await codeFor(server, web, helper, { scope: 'read', resources: [ORDERS] })
  const actor_token = (await server.postForm('/token', codeForm(web, code))).json().access_token
  const acting = { resource: STOCK, actor_token, actor_token_type: ACCESS_TOKEN }
  const { body } = await exchange(token, acting)
  t.match(claimsOf(body.access_token), { act: { sub: helper.account_id } }, 'named, although the client need not be')
  t.match(await exchange(token, { ...acting, actor_token: 'x' }), NOT_VALID)
  await store.disableAccount(helper.account_id, 1, [])
  t.match(await exchange(token, acting), NOT_VALID)
})

t.test('§4.1: who acted before stays named, and the chain ends', async (t) => {
  const { server, service, signIn, exchange } = await prepare(t, { resources: [STOCK], may_impersonate: false })
  await server.createClient({ ...service, client_id: STOCK, resources: [BILLS], may_impersonate: true })
  const first = await exchange(await signIn(), { resource: STOCK })
  const second = await exchange(first.body.access_token, { resource: BILLS }, { client_id: STOCK })
  t.strictSame(claimsOf(second.body.access_token).act, { sub: 'orders' }, 'impersonation does not unname others')

  let subject: Pick<AccessTokenClaims, 'act' | 'may_act'> = {}
  for (const sub of ['a', 'b', 'c', 'd', 'd']) {
    const act = actorOf(subject, { sub, impersonates: false })
    subject = act === undefined ? {} : { act }
  }
  t.strictSame(subject.act, { sub: 'd', act: { sub: 'c', act: { sub: 'b', act: { sub: 'a' } } } })
  t.throws(() => actorOf(subject, { sub: 'e', impersonates: false }), { code: 'invalid_request' })
})

t.test('§4.4: may_act names who may act', async (t) => {
  t.strictSame(actorOf({ may_act: { sub: 'a' } }, { sub: 'a', impersonates: false }), { sub: 'a' })
  t.throws(() => actorOf({ may_act: { sub: 'a' } }, { sub: 'b', impersonates: false }), { code: 'invalid_request' })
})

t.test('RFC 9449: a bound token stays bound; the new one to the key of who exchanges', async (t) => {
  const { server, signIn, exchange } = await prepare(t)
  const [theirs, ours] = [await clientKey(), await clientKey()]
  const shown = async (key: typeof ours) => ({
    dpop: await dpopProof(key, { htu: `${server.issuer}/token`, now: server.clock.now() }),
  })
  const bound = await signIn(await shown(theirs))
  t.match(await exchange(bound, { resource: STOCK }), REFUSED, 'without any key')
  const { body } = await exchange(bound, { resource: STOCK }, { headers: await shown(ours) })
  t.match(body, { token_type: 'DPoP' })
  t.match(claimsOf(body.access_token), { cnf: { jkt: ours.jkt } })

  const again = await exchange(body.access_token, { resource: STOCK }, { headers: await shown(theirs) })
  t.match(again, REFUSED, 'its own client shows the key that it is bound to')
  t.match(await exchange(body.access_token, { resource: STOCK }, { headers: await shown(ours) }), { status: 200 })
})

function grantOf(token: string): string {
  return String(claimsOf(token).grant_id)
}

async function disable({ store }: Awaited<ReturnType<typeof prepare>>, client_id: string): Promise<void> {
  if ((await store.disableClient(client_id, 1, [])) !== 'disabled') throw new Error('there is no such client')
}
