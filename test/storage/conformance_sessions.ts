import type { Test } from 'tap'
import { countAudit, fresh, NOW, type Opened, sampleAccount, sampleAudit, sampleGrant, sampleLimit } from './samples.ts'
import { PLAIN, sampleInteraction, sampleSession, signedIn, toldClient } from './samples_signing_in.ts'

const ALL = { limit: 100, cursor: null } as const

export async function sessionConformance(t: Test, { store, driver }: Opened): Promise<void> {
  t.test('a session comes back whole with its account, by id and by handle', async (t) => {
    const { account, session } = await signedIn(store, { remembered: true })
    t.same(await store.findSession(session.session_id), { session, account })
    t.same(await store.findSessionByHandle(session.handle_digest), { session, account })
    t.equal(await store.findSessionByHandle(session.session_id), undefined)
    t.equal(await store.findSession(fresh('none')), undefined)
  })

  t.test('a sign-in notes when it was in the interaction that led to it, and gives the attempts back', async (t) => {
    const interaction = sampleInteraction()
    const { interaction_id, browser_digest } = interaction
    const limit = sampleLimit({ limit: 1 })
    await store.createInteraction(interaction)
    await store.consumeAttempt([limit], NOW)
    const session = sampleSession({ auth_time: NOW + 3 })
    const context = { ...PLAIN, give_back: [limit.key], interaction_id }
    t.equal(await store.startSession(session, context, []), 'started')
    t.match(await store.findInteraction(interaction_id, browser_digest, NOW), { authenticated_at: NOW + 3 })
    t.match(await store.consumeAttempt([limit], NOW), { outcome: 'allowed' })

    const late = sampleSession()
    const event = fresh('test.gone')
    const gone = { ...PLAIN, interaction_id: fresh('none') }
    t.equal(await store.startSession(late, gone, [sampleAudit(event)]), 'interaction_gone')
    t.equal(await store.findSession(late.session_id), undefined)
    t.equal(await countAudit(store, event), 0)
  })

  t.test('a sign-in ends the session that the browser had', async (t) => {
    const before = await signedIn(store)
    const client = await toldClient(store, before.session)
    const after = sampleSession({ created_at: NOW + 5 })
    const replaces = before.session.session_id
    t.equal(await store.startSession(after, { ...PLAIN, replaces }, []), 'started')
    t.match(await store.findSession(replaces), { session: { ended_at: NOW + 5, ended_because: 'signed_in_again' } })
    const { items } = await store.listLogoutDeliveries({ session_id: replaces }, ALL)
    t.same(items, [{ ...delivery(replaces, client.client_id, before.account.account_id), created_at: NOW + 5 }])
    t.match(await store.findSession(after.session_id), { session: { ended_at: null } })
  })

  t.test('a disabled account gets no session, old or new', async (t) => {
    const { account, session } = await signedIn(store)
    const { account_id } = account
    const client = await toldClient(store, session)
    const grant = sampleGrant({ account_id, session_id: session.session_id, scope: 'openid' })
    await store.createGrant(grant, [], [])
    await store.disableAccount(account_id, NOW + 5, [])
    t.match(await store.findSession(session.session_id), {
      session: { ended_at: NOW + 5, ended_because: 'account_disabled' },
    })
    t.match(await store.findGrant(grant.grant_id), { grant: { revoked_because: 'account_disabled' } })
    t.equal((await store.listLogoutDeliveries({ client_id: client.client_id }, ALL)).items.length, 1)
    const late = sampleSession({ account_id })
    t.equal(await store.startSession(late, PLAIN, []), 'account_disabled')
    t.equal(await store.findSession(late.session_id), undefined)
    const renewal = { expected_handle_digest: session.handle_digest, give_back: [], interaction_id: null }
    t.equal(await store.renewSession({ ...session, handle_digest: fresh('h') }, renewal, []), 'account_disabled')
  })

  t.test('who signs in again keeps the session and gets another handle, once', async (t) => {
    const { account, session } = await signedIn(store)
    const context = { expected_handle_digest: session.handle_digest, give_back: [], interaction_id: null }
    const change = { auth_time: NOW + 9, amr: ['pwd', 'otp'], acr: '2', remembered: true, last_seen_at: NOW + 9 }
    const renewed = { ...session, ...change, handle_digest: fresh('handle'), idle_expires_at: NOW + 2_000 }
    const gone = { ...context, interaction_id: fresh('none') }
    t.equal(await store.renewSession(renewed, gone, []), 'interaction_gone')
    t.same(await store.findSession(session.session_id), { session, account }, 'all or nothing')
    t.equal(await store.renewSession({ ...renewed, created_at: 0 }, context, []), 'renewed')
    t.same(await store.findSessionByHandle(renewed.handle_digest), { session: renewed, account })
    t.equal(await store.findSessionByHandle(session.handle_digest), undefined)
    t.equal(await store.renewSession(renewed, context, []), 'stale')
    await store.endSession(session.session_id, 'signed_out', NOW, [])
    const again = { ...context, expected_handle_digest: renewed.handle_digest }
    t.equal(await store.renewSession({ ...renewed, handle_digest: fresh('h') }, again, []), 'stale', 'ended')
  })

  t.test('a session is touched once a minute, and never brought back to life', async (t) => {
    const { session } = await signedIn(store)
    const { session_id } = session
    const seen = async () => (await store.findSession(session_id))?.session
    await store.touchSession(session_id, NOW + 59, NOW + 1_059, NOW - 1)
    t.same(await seen(), session)
    await store.touchSession(session_id, NOW + 60, NOW + 1_060, NOW)
    t.same(await seen(), { ...session, last_seen_at: NOW + 60, idle_expires_at: NOW + 1_060 })
    await store.touchSession(session_id, NOW + 1_060, NOW + 5_000, NOW + 1_000)
    t.match(await seen(), { idle_expires_at: NOW + 1_060 })
    await store.endSession(session_id, 'signed_out', NOW + 100, [])
    await store.touchSession(session_id, NOW + 200, NOW + 5_000, NOW + 140)
    t.match(await seen(), { idle_expires_at: NOW + 1_060 })
  })

  t.test('Back-Channel Logout §2.7: the end revokes what is not offline, and tells whom it may', async (t) => {
    const { account, session } = await signedIn(store)
    const { session_id } = session
    const told = await toldClient(store, session)
    // Its name is in a value, where the quotes are escaped.
    const { backchannel_logout_uri: _, ...silent } = await toldClient(store, session, {
      client_name: '"backchannel_logout_uri":"',
    })
    await store.updateClient(silent, [])
    const online = sampleGrant({ session_id, scope: 'openid offlineXaccess xoffline_access' })
    const offline = sampleGrant({ session_id, scope: 'openid offline_access' })
    const elsewhere = sampleGrant({ scope: 'openid' })
    for (const grant of [online, offline, elsewhere]) await store.createGrant(grant, [], [])
    const event = fresh('test.ended')
    t.same(
      (await store.listSessionClients(session_id)).map((client) => client.client_id),
      [silent.client_id, told.client_id].toSorted(),
    )
    t.equal(await store.endSession(session_id, 'signed_out', NOW + 7, [sampleAudit(event)]), 'ended')
    t.equal(await store.endSession(session_id, 'revoked_by_admin', NOW + 8, [sampleAudit(event)]), 'already_ended')
    t.equal(await store.endSession(fresh('none'), 'signed_out', NOW, []), 'not_found')
    t.match(await store.findSession(session_id), { session: { ended_at: NOW + 7, ended_because: 'signed_out' } })
    t.match(await store.findGrant(online.grant_id), { grant: { revoked_because: 'signed_out', revoked_at: NOW + 7 } })
    for (const { grant_id } of [offline, elsewhere]) {
      t.match(await store.findGrant(grant_id), { grant: { revoked_at: null } })
    }
    const { items } = await store.listLogoutDeliveries({ session_id }, ALL)
    const expected = delivery(session_id, told.client_id, account.account_id)
    t.same(items, [{ ...expected, next_attempt_at: NOW + 7, created_at: NOW + 7 }])
    t.equal(await countAudit(store, event), 1)
  })

  t.test('sessions are ended and listed by every condition that is given, and by those alone', async (t) => {
    const { account, session } = await signedIn(store)
    const { account_id } = account
    const second = sampleSession({ account_id, created_at: NOW + 1 })
    await store.startSession(second, PLAIN, [])
    const other = await signedIn(store)
    const end = (selector: object) => store.endSessions(selector, 'revoked_by_owner', NOW + 9, [])
    t.equal(await end({ account_id, created_before: NOW }), 0, 'before, not at')
    t.equal(await end({ account_id, created_before: NOW + 1 }), 1)
    t.equal(await end({ account_id }), 1, 'those ended already do not count')
    t.match(await store.findSession(other.session.session_id), { session: { ended_at: null } })
    await t.rejects(end({}), TypeError, 'never all there are')
    const first = await store.listSessions({ account_id }, { limit: 1, cursor: null })
    t.same(first.items, [{ ...session, ended_at: NOW + 9, ended_because: 'revoked_by_owner' }])
    const rest = await store.listSessions({ account_id }, { limit: 1, cursor: first.next_cursor })
    t.match(rest, { items: [{ session_id: second.session_id }], next_cursor: null })
    t.equal((await store.listSessions({}, { limit: 2, cursor: null })).items.length, 2)
  })

  t.test('a delivery is claimed while it is due, and settled once', async (t) => {
    const { account, session } = await signedIn(store)
    const { session_id } = session
    const { client_id } = await toldClient(store, session)
    await store.endSession(session_id, 'signed_out', NOW, [])
    const mine = async (now: number, retry_at: number) => {
      const claimed = await store.claimLogoutDeliveries(now, retry_at, 100)
      return claimed.filter((claim) => claim.session_id === session_id)
    }
    t.same(await mine(NOW - 1, NOW + 30), [])
    const claimed = { ...delivery(session_id, client_id, account.account_id), attempts: 1, created_at: NOW }
    t.same(await mine(NOW, NOW + 30), [{ ...claimed, next_attempt_at: NOW + 30 }])
    t.same(await mine(NOW + 29, NOW + 60), [], 'another node has it')
    const failing = { session_id, client_id, next_attempt_at: NOW + 90, delivered_at: null, failed_at: null }
    await store.settleLogoutDelivery({ ...failing, last_error: '503' }, [])
    t.same(await mine(NOW + 60, NOW + 99), [])
    t.match(await mine(NOW + 90, NOW + 120), [{ attempts: 2, last_error: '503' }])
    const event = fresh('test.delivered')
    const done = { ...failing, delivered_at: NOW + 91, last_error: null }
    await store.settleLogoutDelivery(done, [sampleAudit(event)])
    await store.settleLogoutDelivery({ ...done, delivered_at: NOW + 92 }, [sampleAudit(event)])
    t.same(await mine(NOW + 1_000, NOW + 2_000), [])
    t.match(await store.listLogoutDeliveries({ client_id }, ALL), { items: [{ delivered_at: NOW + 91 }] })
    t.equal(await countAudit(store, event), 1)
  })

  t.test('sweeping keeps what has ended for a week, and takes the clients with the session', async (t) => {
    const week = 7 * 86_400
    const ended = await signedIn(store, { absolute_expires_at: NOW + 100 * week, idle_expires_at: NOW + 100 * week })
    const live = await signedIn(store, { absolute_expires_at: NOW + 100 * week, idle_expires_at: NOW + 100 * week })
    const { client_id } = await toldClient(store, ended.session)
    const { session_id } = ended.session
    await store.endSession(session_id, 'signed_out', NOW, [])
    const settled = { session_id, client_id, next_attempt_at: NOW, delivered_at: NOW, failed_at: null }
    await store.settleLogoutDelivery({ ...settled, last_error: null }, [])
    await store.sweep(NOW + week - 1, 1_000)
    t.ok(await store.findSession(session_id))
    t.equal((await store.listLogoutDeliveries({ client_id }, ALL)).items.length, 1)
    await store.sweep(NOW + week, 1_000)
    t.equal(await store.findSession(session_id), undefined)
    t.equal((await store.listLogoutDeliveries({ client_id }, ALL)).items.length, 0)
    t.same(await driver.query('SELECT client_id FROM session_clients WHERE session_id = $1', [session_id]), [])
    t.ok(await store.findSession(live.session.session_id), 'what lives stays')
  })

  t.test('an account keeps what is known of its person', async (t) => {
    const account = sampleAccount({ profile: { given_name: 'Ada', address: { country: 'GB' } } })
    await store.createAccount(account, [])
    t.same(await store.findAccount(account.account_id), account)
    const changed = { ...account, profile: { nickname: 'A' } }
    await store.updateAccount(changed, [])
    t.same(await store.findAccount(account.account_id), changed)
  })
}

function delivery(session_id: string, client_id: string, account_id: string) {
  const state = { attempts: 0, next_attempt_at: NOW + 5, delivered_at: null, failed_at: null, last_error: null }
  return { session_id, client_id, account_id, ...state, created_at: NOW + 5 }
}
