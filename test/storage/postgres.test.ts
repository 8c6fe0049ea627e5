import t from 'tap'
import { openStore } from '../../server/storage/open.ts'
import { testDatabase } from '../helpers/postgres.ts'

t.test('smoke', async (t) => {
  const url = await testDatabase(t)
  const store = await openStore({ database: url }, { now: () => 1 })
  await store.ping()
  t.equal(await store.findGrant('x'), undefined)
  await store.close()
})
