import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { auditRecord } from '../../server/observe/audit.ts'
import { CREDENTIAL_CHANGE, POLL, PUSH, SESSION_REVOKED, VERIFICATION } from '../../server/protocol/shared_signals.ts'
import { basic, claimsOf, NOW } from '../helpers/app.ts'
import { API, prepareSignals, RECEIVER_SECRET } from '../helpers/signals.ts'

t.test('SSF §7: the transmitter says where its streams are, and nothing while it is switched off', async (t) => {
  const { server } = await prepareSignals(t)
  const { issuer } = server
  t.match((await server.inject({ url: '/.well-known/ssf-configuration' })).json(), {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    delivery_methods_supported: [PUSH, POLL],
    configuration_endpoint: `${issuer}/ssf/streams`,
    status_endpoint: `${issuer}/ssf/status`,
    verification_endpoint: `${issuer}/ssf/verify`,
  })
  const off = await prepareSignals(t, { shared_signals: { enabled: false } })
  for (const url of ['/.well-known/ssf-configuration', '/ssf/streams']) {
    t.equal((await off.server.inject({ url })).statusCode, 404)
  }
})

t.test('SSF §8.1.1: a receiver makes, reads, changes and deletes its streams, and sees no other’s', async (t) => {
  const { server, call, create } = await prepareSignals(t)
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

  await server.createClient({ client_id: API, client_secret: RECEIVER_SECRET })
  t.equal((await call('GET', `streams?stream_id=${stream_id}`, undefined, API)).status, 404)
  t.equal((await call('DELETE', `streams?stream_id=${stream_id}`, undefined, API)).status, 404)
  t.equal((await call('POST', `poll/${stream_id}`, {}, API)).status, 404)
  t.equal((await call('DELETE', `streams?stream_id=${stream_id}`)).status, 204)
  t.equal((await call('GET', `streams?stream_id=${stream_id}`)).status, 404)
})

t.test('only resource servers may, and only so many streams each', async (t) => {
  const { call, server } = await prepareSignals(t, { shared_signals: { enabled: true, max_streams_per_client: 2 } })
  t.match(await call('POST', 'streams', {}, 'stranger'), { status: 403, body: { error: 'unauthorized_client' } })
  t.equal((await server.inject({ method: 'POST', url: '/ssf/streams' })).statusCode, 401)
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => call('POST', 'streams', {})))
  t.strictSame(
    outcomes.map(({ status }) => status).toSorted((one, other) => one - other),
    [201, 201, 409, 409],
  )
})

t.test('what is no configuration is refused, with a reason', async (t) => {
  const { call, create, server } = await prepareSignals(t)
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
    { description: 'a\0' },
    { delivery: { method: PUSH, endpoint_url: 'https://a.example/\0' } },
    { delivery: { method: PUSH, endpoint_url: 'https://me:secret@a.example/' } },
    { delivery: { method: PUSH, endpoint_url: 'file:///etc/passwd' } },
  ]) {
    t.match(
      await call('POST', 'streams', body),
      { status: 400, body: { error: 'invalid_request' } },
      JSON.stringify(body).slice(0, 60),
    )
  }
  t.equal((await call('POST', 'status', { stream_id, status: 'on' })).status, 400)
  t.equal((await call('POST', `poll/${stream_id}`, { maxEvents: -1 })).status, 400)
  for (const body of [{ ack: 'x' }, { ack: ['a\0'] }, { setErrs: { 'a\0': { err: 'x' } } }, { returnImmediately: 1 }]) {
    t.equal((await call('POST', `poll/${stream_id}`, body)).status, 400, JSON.stringify(body))
  }
  t.equal((await call('POST', `poll/${stream_id}`, { setErrs: { a: 1 } })).status, 400)
  const broken = await server.inject({
    method: 'POST',
    url: '/ssf/streams',
    payload: '{',
    headers: { ...basic('receiver', RECEIVER_SECRET), 'content-type': 'application/json' },
  })
  t.equal(broken.statusCode, 400)
})

t.test('CAEP §3.1, RFC 8936: a revoked grant is a session-revoked event, once, until it is acknowledged', async (t) => {
  const { poll, create, signIn, revoke, collect, account, server, clock } = await prepareSignals(t)
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
    events: {
      [SESSION_REVOKED]: {
        event_timestamp: clock.now(),
        initiating_entity: 'admin',
        // CAEP interoperability profile §3.1: not empty.
        reason_admin: { en: 'revoked by admin' },
      },
    },
  })
  t.notHas(sets[0], { sub: '', exp: 0 }, 'RFC 8417 §2.2: so that it passes for no other token')
  t.match(decodeProtectedHeader(Object.values<string>(raw)[0] ?? ''), { typ: 'secevent+jwt', kid: String })
  t.equal((await poll(stream_id)).sets.length, 1, 'what is not acknowledged comes again')
  t.strictSame((await poll(stream_id, { ack: jtis })).sets, [])
  await collect()
  t.strictSame((await poll(stream_id)).sets, [], 'and not again, whoever looks again')
})

