import type { Test } from 'tap'
import type { AuditRecord } from '../../server/storage/records.ts'
import { TAKE_LOCK } from '../../server/storage/statements.ts'
import { sampleToken } from './conformance_registration.ts'
import { fresh, NOW, type Opened, sampleAudit, sampleGrant, sampleLimit } from './samples.ts'
import { sampleDeviceCode, sampleInteraction, signedIn, toldClient } from './samples_signing_in.ts'

const EMPTIED = [
  'throttles',
  'one_time_handles',
  'locks',
  'sessions',
  'session_clients',
  'interactions',
  'pushed_requests',
  'authorization_codes',
  'device_codes',
  'used_ids',
  'initial_access_tokens',
  'key_fetchers',
]

export async function trailConformance(t: Test, { store, driver }: Opened): Promise<void> {
  t.test('the trail is listed newest first, by event and account, page by page', async (t) => {
    const account_id = fresh('account')
    const event = fresh('test.listed')
    const records = [1, 2, 3].map((number) => sampleAudit(event, { account_id, detail: `{"number":${number}}` }))
    await store.appendAudit([...records, sampleAudit(event), sampleAudit(fresh('test.other'), { account_id })])
    const newest = records.toReversed()
    const first = await store.listAudit({ event, account_id }, { limit: 2, cursor: null })
    t.same(first.items, newest.slice(0, 2))
    const rest = await store.listAudit({ event, account_id }, { limit: 2, cursor: first.next_cursor })
    t.same(rest, { items: newest.slice(2), next_cursor: null })
    t.equal((await store.listAudit({ account_id }, { limit: 9, cursor: null })).items.length, 4)
    t.equal((await store.listAudit({}, { limit: 5, cursor: null })).items.length, 5)
  })

  t.test('seals chain the whole trail, each over records of its own', async (t) => {
    const hash = (previous: string, records: readonly AuditRecord[]) => `${previous.length}:${records.length}`
    const outcomes: string[] = []
    do outcomes.push(await store.sealAudit(hash, NOW, 7))
    while (outcomes.at(-1) === 'sealed')
    t.equal(outcomes.at(-1), 'nothing_to_seal')

    const event = fresh('test.sealed')
    const records = [sampleAudit(event), sampleAudit(event)]
    await store.appendAudit(records)
    t.equal(await store.sealAudit(() => 'the hash', NOW + 1, 100), 'sealed')
    const sealed = await store.readSeals(0, 1_000)
    t.same(
      sealed.map(({ seal }) => seal.seal),
      outcomes.map((_, index) => index + 1),
    )
    for (const [index, { seal, records }] of sealed.entries()) {
      const previous_hash = sealed[index - 1]?.seal.hash ?? ''
      t.equal(seal.previous_hash, previous_hash)
      if (index < sealed.length - 1) t.equal(seal.hash, hash(previous_hash, records))
    }
    t.match(sealed.at(-1), { seal: { hash: 'the hash', created_at: NOW + 1 } })
    t.same(sealed.at(-1)?.records, records)
    t.same(await store.readSeals(outcomes.length, 5), [])
  })

  t.test('a record that slips in while the hash is made loses the seal its race, and is sealed next', async (t) => {
    const event = fresh('test.late')
    const [first, late, last] = [sampleAudit(event), sampleAudit(event), sampleAudit(event)]
    await store.appendAudit([first, last])
    let inserted: Promise<void> | undefined
    const outcome = await store.sealAudit(
      () => {
        inserted = store.appendAudit([late])
        return 'hash'
      },
      NOW,
      100,
    )
    await inserted
    // PostgreSQL may run the two at once: then the record is left over.
    if (driver.engine === 'sqlite') t.equal(outcome, 'lost_race')
    t.equal(await store.sealAudit(() => 'hash', NOW, 100), 'sealed')
    const seals = await store.readSeals(0, 1_000)
    const sealed = seals.flatMap(({ records }) => records).filter((record) => record.event === event)
    t.equal(sealed.length, 3)
  })

  t.test('sweeping takes what has expired, so much at a time, and never the trail', async (t) => {
    const future = NOW + 10 * 365 * 86_400
    const live = sampleGrant({ absolute_expires_at: future + 1 })
    const late = sampleGrant({ absolute_expires_at: future - 3_600 })
    for (const grant of [live, late]) await store.createGrant(grant, [], [])
    for (let made = 0; made < 3; made += 1) {
      await store.createGrant(sampleGrant(), [], [])
      await store.revokeAccessToken({ jti: fresh('jti'), expires_at: NOW, now: NOW }, [])
      await store.consumeAttempt([sampleLimit()], NOW)
      await driver.batch([{ sql: TAKE_LOCK, values: [fresh('lock'), NOW] }])
    }
    const jti = fresh('jti')
    await store.revokeAccessToken({ jti, expires_at: future + 1, now: NOW }, [])
    await store.createOneTimeHandle({ digest: fresh('d'), purpose: 'setup_link', subject: 'x', expires_at: NOW }, [])
    const { session } = await signedIn(store)
    const { client_id } = await toldClient(store, session)
    await store.endSession(session.session_id, 'signed_out', NOW, [])
    const settled = { session_id: session.session_id, client_id, next_attempt_at: NOW, delivered_at: NOW }
    await store.settleLogoutDelivery({ ...settled, failed_at: null, last_error: null }, [])
    // Ended ones may be swept as expired ones, and so there are enough of them.
    for (let made = 0; made < 3; made += 1) {
      const { session } = await signedIn(store)
      await store.endSession(session.session_id, 'signed_out', NOW, [])
    }
    await store.createInteraction(sampleInteraction())
    const pushed = { request_uri_digest: fresh('uri'), client_id, parameters: [], dpop_jkt: null, expires_at: NOW }
    await store.createPushedRequest(pushed, [])
    await store.createDeviceCode(sampleDeviceCode(), [])
    await store.claimOnce(fresh('jti'), NOW, NOW)
    await store.createInitialAccessToken(sampleToken(), [])
    const fetch = { resource: null, address_prefix: '192.0.2.1', agent: 'node', kids: [], fetched_at: NOW }
    await store.recordKeyFetches([fetch], { of_resource: 9, of_others: 9 })
    const trail = await driver.query('SELECT audit_id FROM audit_records', [])

    t.equal(await store.sweep(future, 1), 15, 'one of each kind')
    while ((await store.sweep(future, 100)) > 0) t.pass('swept')
    for (const table of EMPTIED) {
      t.same(await driver.query(`SELECT 1 AS found FROM ${table}`, []), [], table)
    }
    t.ok(await store.findGrant(live.grant_id), 'what lives stays')
    t.ok(await store.findGrant(late.grant_id), 'for a day a late request hears that it has expired')
    t.equal(await store.isAccessTokenRevoked(jti), true)
    t.equal((await store.listGrants({}, { limit: 100, cursor: null })).items.length, 2)
    t.equal((await driver.query('SELECT audit_id FROM audit_records', [])).length, trail.length)
  })

  t.test('the database answers', async (t) => {
    await t.resolves(store.ping())
  })
}
