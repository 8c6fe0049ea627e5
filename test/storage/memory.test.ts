import t from 'tap'
import { migrate } from '../../server/storage/migrate.ts'
import { sqlStore } from '../../server/storage/sql_store.ts'
import { openSqlite } from '../../server/storage/sqlite.ts'
import { conformance } from './conformance.ts'
import { NOW } from './samples.ts'

t.test('SQLite in memory', (t) =>
  conformance(t, async () => {
    const driver = openSqlite(':memory:')
    await migrate(driver, { now: () => NOW })
    return { driver, store: sqlStore(driver) }
  }),
)
