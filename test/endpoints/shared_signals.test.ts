import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { auditRecord } from '../../server/observe/audit.ts'
import { CREDENTIAL_CHANGE, POLL, PUSH, SESSION_REVOKED, VERIFICATION } from '../../server/protocol/shared_signals.ts'
import { collectSignals, createSignals, pushDueSignals } from '../../server/tokens/signals.ts'
import { basic, buildTestApp, claimsOf, NOW } from '../helpers/app.ts'
import { sampleResource } from '../storage/samples.ts'

const SECRET = 'a client secret of some length'
const API = 'https://api.example.com'
const OVERLAP = 30

async function prepare(t: Test, config = {}) {
  // The receivers of these tests are on loopback.
  const server = await buildTestApp(t, {
    config: { shared_signals: { enabled: true }, outbound: { allow: ['127.0.0.1'] }, ...config },
  })
  const { deps, clock } = server
  await deps.store.createResource(
    sampleResource({ resource: API, scopes: null, introspection_clients: ['receiver'] }),
    [],
  )
  const account = await server.createAccount()
  for (const client_id of ['receiver', 'stranger']) await server.createClient({ client_id, client_secret: SECRET })
  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    by = 'receiver',
  ) => {
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
    const headers = { ...basic(by, SECRET), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const response = await server.inject({ method, url: `/ssf/${path}`, headers, ...payload })
    return {
      status: response.statusCode,
      body: response.body === '' ? undefined : response.json(),
      headers: response.headers,
    }
  }
  const read = async (token: string) => {
    const keys = createLocalJWKSet((await server.inject({ url: '/.well-known/jwks.json' })).json())
    const currentDate = new Date(clock.now() * 1000)
    const rules = { issuer: server.issuer, audience: 'receiver', typ: 'secevent+jwt', currentDate }
    return (await jwtVerify(token, keys, rules)).payload as Record<string, never>
  }
  const poll = async (stream_id: string, body: object = {}) => {
    const answer = await call('POST', `poll/${stream_id}`, body)
    const sets = await Promise.all(Object.values<string>(answer.body.sets).map(read))
    return {
      sets,
      more: answer.body.moreAvailable as boolean,
      jtis: Object.keys(answer.body.sets),
      raw: answer.body.sets,
    }
  }
  const signIn = async () => (await server.signIn('alice', { resource: API })).access
  const revoke = (access: string) =>
    deps.store.revokeGrant(String(claimsOf(access).grant_id), { because: 'revoked_by_admin', now: clock.now() }, [])
  const create = async (delivery?: object) => (await call('POST', 'streams', delivery && { delivery })).body
  return {
    server,
    deps,
    clock,
    account,
    call,
    poll,
    signIn,
    revoke,
    create,
    collect: () => collectSignals(deps, OVERLAP),
  }
}

t.test('SSF §7: the transmitter says where its streams are, and nothing while it is switched off', async (t) => {
  const { server } = await prepare(t)
  const { issuer } = server
  t.match((await server.inject({ url: '/.well-known/ssf-configuration' })).json(), {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    delivery_methods_supported: [PUSH, POLL],
    configuration_endpoint: `${issuer}/ssf/streams`,
    status_endpoint: `${issuer}/ssf/status`,
    verification_endpoint: `${issuer}/ssf/verify`,
  })
  const off = await prepare(t, { shared_signals: { enabled: false } })
  for (const url of ['/.well-known/ssf-configuration', '/ssf/streams']) {
    t.equal((await off.server.inject({ url })).statusCode, 404)
  }
})

