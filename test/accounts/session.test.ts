import t, { type Test } from 'tap'
import { endSession, findLiveSession, signInSession } from '../../server/accounts/session.ts'
import type { Account } from '../../server/protocol/account.ts'
import type { Session } from '../../server/protocol/session.ts'
import { buildTestApp } from '../helpers/app.ts'

const CALLER = { address_prefix: '192.0.2.1', user_agent: 'a browser', request_id: 'r1' }

async function setUp(t: Test) {
  const server = await buildTestApp(t)
  const alice = await server.createAccount()
  const signIn = async (account: Account, current?: Session, remember = false) => {
    const wanted = { account, give_back: [], amr: ['pwd'], remember, current, interaction_id: null }
    const started = await signInSession(server.deps, wanted, CALLER)
    if (started.outcome !== 'signed_in') throw new Error(started.outcome)
    return started
  }
  return { ...server, alice, signIn }
}

t.test(
  'RFC 8176 §2, OpenID Connect Core §2: a session knows when, how and to what level somebody signed in',
  async (t) => {
    const { deps, alice, signIn, clock } = await setUp(t)
    const { handle, session } = await signIn(alice)
    t.match(handle, /^[\w-]{43}$/, '256 bits')
    t.notMatch(JSON.stringify(session), handle, 'which are kept nowhere')
    t.match(session, { auth_time: clock.now(), amr: ['pwd'], acr: 'urn:gatehouse:pwd', address_prefix: '192.0.2.1' })
    t.match(await findLiveSession(deps, handle), { session, account: { account_id: alice.account_id } })
  },
)

t.test('what is no handle finds nothing', async (t) => {
  const { deps, alice, signIn } = await setUp(t)
  const { handle, session } = await signIn(alice)
  for (const value of ['', handle.slice(1), `${handle}x`, session.handle_digest, 'x'.repeat(43), "' OR 1=1 --"]) {
    t.equal(await findLiveSession(deps, value), undefined)
  }
})

t.test('the same account again: the session stays, under a new handle and with a new life', async (t) => {
  const { deps, alice, signIn, clock } = await setUp(t)
  const first = await signIn(alice)
  clock.advance(1000)
  const second = await signIn(alice, first.session)
  t.equal(second.session.session_id, first.session.session_id)
  t.equal(second.session.auth_time, first.session.auth_time + 1000)
  t.equal(second.session.created_at, first.session.created_at)
  t.equal(await findLiveSession(deps, first.handle), undefined)
  t.ok(await findLiveSession(deps, second.handle))
})

t.test('a lost race for the same session is a session of its own, and nobody is signed out', async (t) => {
  const { deps, alice, signIn } = await setUp(t)
  const first = await signIn(alice)
  const winner = await signIn(alice, first.session)
  const loser = await signIn(alice, first.session)
  t.not(loser.session.session_id, winner.session.session_id)
  t.ok(await findLiveSession(deps, winner.handle))
  t.ok(await findLiveSession(deps, loser.handle))
})

t.test('another account: the session before ends', async (t) => {
  const { deps, alice, signIn, createAccount } = await setUp(t)
  const bob = await createAccount({ username: 'bob' })
  const first = await signIn(alice)
  const second = await signIn(bob, first.session)
  t.not(second.session.session_id, first.session.session_id)
  t.equal(await findLiveSession(deps, first.handle), undefined)
  t.match(await findLiveSession(deps, second.handle), { account: { account_id: bob.account_id } })
  const [ended] = (await deps.store.listAudit({ event: 'session.ended' }, { limit: 1, cursor: null })).items
  t.match(ended, { session_id: first.session.session_id, detail: '{"because":"signed_in_again"}' })
})

t.test('remembered: no idle lifetime; what was remembered stays so, for the same account only', async (t) => {
  const { alice, signIn, createAccount, deps } = await setUp(t)
  const { remembered_seconds, idle_seconds } = deps.config.sessions
  const { session } = await signIn(alice, undefined, true)
  t.match(session, { remembered: true, idle_expires_at: session.auth_time + remembered_seconds })
  t.equal((await signIn(alice, session)).session.remembered, true)
  const other = await signIn(await createAccount({ username: 'bob' }), session)
  t.match(other.session, { remembered: false, idle_expires_at: other.session.auth_time + idle_seconds })
})

t.test('the idle lifetime never outlives the absolute one', async (t) => {
  const { deps, alice, signIn, clock } = await setUp(t)
  const { idle_seconds, absolute_seconds } = deps.config.sessions
  const { handle, session } = await signIn(alice)
  for (let used = 0; used < absolute_seconds - idle_seconds; used += idle_seconds - 60) {
    clock.advance(idle_seconds - 60)
    t.ok(await findLiveSession(deps, handle))
  }
  t.match((await deps.store.findSession(session.session_id))?.session, {
    idle_expires_at: session.absolute_expires_at,
  })
})

t.test('ended, or of an account that is disabled: nobody is signed in', async (t) => {
  const { deps, alice, signIn, clock } = await setUp(t)
  const { handle, session } = await signIn(alice)
  await endSession(deps, session, 'signed_out', CALLER)
  t.equal(await findLiveSession(deps, handle), undefined)
  const [ended] = (await deps.store.listAudit({ event: 'session.ended' }, { limit: 1, cursor: null })).items
  t.match(ended, { account_id: alice.account_id, session_id: session.session_id, detail: '{"because":"signed_out"}' })

  const again = await signIn(alice)
  await deps.store.disableAccount(alice.account_id, clock.now(), [])
  t.equal(await findLiveSession(deps, again.handle), undefined)
  await t.rejects(signIn(alice), { message: 'account_disabled' })
  await t.rejects(signIn(alice, again.session), { message: 'account_disabled' })
})