t.test('a receiver hears of grants for what it serves, and of no others', async (t) => {
  const { server, poll, create, revoke, collect } = await prepareSignals(t)
  const { stream_id } = await create()
  await revoke((await server.signIn()).access)
  await collect()
  t.strictSame((await poll(stream_id)).sets, [])
})

t.test('CAEP §3.3: another password is a credential-change, for those who knew the person', async (t) => {
  const { server, poll, create, signIn, collect, account, deps } = await prepareSignals(t)
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
    events: {
      [CREDENTIAL_CHANGE]: { credential_type: 'password', change_type: 'update', reason_admin: { en: String } },
    },
  })
})

t.test('RFC 8936 §2.4: events come some at a time, and errors settle them as well', async (t) => {
  const { poll, create, signIn, revoke, collect } = await prepareSignals(t)
  const { stream_id } = await create()
  for (let times = 0; times < 3; times += 1) await revoke(await signIn())
  await collect()
  const first = await poll(stream_id, { maxEvents: 2 })
  t.match(first, { more: true })
  t.equal(first.sets.length, 2)
  t.match(await poll(stream_id, { maxEvents: 0, ack: [first.jtis[0]] }), { sets: [], more: true })
  const [, refused = ''] = first.jtis
  const last = await poll(stream_id, { setErrs: { [refused]: { err: 'invalid_key', description: 'x' } } })
  t.match(last, { more: false })
  t.equal(last.sets.length, 1)
})

t.test(
  'SSF §8.1.4: a receiver has the stream verified; §8.1.2: a paused one waits, a disabled one forgets',
  async (t) => {
    const { call, poll, create, signIn, revoke, collect, clock, deps } = await prepareSignals(t)
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
    await revoke(await signIn())
    await collect()
    t.equal(await deps.store.countWaitingSignals(stream_id, 10), 1)
    await call('POST', 'status', { stream_id, status: 'disabled' })
    t.match(await call('POST', 'verify', { stream_id }), { status: 400, body: { error: 'invalid_request' } })
    clock.advance(1)
    await revoke(await signIn())
    await collect()
    clock.advance(1)
    await call('POST', 'status', { stream_id, status: 'enabled' })
    await collect()
    t.strictSame((await poll(stream_id)).sets, [], 'neither what waited nor what happened meanwhile is told')
  },
)

t.test('a receiver that lost its right hears of nothing more', async (t) => {
  const { create, signIn, revoke, collect, deps, call } = await prepareSignals(t)
  const { stream_id } = await create()
  const [resource] = await deps.store.findResources([API])
  if (resource === undefined) throw new Error('no resource')
  await deps.store.updateResource({ ...resource, introspection_clients: [] }, [])
  await revoke(await signIn())
  await collect()
  t.equal(await deps.store.countWaitingSignals(stream_id, 10), 0)
  t.equal((await call('GET', 'streams')).status, 403)
})

t.test('SSF §8.1.4.2: verifications come no faster than the stream says', async (t) => {
  const { call, create, clock, poll } = await prepareSignals(t)
  const { stream_id, min_verification_interval } = await create()
  t.equal(min_verification_interval, 10)
  t.equal((await call('POST', 'verify', { stream_id })).status, 204)
  const refused = await call('POST', 'verify', { stream_id })
  t.match(refused, { status: 429, body: { error: 'temporarily_unavailable' }, headers: { 'retry-after': '10' } })
  clock.advance(min_verification_interval)
  t.equal((await call('POST', 'verify', { stream_id })).status, 204)
  t.equal((await poll(stream_id)).sets.length, 2)
})

t.test('what is more than may wait comes later, and nothing is lost', async (t) => {
  const most = 100
  const { create, signIn, revoke, collect, clock, poll, call, deps } = await prepareSignals(t, {
    shared_signals: { enabled: true, max_waiting_events: most },
  })
  const { stream_id } = await create()
  const first = deps.store.findGrant(String(claimsOf(await signIn()).grant_id))
  const grant = (await first)?.grant
  if (grant === undefined) throw new Error('no grant')
  const told = new Set<string>()
  // More than one page of what is looked through at once.
  for (let number = 0; number < 700; number += 1) {
    const grant_id = `${grant.grant_id}-${number}`
    await deps.store.createGrant({ ...grant, grant_id, status_index: -1 }, [], [])
    await deps.store.revokeGrant(grant_id, { because: 'revoked_by_admin', now: clock.now() }, [])
  }
  await collect()
  const waiting = await deps.store.countWaitingSignals(stream_id, 1000)
  t.ok(waiting >= most && waiting <= 500, 'a page at most beyond it')
  clock.advance(3600)
  t.equal((await call('POST', 'verify', { stream_id })).status, 429)
  for (let round = 0; round < 20; round += 1) {
    const { jtis } = await poll(stream_id)
    for (const jti of jtis) told.add(jti)
    await poll(stream_id, { ack: jtis, maxEvents: 0 })
    await collect()
  }
  t.equal(told.size, 700)
  t.equal(await deps.store.countWaitingSignals(stream_id, 1000), 0)
  await revoke(await signIn())
  await collect()
  t.equal((await poll(stream_id)).sets.length, 1, 'and then it goes on')
})