t.test('SSF §8.1.1: a receiver makes, reads, changes and deletes its streams, and sees no other’s', async (t) => {
  const { server, call, create } = await prepare(t)
  const made = await create()
  t.match(made, {
    stream_id: String,
    iss: server.issuer,
    aud: 'receiver',
    delivery: { method: POLL, endpoint_url: `${server.issuer}/ssf/poll/${made.stream_id}` },
    events_supported: [SESSION_REVOKED, CREDENTIAL_CHANGE],
    events_delivered: [SESSION_REVOKED, CREDENTIAL_CHANGE],
  })
  const { stream_id } = made
  t.match((await call('GET', 'streams')).body, [{ stream_id }])
  const events_requested = [SESSION_REVOKED, 'https://example.com/unknown']
  t.match((await call('PATCH', 'streams', { stream_id, events_requested })).body, {
    events_delivered: [SESSION_REVOKED],
  })
  t.match((await call('PATCH', 'streams', { stream_id, description: 'mine' })).body, {
    events_delivered: [SESSION_REVOKED],
    description: 'mine',
  })
  const replaced = await call('PUT', 'streams', { stream_id })
  t.match(
    replaced.body,
    { events_delivered: [SESSION_REVOKED, CREDENTIAL_CHANGE] },
    'what is not said is as in a new one',
  )
  t.notHas(replaced.body, { description: '' })

  await server.createClient({ client_id: API, client_secret: SECRET })
  t.equal((await call('GET', `streams?stream_id=${stream_id}`, undefined, API)).status, 404)
  t.equal((await call('DELETE', `streams?stream_id=${stream_id}`, undefined, API)).status, 404)
  t.equal((await call('POST', `poll/${stream_id}`, {}, API)).status, 404)
  t.equal((await call('DELETE', `streams?stream_id=${stream_id}`)).status, 204)
  t.equal((await call('GET', `streams?stream_id=${stream_id}`)).status, 404)
})

t.test('only resource servers may, and only so many streams each', async (t) => {
  const { call, server } = await prepare(t, { shared_signals: { enabled: true, max_streams_per_client: 2 } })
  t.match(await call('POST', 'streams', {}, 'stranger'), { status: 403, body: { error: 'unauthorized_client' } })
  t.equal((await server.inject({ method: 'POST', url: '/ssf/streams' })).statusCode, 401)
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => call('POST', 'streams', {})))
  t.strictSame(
    outcomes.map(({ status }) => status).toSorted((one, other) => one - other),
    [201, 201, 409, 409],
  )
})

t.test('what is no configuration is refused, with a reason', async (t) => {
  const { call, create, server } = await prepare(t)
  const { stream_id } = await create()
  for (const body of [
    [],
    { delivery: 'push' },
    { delivery: { method: 'urn:x' } },
    { delivery: { method: PUSH } },
    { delivery: { method: PUSH, endpoint_url: 'nowhere' } },
    { delivery: { method: PUSH, endpoint_url: 'https://a.example', authorization_header: 'Bearer x' } },
    { events_requested: 'all' },
    { description: 'x'.repeat(256) },
    { description: null },
  ]) {
    t.match(
      await call('POST', 'streams', body),
      { status: 400, body: { error: 'invalid_request' } },
      JSON.stringify(body).slice(0, 60),
    )
  }
  t.equal((await call('POST', 'status', { stream_id, status: 'on' })).status, 400)
  t.equal((await call('POST', `poll/${stream_id}`, { maxEvents: -1 })).status, 400)
  t.equal((await call('POST', `poll/${stream_id}`, { ack: 'x' })).status, 400)
  t.equal((await call('POST', `poll/${stream_id}`, { setErrs: { a: 1 } })).status, 400)
  const broken = await server.inject({
    method: 'POST',
    url: '/ssf/streams',
    payload: '{',
    headers: { ...basic('receiver', SECRET), 'content-type': 'application/json' },
  })
  t.equal(broken.statusCode, 400)
})

