import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import pg from 'pg'
import t, { type Test } from 'tap'
import { type Driver, StorageUnavailable } from '../../server/storage/driver.ts'
import { migrate } from '../../server/storage/migrate.ts'
import { openStore } from '../../server/storage/open.ts'
import { assertDurable, openPostgres, type PostgresOptions } from '../../server/storage/postgres.ts'
import { sqlStore } from '../../server/storage/sql_store.ts'
import * as sql from '../../server/storage/statements.ts'
import { testDatabase } from '../helpers/postgres.ts'
import { conformance } from './conformance.ts'
import { fresh, NOW, sampleGrant } from './samples.ts'

const clock = { now: () => NOW }
const insert = (jti: string) => ({ sql: sql.INSERT_REVOKED_ACCESS_TOKEN, values: [jti, NOW, NOW], must_change: 1 })

async function openDatabase(t: Test, options: PostgresOptions = {}) {
  const url = await testDatabase(t)
  const driver = openPostgres(url, options)
  t.teardown(() => driver.close())
  await migrate(driver, clock)
  return { url, driver }
}

const isStored = async (driver: Driver, jti: string) => {
  return (await driver.query(sql.SELECT_REVOKED_ACCESS_TOKEN, [jti])).length === 1
}

t.test('PostgreSQL', (t) =>
  conformance(t, async () => {
    const { driver } = await openDatabase(t)
    return { driver, store: sqlStore(driver) }
  }),
)

t.test('nodes that start at once on an empty database migrate it once', async (t) => {
  const database = await testDatabase(t)
  const stores = await Promise.all(Array.from({ length: 5 }, () => openStore({ database }, clock)))
  const [store] = stores
  await store?.createGrant(sampleGrant(), [], [])
  await Promise.all(stores.map((each) => each.close()))
  await (await openStore({ database }, clock)).close()
})

t.test('a deadlock is tried again, and every batch happens', async (t) => {
  const { driver } = await openDatabase(t)
  const { grant_id: a } = sampleGrant()
  const { grant_id: b } = sampleGrant()
  const store = sqlStore(driver)
  for (const grant_id of [a, b]) await store.createGrant(sampleGrant({ grant_id }), [], [])
  const bump = (grant_id: string) => ({
    sql: 'UPDATE grants SET generation = generation + 1 WHERE grant_id = $1',
    values: [grant_id],
    must_change: 1,
  })
  const crossed = Array.from({ length: 6 }, (_, index) =>
    driver.batch(index % 2 ? [bump(a), bump(b)] : [bump(b), bump(a)]),
  )
  for (const outcome of await Promise.all(crossed)) t.equal(outcome.committed, true)
  t.match(await store.findGrant(a), { grant: { generation: 6 } })
})

t.test('connections that the server ends are replaced, and the process lives', async (t) => {
  const { url, driver } = await openDatabase(t, { max_connections: 3 })
  await Promise.all([1, 2, 3].map(() => driver.query('SELECT pg_sleep($1) AS slept', [0.05])))
  const sleeping = driver.query('SELECT pg_sleep($1) AS slept', [5])
  await driver.query(sql.PING, [])
  const other = new pg.Client(url)
  await other.connect()
  const gone = t.rejects(sleeping, StorageUnavailable)
  await other.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  )
  await gone
  await other.end()
  // An idle connection may still have to hear that it is gone: each is found out once at most.
  const answers = await Promise.allSettled([1, 2].map(() => driver.query(sql.PING, [])))
  for (const answer of answers) if (answer.status === 'rejected') t.type(answer.reason, StorageUnavailable)
  t.same(await driver.query(sql.PING, []), [{ ok: 1 }])
  t.match(await driver.batch([insert(fresh('jti'))]), { committed: true })
})

t.test('a statement that runs too long is StorageUnavailable, and so is a lock that is not given up', async (t) => {
  const { url, driver } = await openDatabase(t, { timeout_seconds: 0.3 })
  await t.rejects(driver.query('SELECT pg_sleep($1) AS slept', [5]), StorageUnavailable)
  const other = new pg.Client(url)
  await other.connect()
  await other.query('BEGIN')
  await other.query('LOCK TABLE revoked_access_tokens')
  await t.rejects(driver.batch([insert(fresh('jti')), insert(fresh('jti'))]), StorageUnavailable)
  await other.end()
  t.match(await driver.batch([insert(fresh('jti'))]), { committed: true })
})

t.test('a server that is not there is StorageUnavailable', async (t) => {
  const driver = openPostgres('postgres://nobody@127.0.0.1:1/none')
  await t.rejects(driver.query(sql.PING, []), StorageUnavailable)
  await t.rejects(driver.batch([insert('jti'), insert('jti')]), StorageUnavailable)
  await driver.close()
  await t.rejects(driver.query(sql.PING, []), StorageUnavailable)
})

t.test('a commit whose answer is lost is StorageUnavailable and is not repeated', async (t) => {
  const { url, driver } = await openDatabase(t)
  const store = sqlStore(driver)
  const { grant_id } = sampleGrant()
  await store.createGrant(sampleGrant({ grant_id }), [], [])
  const proxy = await cuttingProxy(t, url, 'COMMIT\0')
  const cut = openPostgres(proxy.url)
  t.teardown(() => cut.close())
  const bump = { sql: 'UPDATE grants SET generation = generation + 1 WHERE grant_id = $1', values: [grant_id] }
  await t.rejects(cut.batch([{ ...bump, must_change: 1 }]), StorageUnavailable)
  await proxy.cut
  t.match(await store.findGrant(grant_id), { grant: { generation: 1 } }, 'it had happened, once')
})

t.test('a connection that breaks before the commit leaves nothing', async (t) => {
  const { url, driver } = await openDatabase(t)
  const proxy = await cuttingProxy(t, url, 'BEGIN')
  const cut = openPostgres(proxy.url)
  t.teardown(() => cut.close())
  const jti = fresh('jti')
  await t.rejects(cut.batch([insert(jti), { sql: 'SELECT pg_sleep($1) AS slept', values: [0.2] }]), StorageUnavailable)
  await new Promise((resolve) => setTimeout(resolve, 400))
  t.equal(await isStored(driver, jti), false)
})

t.test('a server that acknowledges what a crash may lose is refused', async (t) => {
  const { url, driver } = await openDatabase(t)
  await t.resolves(assertDurable(driver))
  const careless = openPostgres(`${url}?options=-c%20synchronous_commit%3Doff`)
  t.teardown(() => careless.close())
  await t.rejects(assertDurable(careless), /synchronous_commit = off/)
})

/** Passes everything on until the client says `word`: that still arrives, but its answer does not. */
async function cuttingProxy(t: Test, url: string, word: string) {
  const target = new URL(url)
  const { promise: cut, resolve } = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
    let silent = false
    client.on('data', (chunk) => {
      silent ||= chunk.includes(word)
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (!silent) {
        client.write(chunk)
        return
      }
      client.destroy()
      resolve()
    })
    client.on('close', () => upstream.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const own = new URL(url)
  own.port = String((server.address() as AddressInfo).port)
  return { url: own.href, cut }
}
