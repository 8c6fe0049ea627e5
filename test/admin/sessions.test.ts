import t from 'tap'
import { auditedEvents, buildTestAdmin } from '../helpers/admin.ts'
import { makeConsent } from '../helpers/interaction.ts'
import { seedSession, seedSessionClient } from '../helpers/session.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'

const admin = await buildTestAdmin(t)
const { call, complaints, clock, deps } = admin
const alice = await admin.createAccount({ username: 'alice' })
const bob = await admin.createAccount({ username: 'bob' })
await admin.createClient({ ...WEB_CLIENT, backchannel_logout_uri: 'https://app.example/out' })

const begin = async (account = alice) => (await seedSession(deps, { account_id: account.account_id })).session
const isLive = async (session_id: string) => (await deps.store.findSession(session_id))?.session.ended_at === null

t.test('sessions are found by account; their handle is not shown', async (t) => {
  const session = await begin()
  await begin(bob)
  await seedSessionClient(deps, session, 'web')
  const { session_id, handle_digest } = session
  const listed = await call('GET', 'sessions?account=alice')
  t.match(listed.json(), { items: [{ session_id, account_id: alice.account_id, amr: ['pwd'], ended_at: null }] })
  t.equal(listed.json().items.length, 1)
  t.equal((await call('GET', 'sessions')).json().items.length, 2)
  const shown = await call('GET', `sessions/${session_id}`)
  t.match(shown.json(), { session_id, clients: ['web'] })
  for (const { body } of [listed, shown]) t.notMatch(body, handle_digest)
  t.equal((await call('GET', 'sessions?account=nobody')).statusCode, 404)
  t.equal((await call('GET', 'sessions/unknown')).statusCode, 404)
})

t.test('ending a session tells its clients; again is a 204; unknown is a 404', async (t) => {
  const session = await begin()
  const other = await begin()
  const { session_id } = session
  await seedSessionClient(deps, session, 'web')
  t.same((await call('GET', `logout-deliveries?session_id=${session_id}`)).json().items, [])
  t.equal((await call('DELETE', `sessions/${session_id}`)).statusCode, 204)
  t.same(await auditedEvents(admin, 1), ['session.ended cli'])
  t.match((await call('GET', `sessions/${session_id}`)).json(), {
    ended_at: clock.now(),
    ended_because: 'revoked_by_admin',
  })
  t.ok(await isLive(other.session_id), 'no other session ends')
  t.match((await call('GET', `logout-deliveries?session_id=${session_id}`)).json(), {
    items: [{ client_id: 'web', account_id: alice.account_id, state: 'waiting', attempts: 0, last_error: null }],
  })
  t.equal((await call('DELETE', `sessions/${session_id}`)).statusCode, 204)
  t.equal((await call('DELETE', 'sessions/unknown')).statusCode, 404)
})

t.test('a delivery shows what became of it', async (t) => {
  const settle = async (changes: { delivered_at?: number; failed_at?: number; last_error?: string }) => {
    const session = await begin()
    await seedSessionClient(deps, session, 'web')
    const { session_id } = session
    await call('DELETE', `sessions/${session_id}`)
    await deps.store.claimLogoutDeliveries(clock.now(), clock.now() + 60, 100)
    const open = { delivered_at: null, failed_at: null, last_error: null }
    const settlement = { session_id, client_id: 'web', next_attempt_at: clock.now() + 5, ...open, ...changes }
    await deps.store.settleLogoutDelivery(settlement, [])
    return (await call('GET', `logout-deliveries?session_id=${session_id}&client_id=web`)).json().items[0]
  }
  const last_error = 'answered with 500'
  t.match(await settle({ delivered_at: clock.now() }), { state: 'delivered', attempts: 1, next_attempt_at: null })
  t.match(await settle({ failed_at: clock.now(), last_error }), { state: 'failed', next_attempt_at: null, last_error })
  t.match(await settle({ last_error }), { state: 'waiting', next_attempt_at: clock.now() + 5, last_error })
  t.same((await call('GET', 'logout-deliveries?client_id=other')).json().items, [])
})

t.test('sessions of an account, or from before an instant, end together, and no others', async (t) => {
  const before = await begin()
  const others = await begin(bob)
  clock.advance(10)
  const after = await begin()
  const ended = await call('POST', 'sessions/end', { account: 'alice', created_before: clock.now() })
  t.ok(ended.json().ended >= 1)
  t.same(await auditedEvents(admin, 1), ['admin.sessions_ended cli'])
  t.notOk(await isLive(before.session_id))
  t.ok(await isLive(after.session_id))
  t.ok(await isLive(others.session_id))
  t.same((await call('POST', 'sessions/end', { account: 'alice' })).json(), { ended: 1 })
  t.same((await call('POST', 'sessions/end', { account: 'alice' })).json(), { ended: 0 })
  t.same(await complaints('POST', 'sessions/end', {}), [''])
  t.same(await complaints('POST', 'sessions/end', { acount: 'alice' }), ['acount'])
  t.equal((await call('POST', 'sessions/end', { account: 'nobody' })).statusCode, 404)
})

t.test('consents are found by account and client; withdrawing one is told to the audit trail', async (t) => {
  const { account_id } = alice
  await deps.store.saveConsent({ consent: makeConsent({ account_id }), before: undefined }, [])
  for (const filter of ['', '?account=alice', '?client_id=web', '?account=alice&client_id=web']) {
    t.match((await call('GET', `consents${filter}`)).json(), { items: [{ account_id, client_id: 'web' }] }, filter)
  }
  t.same((await call('GET', 'consents?account=bob')).json().items, [])
  t.equal((await call('DELETE', 'consents?account=bob&client_id=web')).statusCode, 404)
  t.equal((await call('DELETE', 'consents?account=alice')).statusCode, 400)
  t.equal((await call('DELETE', 'consents?account=alice&client_id=web')).statusCode, 204)
  t.same(await auditedEvents(admin, 1), ['consent.withdrawn cli'])
  t.equal((await call('DELETE', 'consents?account=alice&client_id=web')).statusCode, 404)
  t.same((await call('GET', 'consents')).json().items, [])
})
