import { join } from 'node:path'
import t, { type Test } from 'tap'
import { copyTables, sumTables } from '../../server/storage/copy.ts'
import { type Driver, StorageUnavailable } from '../../server/storage/driver.ts'
import { holdWrites, thaw } from '../../server/storage/hold_writes.ts'
import { migrate } from '../../server/storage/migrate.ts'
import { openDriver } from '../../server/storage/open.ts'
import { sqlStore } from '../../server/storage/sql_store.ts'
import { readTables } from '../../server/storage/tables.ts'
import { testDatabase } from '../helpers/postgres.ts'
import { temporaryDirectory } from '../helpers/process.ts'
import { fresh, NOW, sampleAccount, sampleClient, sampleGrant } from './samples.ts'

const clock = { now: () => NOW }

async function open(t: Test, engine: Driver['engine']) {
  const database = engine === 'sqlite' ? `sqlite:${join(temporaryDirectory(t), 'a.db')}` : await testDatabase(t)
  const driver = openDriver({ database })
  t.teardown(() => driver.close())
  await migrate(driver, clock)
  return { database, driver, store: sqlStore(driver), tables: await readTables(driver) }
}

type Opened = Awaited<ReturnType<typeof open>>

/** Enough accounts for several pages, each with what hangs on it. */
async function fill({ store }: Opened, accounts: number): Promise<void> {
  await store.createClient(sampleClient({ client_id: 'web' }), [])
  await Promise.all(
    Array.from({ length: accounts }, async (_, index) => {
      const account = sampleAccount({ username: `user-${index}`, email: `Ü${index}"'\\@example.com` })
      await store.createAccount(account, [])
      await store.createGrant(sampleGrant({ account_id: account.account_id, client_id: 'web' }), [], [])
    }),
  )
}

t.test('both engines describe the same tables, keys and columns', async (t) => {
  const [sqlite, postgres] = await Promise.all([open(t, 'sqlite'), open(t, 'postgres')])
  t.strictSame(sqlite.tables, postgres.tables)
  t.ok(sqlite.tables.length > 20)
})

t.test('only the tables that are copied last hang on others', async (t) => {
  const { driver, tables } = await open(t, 'sqlite')
  const hanging = await driver.query<{ name: string }>(
    `SELECT m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) WHERE m.type = 'table' ORDER BY m.name`,
    [],
  )
  const names = hanging.map(({ name }) => name)
  t.strictSame(
    tables
      .slice(-names.length)
      .map(({ name }) => name)
      .toSorted(),
    names,
  )
})

for (const [from, to] of [
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
] as const) {
  t.test(`from ${from} to ${to}: every row arrives, and then only what has changed`, async (t) => {
    const [source, target] = await Promise.all([open(t, from), open(t, to)])
    await fill(source, 1200)
    const { tables } = source
    const equal = async () =>
      t.strictSame(await sumTables(target.driver, tables), await sumTables(source.driver, tables))
    const moved = await copyTables(source.driver, target.driver, tables)
    t.equal(moved, 1 + 3 * 1200 + 1200, 'a client, accounts with a name and an address each, grants')
    await equal()
    t.equal(await copyTables(source.driver, target.driver, tables), 0, 'a second pass finds nothing to do')

    const changed = await source.store.findAccountByIdentifier('user-7')
    const gone = await source.store.findAccountByIdentifier('user-8')
    if (changed === undefined || gone === undefined) throw new Error('no account')
    await source.store.revokeGrants({ account_id: changed.account_id }, { because: 'revoked_by_admin', now: NOW }, [])
    await source.driver.batch([
      { sql: 'UPDATE accounts SET name = $1 WHERE account_id = $2', values: ['Sieben', changed.account_id] },
      { sql: 'DELETE FROM accounts WHERE account_id = $1', values: [gone.account_id] },
    ])
    await target.store.createAccount(sampleAccount({ username: fresh('only-there') }), [])
    await copyTables(source.driver, target.driver, tables)
    await equal()
    t.match(await target.store.findAccountByIdentifier('user-7'), { name: 'Sieben' })
    t.equal(await target.store.findAccountByIdentifier('user-8'), undefined)
  })
}

t.test('one bit that differs is another checksum, and the order of rows is none', async (t) => {
  const [one, other] = await Promise.all([open(t, 'sqlite'), open(t, 'sqlite')])
  const rows = [sampleAccount(), sampleAccount()]
  for (const row of rows) await one.store.createAccount(row, [])
  for (const row of rows.toReversed()) await other.store.createAccount(row, [])
  const sums = async ({ driver, tables }: Opened) =>
    (await sumTables(driver, tables)).find((s) => s.table === 'accounts')
  t.strictSame(await sums(one), await sums(other))
  await other.driver.batch([
    {
      sql: 'UPDATE accounts SET updated_at = updated_at + 1 WHERE account_id = $1',
      values: [rows[0]?.account_id ?? ''],
    },
  ])
  t.not((await sums(one))?.checksum, (await sums(other))?.checksum)
})

for (const engine of ['sqlite', 'postgres'] as const) {
  t.test(
    `${engine}: in the window reads go on and writes wait; a frozen database refuses them, until it thaws`,
    async (t) => {
      const { database, driver, store, tables } = await open(t, engine)
      const window = await holdWrites(driver, database, tables)
      let written = false
      const write = store.createAccount(sampleAccount({ username: 'late' }), []).then((outcome) => {
        written = true
        return outcome
      })
      t.equal(await store.findAccountByIdentifier('late'), undefined)
      t.equal(written, false)
      await window.release()
      t.equal(await write, 'created')

      await (await holdWrites(driver, database, tables)).freeze()
      const refused = store.createAccount(sampleAccount(), [])
      await t.rejects(refused, StorageUnavailable)
      await t.rejects(refused, /this database has moved/)
      t.match(await store.findAccountByIdentifier('late'), { username: 'late' }, 'it can still be read')
      await thaw(driver, database)
      t.equal(await store.createAccount(sampleAccount(), []), 'created')
    },
  )
}