t.test('CAEP §3.1, RFC 8936: a revoked grant is a session-revoked event, once, until it is acknowledged', async (t) => {
  const { poll, create, signIn, revoke, collect, account, server, clock } = await prepare(t)
  const { stream_id } = await create()
  const access = await signIn()
  await collect()
  t.strictSame((await poll(stream_id)).sets, [])
  await revoke(access)
  for (let times = 0; times < 3; times += 1) await collect()
  const { sets, jtis, raw } = await poll(stream_id)
  t.equal(sets.length, 1, 'however often it is found')
  t.match(sets[0], {
    iss: server.issuer,
    aud: 'receiver',
    jti: jtis[0],
    sub_id: {
      format: 'complex',
      user: { format: 'iss_sub', iss: server.issuer, sub: account.account_id },
      session: { format: 'opaque', id: claimsOf(access).sid },
    },
    events: { [SESSION_REVOKED]: { event_timestamp: clock.now(), initiating_entity: 'admin' } },
  })
  t.notHas(sets[0], { sub: '', exp: 0 }, 'RFC 8417 §2.2: so that it passes for no other token')
  t.match(decodeProtectedHeader(Object.values<string>(raw)[0] ?? ''), { typ: 'secevent+jwt', kid: String })
  t.equal((await poll(stream_id)).sets.length, 1, 'what is not acknowledged comes again')
  t.strictSame((await poll(stream_id, { ack: jtis })).sets, [])
  await collect()
  t.strictSame((await poll(stream_id)).sets, [], 'and not again, whoever looks again')
})

t.test('a receiver hears of grants for what it serves, and of no others', async (t) => {
  const { server, poll, create, revoke, collect } = await prepare(t)
  const { stream_id } = await create()
  await revoke((await server.signIn()).access)
  await collect()
  t.strictSame((await poll(stream_id)).sets, [])
})

t.test('CAEP §3.3: another password is a credential-change, for those who knew the person', async (t) => {
  const { server, poll, create, signIn, collect, account, deps } = await prepare(t)
  const { stream_id } = await create()
  const bob = await server.createAccount({ username: 'bob' })
  await signIn()
  for (const { account_id, password_hash } of [account, bob]) {
    const change = { account_id, expected: password_hash, password_hash: 'another', now: NOW }
    const audit = [auditRecord(deps, 'admin.password_hash_replaced', { account_id })]
    t.equal(await deps.store.replacePasswordHash({ ...change, ends_everything: 'revoked_by_admin' }, audit), 'replaced')
  }
  await collect()
  const { sets } = await poll(stream_id)
  const changes = sets.filter(({ events = {} }) => CREDENTIAL_CHANGE in events)
  t.equal(changes.length, 1, 'bob has never been here')
  t.match(changes[0], {
    sub_id: { format: 'iss_sub', sub: account.account_id },
    events: { [CREDENTIAL_CHANGE]: { credential_type: 'password', change_type: 'update' } },
  })
})

t.test('RFC 8936 §2.4: events come some at a time, and errors settle them as well', async (t) => {
  const { poll, create, signIn, revoke, collect } = await prepare(t)
  const { stream_id } = await create()
  for (let times = 0; times < 3; times += 1) await revoke(await signIn())
  await collect()
  const first = await poll(stream_id, { maxEvents: 2 })
  t.match(first, { more: true })
  t.equal(first.sets.length, 2)
  t.strictSame((await poll(stream_id, { maxEvents: 0, ack: [first.jtis[0]] })).sets, [])
  const [, refused = ''] = first.jtis
  const last = await poll(stream_id, { setErrs: { [refused]: { err: 'invalid_key', description: 'x' } } })
  t.match(last, { more: false })
  t.equal(last.sets.length, 1)
})

t.test(
  'SSF §8.1.4: a receiver has the stream verified; §8.1.2: a paused one waits, a disabled one forgets',
  async (t) => {
    const { call, poll, create, signIn, revoke, collect, clock } = await prepare(t)
    const { stream_id } = await create()
    t.equal((await call('POST', 'verify', { stream_id, state: 'a state' })).status, 204)
    const { sets, jtis } = await poll(stream_id)
    t.match(sets, [{ sub_id: { format: 'opaque', id: stream_id }, events: { [VERIFICATION]: { state: 'a state' } } }])
    await poll(stream_id, { ack: jtis })
    t.match((await call('POST', 'status', { stream_id, status: 'paused', reason: 'moving' })).body, {
      status: 'paused',
      reason: 'moving',
    })
    await revoke(await signIn())
    await collect()
    t.strictSame((await poll(stream_id)).sets, [])
    await call('POST', 'status', { stream_id, status: 'enabled' })
    t.match((await call('GET', `status?stream_id=${stream_id}`)).body, { stream_id, status: 'enabled' })
    const waited = await poll(stream_id)
    t.equal(waited.sets.length, 1)
    await poll(stream_id, { ack: waited.jtis })
    await call('POST', 'status', { stream_id, status: 'disabled' })
    clock.advance(1)
    await revoke(await signIn())
    await collect()
    clock.advance(1)
    await call('POST', 'status', { stream_id, status: 'enabled' })
    await collect()
    t.strictSame((await poll(stream_id)).sets, [], 'what happened meanwhile is not told')
  },
)

