import t, { type Test } from 'tap'
import { migrate, readMigrations } from '../../server/storage/migrate.ts'
import { openDriver, openStore } from '../../server/storage/open.ts'
import * as sql from '../../server/storage/statements.ts'

const clock = { now: () => 1_800_000_000 }
const FIRST = {
  version: 1,
  name: '0001_first.sql',
  text: '-- a comment; with a semicolon\nCREATE TABLE a (b text);\nCREATE INDEX c ON a (b);',
  checksum: 'one',
}
const SECOND = { version: 2, name: '0002_second.sql', text: 'CREATE TABLE d (e bigint)', checksum: 'two' }

function memory(t: Test) {
  const driver = openDriver({ database: 'sqlite::memory:' })
  t.teardown(() => driver.close())
  return driver
}

t.test('the migrations of this package are found, in order, with a checksum', async (t) => {
  const [first] = readMigrations()
  t.match(first, { version: 1, name: '0001_initial.sql', checksum: /^[0-9a-f]{64}$/ })
})

t.test('an empty database gets every migration once, and its record', async (t) => {
  const driver = memory(t)
  await migrate(driver, clock, [FIRST, SECOND])
  await migrate(driver, clock, [FIRST, SECOND])
  t.match(await driver.query(sql.LIST_SCHEMA_MIGRATIONS, []), [{ version: 1 }, { version: 2 }])
  t.same(await driver.query('SELECT e FROM d', []), [])
})

t.test('a database that lags behind gets what is missing only', async (t) => {
  const driver = memory(t)
  await migrate(driver, clock, [FIRST])
  await driver.batch([{ sql: 'INSERT INTO a (b) VALUES ($1)', values: ['kept'] }])
  await migrate(driver, clock, [FIRST, SECOND])
  t.same(await driver.query('SELECT b FROM a', []), [{ b: 'kept' }])
})

t.test('a migration that changed after it was applied is refused', async (t) => {
  const driver = memory(t)
  await migrate(driver, clock, [FIRST])
  await t.rejects(migrate(driver, clock, [{ ...FIRST, checksum: 'other' }]), /0001_first.sql has changed/)
})

t.test('a database that is newer than the code is refused', async (t) => {
  const driver = memory(t)
  await migrate(driver, clock, [FIRST, SECOND])
  await t.rejects(migrate(driver, clock, [FIRST]), /newer than this version .* 0002_second.sql/)
})

t.test('a migration that fails leaves nothing behind, not even its record', async (t) => {
  const driver = memory(t)
  const broken = { ...SECOND, text: 'CREATE TABLE d (e bigint); CREATE TABLE a (b text)' }
  await t.rejects(migrate(driver, clock, [FIRST, broken]), /already exists/)
  t.match(await driver.query(sql.LIST_SCHEMA_MIGRATIONS, []), [{ version: 1 }])
  await migrate(driver, clock, [FIRST, SECOND])
})

t.test('openStore gives a store that answers, and names the engines when it cannot', async (t) => {
  const store = await openStore({ database: 'sqlite::memory:' }, clock)
  t.equal(await store.findGrant('none'), undefined)
  t.same(await store.listAccounts({ limit: 5, cursor: null }), { items: [], next_cursor: null })
  await store.close()
  for (const database of ['mysql://localhost', 'sqlite:', '', 'data/gatehouse.db']) {
    await t.rejects(openStore({ database }, clock), /sqlite:PATH/)
  }
})
