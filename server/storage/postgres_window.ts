import pg from 'pg'
import * as sql from './statements_tables.ts'
import type { Table } from './tables.ts'
import type { Window } from './window.ts'

/** How long it waits for the writes under way. */
const LOCK_TIMEOUT_MS = 10_000

/**
 * Locks every table against writing: servers go on reading, and their writes wait until they time out.
 *
 * @see [PostgreSQL: EXCLUSIVE](https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES)
 */
export async function holdPostgresWrites(url: string, tables: readonly Table[]): Promise<Window> {
  const client = await connected(url)
  try {
    await client.query('BEGIN')
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
    await client.query(`LOCK TABLE ${tables.map(({ name }) => name).join(', ')} IN EXCLUSIVE MODE`)
  } catch (error) {
    await client.end()
    throw error
  }
  return {
    async freeze() {
      await client.query(sql.CREATE_MOVED_FUNCTION)
      for (const table of tables)
        for (const statement of sql.freezeTable('postgres', table)) await client.query(statement)
      await client.query('COMMIT')
      await client.end()
    },
    async release() {
      await client.end()
    },
  }
}

/** Lets a frozen database be written to again. */
export async function thawPostgres(url: string, tables: readonly Table[]): Promise<void> {
  const client = await connected(url)
  try {
    await client.query('BEGIN')
    for (const table of tables) for (const statement of sql.thawTable('postgres', table)) await client.query(statement)
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, keepAlive: true })
  // Whoever waits for a query hears of it there.
  client.on('error', () => undefined)
  await client.connect()
  return client
}
