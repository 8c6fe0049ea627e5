import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import {
  type BatchOutcome,
  type Driver,
  type SqlValue,
  type Step,
  type StepResult,
  StorageUnavailable,
} from './driver.ts'

/** Calls that may wait for a connection. */
const QUEUE_LIMIT = 10_000
/** How long a call waits for a connection. */
const CONNECT_TIMEOUT_MS = 5_000
/** How often a transaction is tried that the server gave up for the sake of another. */
const ATTEMPTS = 6
const INT8 = 20
/** read_only_sql_transaction: a standby, or a database that has moved. The message says which. */
const MOVED_STATE = '25006'

export interface PostgresOptions {
  readonly max_connections?: number
  /** The longest that a statement may run. */
  readonly timeout_seconds?: number
}

type Rows = Readonly<Record<string, SqlValue>>
type Answer = pg.QueryResult<Rows>

/**
 * PostgreSQL, or what speaks its protocol. The statements of a batch are pipelined, so that a transaction costs two
 * round trips however many steps it has. READ COMMITTED is enough: every rule is one conditional statement.
 *
 * When the connection breaks between COMMIT and its answer, nobody knows whether the transaction happened. It is never
 * repeated: the caller hears {@link StorageUnavailable}, and reads the state again when it retries.
 *
 * @see [PostgreSQL: pipelining](https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING)
 */
export function openPostgres(url: string, options: PostgresOptions = {}): Driver {
  const timeout = Math.round((options.timeout_seconds ?? 10) * 1000)
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max_connections ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // A little more than the server's own limit: for when the network swallows its answer.
    query_timeout: timeout + 2_000,
    keepAlive: true,
    pipeline: true,
    types: { getTypeParser },
  })
  // An idle connection that dies leaves the pool; the next call opens another.
  pool.on('error', ignore)
  // By statement, not at start-up, where a pooler may refuse it. Pipelined: it runs before what the connection is for.
  pool.on('connect', (client) => {
    client
      .query(`SET statement_timeout = ${timeout}; SET idle_in_transaction_session_timeout = ${timeout}`)
      .catch(ignore)
  })
  let closed = false

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (closed) throw new StorageUnavailable('the database is closed')
    if (pool.waitingCount >= QUEUE_LIMIT) throw new StorageUnavailable('too many calls are waiting')
    let client: pg.PoolClient | undefined
    let broken = false
    try {
      client = await pool.connect()
      // Its queries are told of the same error.
      client.on('error', ignore)
      return await work(client)
    } catch (error) {
      broken = isUnavailable(error)
      throw broken ? unavailable(error) : error
    } finally {
      client?.off('error', ignore)
      client?.release(broken)
    }
  }

  async function attempt(client: pg.PoolClient, steps: readonly Step[]): Promise<BatchOutcome> {
    const [first] = steps
    if (first === undefined) return { committed: true, results: [] }
    if (steps.length === 1 && first.must_change === undefined) {
      return { committed: true, results: [resultOf(await send(client, first.sql, first.values))] }
    }
    const [begun, ...answers] = await Promise.allSettled([
      client.query('BEGIN ISOLATION LEVEL READ COMMITTED'),
      ...steps.map((step) => send(client, step.sql, step.values)),
    ])
    if (begun.status === 'rejected') throw begun.reason
    try {
      const verdict = judge(steps, answers)
      if (!verdict.committed) {
        await client.query('ROLLBACK')
        return verdict
      }
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT') throw new StorageUnavailable(`the commit was answered with ${command}`)
      return verdict
    } catch (error) {
      if (!isUnavailable(error)) await client.query('ROLLBACK')
      throw error
    }
  }

  return {
    engine: 'postgres',

    async query<Row extends object>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
      // PostgreSQL has no NUL in its text: nothing that is stored can be equal to one that has.
      if (values.some(hasNul)) return []
      const { rows } = await withClient((client) => send(client, sql, values))
      return rows as unknown as Row[]
    },

    async batch(steps) {
      for (let tried = 1; ; tried += 1) {
        try {
          return await withClient((client) => attempt(client, steps))
        } catch (error) {
          if (!isRolledBackByServer(error)) throw error
          if (tried === ATTEMPTS) throw unavailable(error)
        }
        // The clock's sub-millisecond digits are jitter enough to part two nodes.
        await delay(4 * 2 ** tried * (0.5 + (performance.now() % 1)))
      }
    },

    async close() {
      if (closed) return
      closed = true
      await pool.end()
    },
  }
}

/** @throws when the server acknowledges commits that a crash may lose. */
export async function assertDurable(driver: Driver): Promise<void> {
  const [row] = await driver.query<{ setting: string }>("SELECT current_setting('synchronous_commit') AS setting", [])
  if (row?.setting === 'off') throw new Error('PostgreSQL runs with synchronous_commit = off: set it to on')
}

/** The first step that failed decides: what the server said of the later ones only follows from it. */
function judge(steps: readonly Step[], answers: readonly PromiseSettledResult<Answer>[]): BatchOutcome {
  const results: StepResult[] = []
  for (const [index, answer] of answers.entries()) {
    const must_change = steps[index]?.must_change
    if (answer.status === 'rejected') {
      if (must_change !== undefined && sqlState(answer.reason) === '23505') {
        return { committed: false, failed_step: index }
      }
      throw answer.reason
    }
    const result = resultOf(answer.value)
    if (must_change !== undefined && must_change !== result.changes) return { committed: false, failed_step: index }
    results.push(result)
  }
  return { committed: true, results }
}

const names = new Map<string, string>()

/** Sends a statement, prepared once on each connection when it has parameters. */
function send(client: pg.PoolClient, text: string, values: readonly SqlValue[]): Promise<Answer> {
  if (values.length === 0) return client.query<Rows>(text)
  let name = names.get(text)
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 16)
    names.set(text, name)
  }
  // What a stranger sent may be recorded (a client_id that was refused), but not every character of it.
  const storable = values.map((value) => (hasNul(value) ? String(value).replaceAll('\0', '\uFFFD') : value))
  return client.query<Rows>({ name, text, values: storable })
}

function hasNul(value: SqlValue): boolean {
  return typeof value === 'string' && value.includes('\0')
}

function resultOf(answer: Answer): StepResult {
  return { changes: answer.rowCount ?? 0, rows: answer.rows }
}

/** Every bigint of ours is an instant or a count, far below 2^53. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === INT8 ? Number : pg.types.getTypeParser(oid, format)
}

function ignore(): void {}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** @see [PostgreSQL: error codes](https://www.postgresql.org/docs/current/errcodes-appendix.html) */
function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** 40001 serialization_failure, 40P01 deadlock_detected: undone for certain, and worth another try. */
function isRolledBackByServer(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlState(error) ?? '')
}

/** Everything but our own mistakes (classes 22 data, 23 constraint, 42 syntax or access) and what may be tried again. */
function isUnavailable(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined || !(/^(22|23|42)/.test(state) || isRolledBackByServer(error))
}

function unavailable(cause: unknown): StorageUnavailable {
  if (cause instanceof StorageUnavailable) return cause
  const state = sqlState(cause)
  const why = state === MOVED_STATE || state === undefined ? messageOf(cause) : state
  return new StorageUnavailable(`PostgreSQL cannot answer: ${why}`, { cause })
}
