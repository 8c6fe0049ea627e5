import type { Test } from 'tap'
import type { SqlValue } from '../../server/storage/driver.ts'
import { sqlStore } from '../../server/storage/sql_store.ts'
import { NOW, type Opened, sampleLimit } from './samples.ts'

const ALLOWED = { outcome: 'allowed' }

export async function throttleConformance(t: Test, { store, driver }: Opened): Promise<void> {
  t.test('so many attempts in a window, and as many in the next', async (t) => {
    const limit = sampleLimit({ limit: 2 })
    t.same(await store.consumeAttempt([limit], NOW), ALLOWED)
    t.same(await store.consumeAttempt([limit], NOW + 10), ALLOWED)
    const refused = { outcome: 'refused', key: limit.key, retry_after: 40, newly_locked: false }
    t.same(await store.consumeAttempt([limit], NOW + 20), refused)
    t.match(await store.consumeAttempt([limit], NOW + 59), { retry_after: 1 })
    t.same(await store.consumeAttempt([limit], NOW + 60), ALLOWED)
    t.same(await store.consumeAttempt([limit], NOW + 60), ALLOWED)
    t.match(await store.consumeAttempt([limit], NOW + 60), { outcome: 'refused', retry_after: 60 })
  })

  t.test('several limits: all are counted or none', async (t) => {
    const narrow = sampleLimit({ limit: 1 })
    const wide = sampleLimit({ limit: 3 })
    for (const limits of [
      [narrow, wide],
      [wide, narrow],
      [narrow, wide],
    ]) {
      await store.consumeAttempt(limits, NOW)
    }
    t.match(await store.consumeAttempt([wide, narrow], NOW), { outcome: 'refused', key: narrow.key })
    t.same(await store.consumeAttempt([wide], NOW), ALLOWED, 'the refused ones were not counted')
    t.same(await store.consumeAttempt([wide], NOW), ALLOWED)
    t.match(await store.consumeAttempt([wide], NOW), { outcome: 'refused', key: wide.key })
  })

  t.test('a soft lock doubles up to its limit, and says once that it is new', async (t) => {
    const limit = sampleLimit({ limit: 1, lock_base_seconds: 60, lock_max_seconds: 150 })
    let now = NOW
    for (const seconds of [60, 120, 150, 150]) {
      t.same(await store.consumeAttempt([limit], now), ALLOWED)
      t.match(await store.consumeAttempt([limit], now), { retry_after: seconds, newly_locked: true })
      t.match(await store.consumeAttempt([limit], now + 1), { retry_after: seconds - 1, newly_locked: false })
      now += seconds
    }
    await store.consumeAttempt([limit], now)
    await store.giveBackAttempt([limit.key])
    await store.consumeAttempt([limit], now)
    t.match(await store.consumeAttempt([limit], now), { retry_after: 60, newly_locked: true }, 'a success forgets')
  })

  t.test('a success that comes between the refusal and its lock prevents the lock', async (t) => {
    const limit = sampleLimit({ limit: 1, lock_base_seconds: 60, lock_max_seconds: 60 })
    const interrupted = sqlStore({
      ...driver,
      async query<Row extends object>(sql: string, values: readonly SqlValue[]) {
        const rows = await driver.query<Row>(sql, values)
        await store.giveBackAttempt([limit.key])
        return rows
      },
    })
    t.same(await interrupted.consumeAttempt([limit], NOW), ALLOWED)
    t.match(await interrupted.consumeAttempt([limit], NOW), { outcome: 'refused', newly_locked: false })
    t.same(await store.consumeAttempt([limit], NOW), ALLOWED)
  })

  t.test('too many failures in a row: nothing helps but a reset', async (t) => {
    const limit = sampleLimit({ limit: 10, max_consecutive: 3 })
    for (let window = 0; window < 3; window += 1) {
      t.same(await store.consumeAttempt([limit], NOW + window * 100), ALLOWED)
    }
    t.match(await store.consumeAttempt([limit], NOW + 10_000), { outcome: 'refused', newly_locked: false })
    t.match(await store.consumeAttempt([limit], NOW + 20 * 86_400), { outcome: 'refused' })
    await store.sweep(NOW + 20 * 86_400, 100)
    t.match(await store.consumeAttempt([limit], NOW + 20 * 86_400), { outcome: 'refused' }, 'nor sweeping')
    await store.resetThrottle([limit.key])
    t.same(await store.consumeAttempt([limit], NOW + 20 * 86_400), ALLOWED)
  })

  t.test('a success between failures starts the row anew, and costs no attempt', async (t) => {
    const limit = sampleLimit({ limit: 2, max_consecutive: 2 })
    for (let sign_in = 0; sign_in < 5; sign_in += 1) {
      t.same(await store.consumeAttempt([limit], NOW), ALLOWED)
      await store.giveBackAttempt([limit.key])
    }
    await store.giveBackAttempt([limit.key, 'unknown'])
    t.same(await store.consumeAttempt([limit], NOW), ALLOWED)
    t.same(await store.consumeAttempt([limit], NOW), ALLOWED)
    t.match(await store.consumeAttempt([limit], NOW), { outcome: 'refused' }, 'nothing is given back below zero')
  })
}
