import t from 'tap'
import { auditedEvents, buildTestAdmin } from '../helpers/admin.ts'
import { claimsOf } from '../helpers/app.ts'

const admin = await buildTestAdmin(t)
const { call, complaints, clock } = admin
const alice = await admin.createAccount({ username: 'alice' })
await admin.createAccount({ username: 'bob' })

async function refreshes(refresh: string): Promise<boolean> {
  return (await admin.postJson('/api/token/refresh/', { refresh })).statusCode === 200
}

t.test('grants are found by account, client and session, and show no token', async (t) => {
  const { access, refresh } = await admin.signIn('alice')
  await admin.signIn('bob')
  const { grant_id, sid } = claimsOf(access)
  for (const filter of [
    'account=alice',
    `account=${alice.account_id}`,
    `session_id=${String(sid)}`,
    'account=ALICE&client_id=gatehouse-login',
  ]) {
    const response = await call('GET', `grants?${filter}`)
    t.match(
      response.json(),
      { items: [{ grant_id, account_id: alice.account_id, generation: 0, revoked_at: null }] },
      filter,
    )
    t.equal(response.json().items.length, 1)
    t.notMatch(response.body, refresh)
  }
  t.equal((await call('GET', 'grants')).json().items.length, 2)
  t.match(
    (await call('GET', 'grants?account=alice')).json().items,
    [{ username: 'alice' }],
    'by a name that people know',
  )
  t.same((await call('GET', 'grants?client_id=other')).json().items, [])
  t.equal((await call('GET', 'grants?account=nobody')).statusCode, 404)
  t.match((await call('GET', `grants/${String(grant_id)}`)).json(), { grant_id, client_id: 'gatehouse-login' })
})

t.test('revoking a grant ends its tokens; again is a 204; unknown is a 404', async (t) => {
  const { access, refresh } = await admin.signIn('alice')
  const { grant_id } = claimsOf(access)
  t.equal((await call('DELETE', `grants/${String(grant_id)}`)).statusCode, 204)
  t.same(await auditedEvents(admin, 1), ['grant.revoked cli'])
  t.notOk(await refreshes(refresh))
  t.match((await call('GET', `grants/${String(grant_id)}`)).json(), { revoked_because: 'revoked_by_admin' })
  t.equal((await call('DELETE', `grants/${String(grant_id)}`)).statusCode, 204)
  t.equal((await call('DELETE', 'grants/unknown')).statusCode, 404)
  t.equal((await call('GET', 'grants/unknown')).statusCode, 404)
})

t.test('a revocation ends what matches every member, and nothing else', async (t) => {
  const before = await admin.signIn('alice')
  clock.advance(10)
  const after = await admin.signIn('alice')
  const others = await admin.signIn('bob')
  const issued_before = clock.now()
  const revoked = await call('POST', 'revocations', { account: 'alice', issued_before })
  t.equal(revoked.json().revoked, 2, 'the first of this file and the one before')
  t.same(await auditedEvents(admin, 1), ['admin.grants_revoked cli'])
  t.notOk(await refreshes(before.refresh))
  t.ok(await refreshes(after.refresh))
  t.ok(await refreshes(others.refresh))
  t.same((await call('POST', 'revocations', { session_id: claimsOf(after.access).sid })).json(), { revoked: 1 })
  t.same((await call('POST', 'revocations', { client_id: 'nobody' })).json(), { revoked: 0 })
  t.equal((await call('POST', 'revocations', { client_id: 'gatehouse-login' })).json().revoked, 2)
  t.notOk(await refreshes(others.refresh))
})

t.test('issued_before alone ends everything from before', async (t) => {
  const { refresh } = await admin.signIn('bob')
  t.same((await call('POST', 'revocations', { issued_before: clock.now() })).json(), { revoked: 0 })
  t.same((await call('POST', 'revocations', { issued_before: clock.now() + 1 })).json(), { revoked: 1 })
  t.notOk(await refreshes(refresh))
})

t.test('a revocation of nothing in particular is refused', async (t) => {
  t.same(await complaints('POST', 'revocations', {}), [''])
  t.same(await complaints('POST', 'revocations', { account: null }), ['account'])
  t.same(await complaints('POST', 'revocations', { issued_before: '1' }), ['issued_before'])
  t.same(await complaints('POST', 'revocations', { acount: 'alice' }), ['acount'])
  t.equal((await call('POST', 'revocations', { account: 'nobody' })).statusCode, 404)
})
