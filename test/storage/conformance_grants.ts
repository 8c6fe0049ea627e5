import type { Test } from 'tap'
import {
  countAudit,
  fresh,
  NOW,
  type Opened,
  sampleAccount,
  sampleAudit,
  sampleClient,
  sampleGrant,
  sampleLimit,
} from './samples.ts'

const REVOCATION = { because: 'revoked_by_admin', now: NOW + 9 } as const

export async function grantConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('a grant comes back with its client and account, or without those that are gone', async (t) => {
    const account = sampleAccount({ roles: ['a'] })
    const client = sampleClient()
    const { account_id } = account
    const { client_id } = client
    await store.createAccount(account, [])
    await store.createClient(client, [])
    const grant = sampleGrant({ account_id, client_id, cnf: { jkt: 'thumbprint' }, acr: '1' })
    await store.createGrant(grant, [], [sampleAudit('test.grant')])
    t.same(await store.findGrant(grant.grant_id), { grant, client, account })
    t.equal(await countAudit(store, 'test.grant'), 1)

    const orphan = sampleGrant()
    await store.createGrant(orphan, [], [])
    t.same(await store.findGrant(orphan.grant_id), { grant: orphan, client: undefined, account: undefined })
    t.equal(await store.findGrant(fresh('none')), undefined)
  })

  t.test('what is exchanged once for a grant is used up with it, or not at all', async (t) => {
    const account = sampleAccount()
    const { account_id } = account
    await store.createAccount(account, [])
    const use = { id: fresh('legacy'), expires_at: NOW + 60, now: NOW }
    await store.disableAccount(account_id, NOW, [])
    t.equal(await store.createGrantOnce(sampleGrant({ account_id }), use, []), 'account_disabled')
    t.equal(await store.isUsed(use.id, NOW), false)
    await store.enableAccount(account_id, NOW, [])
    const [grant, late] = [sampleGrant({ account_id, generation: 1 }), sampleGrant({ account_id })]
    t.equal(await store.createGrantOnce(grant, use, [sampleAudit('test.once')]), 'created')
    t.equal(await store.createGrantOnce(late, use, [sampleAudit('test.once')]), 'used')
    t.match(await store.findGrant(grant.grant_id), { grant })
    t.equal(await store.findGrant(late.grant_id), undefined)
    t.equal(await countAudit(store, 'test.once'), 1)
  })

  t.test('a new grant gives the throttled attempts back that led to it', async (t) => {
    const limit = sampleLimit({ limit: 1 })
    t.match(await store.consumeAttempt([limit], NOW), { outcome: 'allowed' })
    await store.createGrant(sampleGrant(), [limit.key], [])
    t.match(await store.consumeAttempt([limit], NOW), { outcome: 'allowed' })
    t.match(await store.consumeAttempt([limit], NOW), { outcome: 'refused' })
  })

  t.test('a rotation moves the current generation on, once', async (t) => {
    const grant = sampleGrant()
    const { grant_id } = grant
    const event = fresh('test.rotated')
    await store.createGrant(grant, [], [])
    const rotation = { grant_id, generation: 0, now: NOW + 7, idle_expires_at: NOW + 2_000 }
    t.equal(await store.rotateRefreshToken(rotation, [sampleAudit(event)]), 'rotated')
    t.equal(await store.rotateRefreshToken(rotation, [sampleAudit(event)]), 'stale')
    const moved = { ...grant, generation: 1, rotated_at: NOW + 7, idle_expires_at: NOW + 2_000 }
    t.same((await store.findGrant(grant_id))?.grant, moved)
    t.equal(await countAudit(store, event), 1)
    await store.revokeGrant(grant_id, REVOCATION, [])
    t.equal(await store.rotateRefreshToken({ ...rotation, generation: 1 }, []), 'stale', 'revoked')
    t.equal(await store.rotateRefreshToken({ ...rotation, grant_id: fresh('none') }, []), 'stale')
  })

  t.test('a late replay is forgiven once for a generation', async (t) => {
    const { grant_id } = await created(sampleGrant({ generation: 4 }))
    const replay = { grant_id, generation: 4, late_replay_generation: 3 }
    t.equal(await store.recordLateReplay({ ...replay, generation: 3 }, []), 'stale')
    t.equal(await store.recordLateReplay(replay, []), 'recorded')
    t.equal(await store.recordLateReplay(replay, []), 'stale')
    t.match(await store.findGrant(grant_id), { grant: { late_replay_generation: 3, generation: 4 } })
    await store.rotateRefreshToken({ grant_id, generation: 4, now: NOW, idle_expires_at: NOW }, [])
    const later = { grant_id, generation: 5, late_replay_generation: 4 }
    await store.revokeGrant(grant_id, REVOCATION, [])
    t.equal(await store.recordLateReplay(later, []), 'stale', 'revoked')
  })

  t.test('touching moves the idle limit and nothing else', async (t) => {
    const grant = await created(sampleGrant())
    const { grant_id } = grant
    const touch = { grant_id, generation: 0, now: NOW + 1, idle_expires_at: NOW + 5_000 }
    t.equal(await store.touchGrant(touch, []), 'touched')
    t.same((await store.findGrant(grant_id))?.grant, { ...grant, idle_expires_at: NOW + 5_000 })
    t.equal(await store.touchGrant({ ...touch, generation: 1 }, []), 'stale')
    await store.revokeGrant(grant_id, REVOCATION, [])
    t.equal(await store.touchGrant(touch, []), 'stale')
  })

  t.test('a grant is revoked once, and keeps its first reason', async (t) => {
    const { grant_id } = await created(sampleGrant())
    const event = fresh('test.revoked')
    t.equal(await store.revokeGrant(grant_id, REVOCATION, [sampleAudit(event)]), 'revoked')
    const again = { because: 'refresh_token_reused', now: NOW + 10 } as const
    t.equal(await store.revokeGrant(grant_id, again, [sampleAudit(event)]), 'already_revoked')
    t.match(await store.findGrant(grant_id), { grant: { revoked_at: NOW + 9, revoked_because: 'revoked_by_admin' } })
    t.equal(await store.revokeGrant(fresh('none'), REVOCATION, []), 'not_found')
    t.equal(await countAudit(store, event), 1)
  })

  t.test('grants are revoked by every condition that is given, and by those alone', async (t) => {
    const [account_id, client_id, session_id] = [fresh('account'), fresh('client'), fresh('session')]
    const of = (change: object) => created(sampleGrant({ account_id, client_id, ...change }))
    const old = await of({ created_at: NOW - 100 })
    const here = await of({ session_id })
    const elsewhere = await of({ client_id: fresh('client') })
    const revoke = (selector: object) => store.revokeGrants(selector, REVOCATION, [])
    t.equal(await revoke({ account_id, issued_before: NOW - 100 }), 0, 'before, not at')
    t.equal(await revoke({ account_id, client_id, issued_before: NOW - 99 }), 1)
    t.equal(await revoke({ account_id, client_id: fresh('client') }), 0)
    t.equal(await revoke({ session_id }), 1)
    t.match(await store.findGrant(elsewhere.grant_id), { grant: { revoked_at: null } })
    t.equal(await revoke({ account_id }), 1, 'those revoked already do not count')
    for (const { grant_id } of [old, here, elsewhere]) {
      t.match(await store.findGrant(grant_id), { grant: { revoked_because: 'revoked_by_admin' } })
    }
    await t.rejects(revoke({}), TypeError, 'never all there are')
  })

  t.test('grants are listed by account, client and session, revoked ones too', async (t) => {
    const [account_id, client_id] = [fresh('account'), fresh('client')]
    const first = await created(sampleGrant({ account_id, client_id, created_at: NOW }))
    const second = await created(sampleGrant({ account_id, created_at: NOW + 1 }))
    await store.revokeGrant(first.grant_id, REVOCATION, [])
    const ids = async (filter: object, cursor: string | null = null) => {
      const page = await store.listGrants(filter, { limit: 1, cursor })
      return { ids: page.items.map((grant) => grant.grant_id), cursor: page.next_cursor }
    }
    const page = await ids({ account_id })
    t.same(page.ids, [first.grant_id])
    t.same(await ids({ account_id }, page.cursor), { ids: [second.grant_id], cursor: null })
    t.same(await ids({ account_id, client_id }), { ids: [first.grant_id], cursor: null })
    t.same(await ids({ session_id: second.session_id }), { ids: [second.grant_id], cursor: null })
    t.equal((await ids({})).ids.length, 1)
  })

  t.test('RFC 7009 §2: one access token is revoked, and others are not', async (t) => {
    const jti = fresh('jti')
    await store.revokeAccessToken({ jti, expires_at: NOW + 60, now: NOW }, [])
    await store.revokeAccessToken({ jti, expires_at: NOW + 60, now: NOW }, [])
    t.equal(await store.isAccessTokenRevoked(jti), true)
    t.equal(await store.isAccessTokenRevoked(fresh('jti')), false)
  })

  async function created(grant: ReturnType<typeof sampleGrant>) {
    await store.createGrant(grant, [], [])
    return grant
  }
}
