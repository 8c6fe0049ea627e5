import type { Test } from 'tap'
import * as sql from '../../server/storage/statements.ts'
import { everyStatement } from './every_statement.ts'
import { fresh, type Opened } from './samples.ts'

const INSERT = sql.INSERT_REVOKED_ACCESS_TOKEN
const FIND = sql.SELECT_REVOKED_ACCESS_TOKEN

export async function driverConformance(t: Test, { driver }: Opened): Promise<void> {
  t.test('a batch is all its steps', async (t) => {
    const [a, b] = [fresh('jti'), fresh('jti')]
    const outcome = await driver.batch([
      { sql: INSERT, values: [a, 1, 1] },
      { sql: INSERT, values: [b, 1, 1], must_change: 1 },
      { sql: FIND, values: [a] },
    ])
    t.match(outcome, {
      committed: true,
      results: [{ changes: 1, rows: [] }, { changes: 1 }, { changes: 1, rows: [{ jti: a }] }],
    })
    t.same(await driver.query(FIND, [b]), [{ jti: b }])
  })

  t.test('a guard that misses undoes the steps before it, and says which it was', async (t) => {
    const jti = fresh('jti')
    const outcome = await driver.batch([
      { sql: INSERT, values: [jti, 1, 1], must_change: 1 },
      { sql: INSERT, values: [jti, 1, 1], must_change: 1 },
      { sql: INSERT, values: [fresh('jti'), 1, 1] },
    ])
    t.same(outcome, { committed: false, failed_step: 1 })
    t.same(await driver.query(FIND, [jti]), [])
  })

  t.test('a guard that misses hides what the later steps ran into', async (t) => {
    const steps = [
      { sql: sql.DELETE_CLIENT, values: [fresh('none')], must_change: 1 },
      { sql: sql.INSERT_IDENTIFIER, values: [fresh('name'), fresh('no account')] },
    ]
    t.same(await driver.batch(steps), { committed: false, failed_step: 0 })
  })

  t.test('a unique value that is taken is a miss for a guarded step, an error for another', async (t) => {
    const values = [fresh('digest'), 'setup_link', null, 1]
    await driver.batch([{ sql: sql.INSERT_ONE_TIME_HANDLE, values }])
    const before = { sql: INSERT, values: [fresh('jti'), 1, 1] }
    const again = { sql: sql.INSERT_ONE_TIME_HANDLE, values }
    t.same(await driver.batch([before, { ...again, must_change: 1 }]), { committed: false, failed_step: 1 })
    await t.rejects(driver.batch([before, again]))
    t.same(await driver.query(FIND, [before.values[0] ?? null]), [])
  })

  t.test('batches that arrive together do not share their failures', async (t) => {
    const names = Array.from({ length: 30 }, () => fresh('jti'))
    const outcomes = await Promise.allSettled(
      names.map((jti, index) => {
        const insert = { sql: INSERT, values: [jti, 1, 1], must_change: 1 }
        if (index % 3 === 0) return driver.batch([insert, insert])
        // No account of that name: a broken foreign key.
        if (index % 3 === 1) return driver.batch([insert, { sql: sql.INSERT_IDENTIFIER, values: [jti, jti] }])
        return driver.batch([insert])
      }),
    )
    for (const [index, outcome] of outcomes.entries()) {
      const kept = await driver.query(FIND, [names[index] ?? null])
      if (index % 3 === 0) t.match(outcome, { value: { committed: false, failed_step: 1 } })
      if (index % 3 === 1) t.match(outcome, { status: 'rejected' })
      if (index % 3 === 2) t.match(outcome, { value: { committed: true } })
      t.equal(kept.length, index % 3 === 2 ? 1 : 0)
    }
  })

  t.test('a batch of nothing is committed', async (t) => {
    t.same(await driver.batch([]), { committed: true, results: [] })
  })

  t.test('text comes back as it went, whatever it holds', async (t) => {
    for (const text of ["'; DROP TABLE grants; --", '$1 ? %s', 'ünïcode 🔑 \u202e', '', '\n\r\t\\']) {
      const jti = `${fresh('jti')}${text}`
      await driver.batch([{ sql: INSERT, values: [jti, 1, 1] }])
      t.same(await driver.query(FIND, [jti]), [{ jti }])
    }
  })

  t.test('text that an engine cannot hold (NUL, half a surrogate pair) finds nothing and is no error', async (t) => {
    for (const text of ['a\0b', '\0', 'a\ud800b']) {
      t.same(await driver.query(FIND, [`${fresh('jti')}${text}`]), [])
      t.match(await driver.batch([{ sql: INSERT, values: [`${fresh('jti')}${text}`, 1, 1] }]), { committed: true })
    }
  })

  t.test('instants are numbers, far past 2038', async (t) => {
    const digest = fresh('digest')
    const insert = { sql: sql.INSERT_ONE_TIME_HANDLE, values: [digest, 'setup_link', null, 2 ** 40] }
    await driver.batch([insert])
    t.same(await driver.query('SELECT expires_at FROM one_time_handles WHERE digest = $1', [digest]), [
      { expires_at: 2 ** 40 },
    ])
  })

  t.test('every statement is understood on the migrated schema', async (t) => {
    for (const [name, text] of everyStatement()) {
      const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])))
      if (driver.engine === 'sqlite') {
        await t.resolves(driver.query(`EXPLAIN ${text}`, new Array<null>(count).fill(null)), name)
      } else {
        const types = count === 0 ? '' : `(${new Array<string>(count).fill('unknown').join(', ')})`
        const prepare = { sql: `PREPARE ${name.toLowerCase()} ${types} AS ${text}`, values: [] }
        await t.resolves(driver.batch([prepare, { sql: `DEALLOCATE ${name.toLowerCase()}`, values: [] }]), name)
      }
    }
  })
}