/** An endpoint that takes security events, as far as it is told to. */
async function receiver(t: Test, answer: () => { status: number; body?: string }) {
  const received: { token: string; type: string }[] = []
  const http = createServer((request, response) => {
    let token = ''
    request.setEncoding('utf8').on('data', (text: string) => (token += text))
    request.on('end', () => {
      received.push({ token, type: request.headers['content-type'] ?? '' })
      const { status, body } = answer()
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
  })
  http.listen(0, '127.0.0.1')
  await new Promise((resolve) => http.once('listening', resolve))
  t.teardown(() => http.close())
  return { received, endpoint_url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/events` }
}

t.test('RFC 8935 §2: events are pushed; a receiver that is down gets them when it is back', async (t) => {
  const { create, signIn, revoke, clock, deps } = await prepare(t)
  let status = 503
  const { received, endpoint_url } = await receiver(t, () => ({ status }))
  await create({ method: PUSH, endpoint_url })
  const access = await signIn()
  await revoke(access)
  const signals = createSignals(deps)
  await signals.run()
  t.equal(received.length, 1)
  await signals.run()
  t.equal(received.length, 1, 'not again at once')
  status = 202
  clock.advance(5)
  await Promise.all([signals.run(), pushDueSignals(deps)])
  t.equal(received.length, 2, 'two nodes, one push')
  t.match(received[1], { type: 'application/secevent+jwt' })
  t.match(claimsOf(received[1]?.token ?? ''), { sub_id: { session: { id: claimsOf(access).sid } } })
  t.equal(claimsOf(received[1]?.token ?? '').jti, claimsOf(received[0]?.token ?? '').jti)
  clock.advance(3600)
  await signals.run()
  t.equal(received.length, 2, 'taken, and told no more')
})

t.test('RFC 8935 §2.3: what the receiver will never take is not sent again; what it cannot judge is', async (t) => {
  const { create, signIn, revoke, clock, deps } = await prepare(t)
  let body = '{"err":"invalid_audience"}'
  const { received, endpoint_url } = await receiver(t, () => ({ status: 400, body }))
  await create({ method: PUSH, endpoint_url })
  await revoke(await signIn())
  const signals = createSignals(deps)
  for (let times = 0; times < 3; times += 1) {
    await signals.run()
    clock.advance(60)
  }
  t.equal(received.length, 1)
  body = '{"err":"authentication_failed"}'
  await revoke(await signIn())
  await signals.run()
  clock.advance(60)
  await signals.run()
  t.equal(received.length, 3)
})

t.test('outbound rules hold: nothing is pushed to a private address that nobody has allowed', async (t) => {
  const { create, signIn, revoke, deps } = await prepare(t, { outbound: { allow: [] } })
  const { received, endpoint_url } = await receiver(t, () => ({ status: 202 }))
  await create({ method: PUSH, endpoint_url })
  await revoke(await signIn())
  await createSignals(deps).run()
  t.equal(received.length, 0)
})

t.test('a receiver that lost its right hears of nothing more', async (t) => {
  const { create, signIn, revoke, collect, deps, call } = await prepare(t)
  const { stream_id } = await create()
  const [resource] = await deps.store.findResources([API])
  if (resource === undefined) throw new Error('no resource')
  await deps.store.updateResource({ ...resource, introspection_clients: [] }, [])
  await revoke(await signIn())
  await collect()
  t.equal(await deps.store.countWaitingSignals(stream_id), 0)
  t.equal((await call('GET', 'streams')).status, 403)
})
