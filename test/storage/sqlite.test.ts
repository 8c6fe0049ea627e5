import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { StorageUnavailable } from '../../server/storage/driver.ts'
import { migrate } from '../../server/storage/migrate.ts'
import { openStore } from '../../server/storage/open.ts'
import { sqlStore } from '../../server/storage/sql_store.ts'
import { openSqlite } from '../../server/storage/sqlite.ts'
import * as sql from '../../server/storage/statements.ts'
import { conformance } from './conformance.ts'
import { fresh, NOW } from './samples.ts'

const clock = { now: () => NOW }
const insert = (jti: string) => ({ sql: sql.INSERT_REVOKED_ACCESS_TOKEN, values: [jti, NOW, NOW], must_change: 1 })

async function openFile(t: Test) {
  const path = join(t.testdir(), 'data', 'gatehouse.db')
  const driver = openSqlite(path)
  t.teardown(() => driver.close())
  await migrate(driver, clock)
  return { path, driver }
}

t.test('SQLite in a file', (t) =>
  conformance(t, async () => {
    const { driver } = await openFile(t)
    return { driver, store: sqlStore(driver) }
  }),
)

t.test('the file and its companions are for the owner alone, and so is the folder', async (t) => {
  const { path } = await openFile(t)
  const modeOf = (file: string) => statSync(file).mode & 0o777
  t.equal(modeOf(join(path, '..')), 0o700)
  for (const file of [path, `${path}-wal`, `${path}-shm`]) t.equal(modeOf(file), 0o600, file)
})

t.test('a file that others may read is refused, with the remedy', async (t) => {
  const { path, driver } = await openFile(t)
  await driver.close()
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode)
    t.throws(() => openSqlite(path), /run chmod 600/)
  }
  chmodSync(path, 0o600)
  await openSqlite(path).close()
})

t.test('what is no database is refused', async (t) => {
  const path = join(t.testdir({ 'other.db': 'this is certainly not a database '.repeat(99) }), 'other.db')
  chmodSync(path, 0o600)
  t.throws(() => openSqlite(path), /is not a SQLite database/)
})

t.test('WAL with every commit synced, foreign keys on and schemas not trusted', async (t) => {
  const { driver } = await openFile(t)
  t.same(await driver.query('PRAGMA journal_mode', []), [{ journal_mode: 'wal' }])
  t.same(await driver.query('PRAGMA synchronous', []), [{ synchronous: 2 }])
  t.same(await driver.query('PRAGMA foreign_keys', []), [{ foreign_keys: 1 }])
  t.same(await driver.query('PRAGMA trusted_schema', []), [{ trusted_schema: 0 }])
})

t.test('batches of one turn share a commit, and none is answered before it', async (t) => {
  const { path, driver } = await openFile(t)
  const reader = new Database(path, { readonly: true })
  t.teardown(() => reader.close())
  const count = () => reader.prepare('SELECT count(*) AS n FROM revoked_access_tokens').pluck().get()
  const pages = () => statSync(`${path}-wal`).size
  await driver.batch([insert(fresh('jti'))])
  const before = pages()
  await driver.batch([insert(fresh('jti'))])
  const start = pages()
  const seen: unknown[] = []
  await Promise.all(
    Array.from({ length: 50 }, () => driver.batch([insert(fresh('jti'))]).then(() => seen.push(count()))),
  )
  t.same(new Set(seen), new Set([52]), 'another connection sees all of them when the first is answered')
  t.ok(pages() - start <= 4 * (start - before), 'one commit, not fifty')
})

t.test(
  'persist, then answer: what was acknowledged is in the file when the process ends without closing',
  async (t) => {
    const { path, driver } = await openFile(t)
    const jti = fresh('jti')
    await driver.batch([insert(jti)])
    t.ok(readFileSync(`${path}-wal`).includes(jti))
  },
)

t.test('while another process writes, batches wait without stopping the event loop', async (t) => {
  const { path, driver } = await openFile(t)
  const other = new Database(path)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const waiting = Array.from({ length: 20 }, () => driver.batch([insert(fresh('jti'))]))
  let turns = 0
  const ticking = setInterval(() => (turns += 1), 10)
  await new Promise((resolve) => setTimeout(resolve, 400))
  clearInterval(ticking)
  t.ok(turns >= 3, `the loop turned ${turns} times`)
  other.exec('COMMIT')
  const outcomes = await Promise.all(waiting)
  t.ok(outcomes.every((outcome) => outcome.committed))
})

t.test('a lock that is never given up is StorageUnavailable, and the next batch works', async (t) => {
  const { path, driver } = await openFile(t)
  const other = new Database(path)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const since = performance.now()
  await t.rejects(driver.batch([insert(fresh('jti'))]), StorageUnavailable)
  t.ok(performance.now() - since > 4_000)
  t.same(await driver.query(sql.PING, []), [{ ok: 1 }], 'reading never waits')
  other.exec('ROLLBACK')
  t.match(await driver.batch([insert(fresh('jti'))]), { committed: true })
})

t.test('a full disk refuses everyone in the group, keeps nothing of theirs and recovers', async (t) => {
  const { driver } = await openFile(t)
  await driver.query('PRAGMA max_page_count = 1', [])
  const small = insert(fresh('jti'))
  const large = insert('x'.repeat(5_000_000))
  const [first, second] = await Promise.allSettled([driver.batch([small]), driver.batch([large])])
  t.match([first, second], [{ reason: { name: 'StorageUnavailable' } }, { reason: { name: 'StorageUnavailable' } }])
  t.same(await driver.query(sql.SELECT_REVOKED_ACCESS_TOKEN, [small.values[0] ?? null]), [])
  await driver.query('PRAGMA max_page_count = 1000000', [])
  t.match(await driver.batch([small]), { committed: true })
})

t.test('no more than 10,000 batches wait', async (t) => {
  const { driver } = await openFile(t)
  const waiting = Array.from({ length: 10_001 }, () => driver.batch([{ sql: sql.PING, values: [] }]))
  const outcomes = await Promise.allSettled(waiting)
  t.match(outcomes[9_999], { value: { committed: true } })
  t.match(outcomes[10_000], { reason: { name: 'StorageUnavailable' } })
})

t.test('closing answers what waits, checkpoints, and refuses what comes later', async (t) => {
  const { path, driver } = await openFile(t)
  const last = driver.batch([insert(fresh('jti'))])
  const closing = driver.close()
  await t.rejects(driver.batch([insert(fresh('jti'))]), StorageUnavailable)
  t.match(await last, { committed: true })
  await closing
  await driver.close()
  t.notOk(existsSync(`${path}-wal`))
  await t.rejects(driver.query(sql.PING, []), StorageUnavailable)
})

t.test('two stores that open one new file at once both come up', async (t) => {
  const database = `sqlite:${join(t.testdir(), 'shared.db')}`
  const stores = await Promise.all([openStore({ database }, clock), openStore({ database }, clock)])
  for (const store of stores) {
    await store.ping()
    await store.close()
  }
})
