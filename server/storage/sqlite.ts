import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import {
  type BatchOutcome,
  type Driver,
  type SqlValue,
  type Step,
  type StepResult,
  StorageUnavailable,
} from './driver.ts'

/** Batches that may wait; beyond it the caller is told to come again rather than the process to grow. */
const QUEUE_LIMIT = 10_000
/** Batches in one transaction: bounds how long the event loop is away. */
const GROUP_LIMIT = 500
/** How long SQLite itself waits for another process's lock, with the event loop stopped. */
const BUSY_TIMEOUT_MS = 10
/** How long a batch waits for the lock in all. */
const PATIENCE_MS = 5_000

interface Waiting {
  readonly steps: readonly Step[]
  resolve(outcome: BatchOutcome): void
  reject(error: unknown): void
}

interface Prepared {
  readonly statement: Database.Statement<unknown[], Readonly<Record<string, SqlValue>>>
  /** Which parameter stands at each `?`; undefined when they stand in order. */
  readonly order: readonly number[] | undefined
}

/**
 * Embedded SQLite in WAL mode, durable to the last commit. Batches that arrive in one turn of the event loop share one
 * transaction and so one fsync; each has a savepoint of its own, so that one that fails takes no other with it.
 *
 * @param path of the file, made with its folder when it is missing; `:memory:` for none.
 * @throws when others may read the file, or the file system cannot keep SQLite's promises.
 * @see [SQLite: WAL](https://www.sqlite.org/wal.html)
 */
export function openSqlite(path: string): Driver {
  if (path !== ':memory:') makePrivateFile(path)
  const db = connect(path)

  const prepared = new Map<string, Prepared>()
  const queue: Waiting[] = []
  let scheduled = false
  let busy_since: number | undefined
  let closing: (() => void) | undefined
  let closed = false

  function prepare(sql: string): Prepared {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    // better-sqlite3 binds an array to anonymous parameters only.
    const order: number[] = []
    const text = sql.replace(/\$(\d+)/g, (_, number: string) => {
      order.push(Number(number) - 1)
      return '?'
    })
    const in_order = order.every((position, index) => position === index)
    const fresh: Prepared = { statement: db.prepare(text), order: in_order ? undefined : order }
    prepared.set(sql, fresh)
    return fresh
  }

  function run(sql: string, values: readonly SqlValue[]): StepResult {
    const { statement, order } = prepare(sql)
    const bound = order === undefined ? values : order.map((position) => values[position])
    if (!statement.reader) return { changes: statement.run(...bound).changes, rows: [] }
    const rows = statement.all(...bound)
    return { changes: rows.length, rows }
  }

  /** One batch within the open transaction. @throws what spoils the whole transaction. */
  function runBatch(steps: readonly Step[]): BatchOutcome | { readonly error: unknown } {
    run('SAVEPOINT batch', [])
    const results: StepResult[] = []
    for (const [index, step] of steps.entries()) {
      try {
        const result = run(step.sql, step.values)
        results.push(result)
        if (step.must_change === undefined || step.must_change === result.changes) continue
      } catch (error) {
        if (isUnavailable(error) || !db.inTransaction) throw error
        if (step.must_change === undefined || !isUniqueViolation(error)) {
          undoBatch()
          return { error }
        }
      }
      undoBatch()
      return { committed: false, failed_step: index }
    }
    run('RELEASE batch', [])
    return { committed: true, results }
  }

  function undoBatch(): void {
    run('ROLLBACK TO batch', [])
    run('RELEASE batch', [])
  }

  function drain(): void {
    try {
      run('BEGIN IMMEDIATE', [])
      busy_since = undefined
    } catch (error) {
      notBegun(error)
      return
    }
    const group = queue.splice(0, GROUP_LIMIT)
    try {
      const outcomes = group.map((waiting) => runBatch(waiting.steps))
      run('COMMIT', [])
      // Persist, then answer: only here is any of them true.
      for (const [index, waiting] of group.entries()) {
        const outcome = outcomes[index]
        if (outcome === undefined) continue
        if ('error' in outcome) waiting.reject(outcome.error)
        else waiting.resolve(outcome)
      }
    } catch (error) {
      refuse(group, error)
      // SQLite has rolled back by itself after a full disk or a failed sync.
      if (db.inTransaction) run('ROLLBACK', [])
    }
    next(0)
  }

  function notBegun(error: unknown): void {
    busy_since ??= performance.now()
    const waited = performance.now() - busy_since
    if (isBusy(error) && waited < PATIENCE_MS) {
      // The clock's sub-millisecond digits are jitter enough to part two processes.
      next(1 + Math.min(waited / 8, 50) * (0.5 + (performance.now() % 1)))
      return
    }
    busy_since = undefined
    refuse(queue.splice(0), error)
    next(0)
  }

  function next(delay: number): void {
    if (queue.length === 0) {
      scheduled = false
      closing?.()
      return
    }
    if (delay > 0) setTimeout(drain, delay)
    else setImmediate(drain)
  }

  function refuse(group: readonly Waiting[], cause: unknown): void {
    for (const waiting of group) waiting.reject(unavailable(cause))
  }

  return {
    engine: 'sqlite',
    async query<Row extends object>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
      const since = performance.now()
      for (;;) {
        if (closed) throw new StorageUnavailable('the database is closed')
        try {
          const { rows } = run(sql, values)
          return rows as unknown as Row[]
        } catch (error) {
          if (!isUnavailable(error)) throw error
          if (!isBusy(error) || performance.now() - since > PATIENCE_MS) throw unavailable(error)
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    batch(steps) {
      if (closed || closing !== undefined) return Promise.reject(new StorageUnavailable('the database is closed'))
      if (queue.length >= QUEUE_LIMIT) return Promise.reject(new StorageUnavailable('too many writes are waiting'))
      return new Promise((resolve, reject) => {
        queue.push({ steps, resolve, reject })
        if (scheduled) return
        scheduled = true
        setImmediate(drain)
      })
    },
    async close() {
      if (closed) return
      if (scheduled) await new Promise<void>((resolve) => (closing = resolve))
      closed = true
      // Closing the last connection checkpoints the WAL.
      db.close()
    },
  }
}

/** Nobody but the owner may read the database: it is made so, and refused otherwise. */
function makePrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    // SQLite gives its -wal and -shm files the mode of the database. Never opened otherwise: closing a descriptor of
    // its file drops the locks that SQLite holds in this process.
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  if (process.platform === 'win32') return
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
    if ((mode & 0o077) === 0) continue
    throw new Error(`${file} is open to other users (mode ${(mode & 0o777).toString(8)}): run chmod 600 ${file}`)
  }
}

function connect(path: string): Database.Database {
  let db: Database.Database | undefined
  try {
    db = new Database(path)
    configure(db, path)
    return db
  } catch (error) {
    db?.close()
    if (!(error instanceof Database.SqliteError)) throw error
    const remedy =
      error.code === 'SQLITE_NOTADB'
        ? 'is not a SQLite database: restore it, or correct `database`'
        : 'cannot be opened: run this as the owner of the file and its folder, and see that the disk is not full'
    throw new Error(`${path} ${remedy} (${error.message})`, { cause: error })
  }
}

function configure(db: Database.Database, path: string): void {
  const journal_mode = db.pragma('journal_mode = WAL', { simple: true })
  if (path !== ':memory:' && journal_mode !== 'wal') {
    throw new Error(`${path} cannot be kept in WAL mode (it is ${String(journal_mode)}): put it on a local file system`)
  }
  // better-sqlite3 compiles NORMAL in, which may lose acknowledged commits when the power fails.
  db.pragma('synchronous = FULL')
  if (db.pragma('synchronous', { simple: true }) !== 2) throw new Error('SQLite refuses synchronous = FULL')
  db.pragma('foreign_keys = ON')
  db.pragma('trusted_schema = OFF')
  db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
}

function codeOf(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : ''
}

function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY')
}

function isUniqueViolation(error: unknown): boolean {
  return ['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'].includes(codeOf(error))
}

/**
 * Everything but our own mistakes: a broken constraint and a statement that SQLite does not understand. The triggers of a
 * database that has moved are no mistake.
 */
function isUnavailable(error: unknown): boolean {
  const code = codeOf(error)
  if (code === 'SQLITE_CONSTRAINT_TRIGGER') return true
  return code !== '' && code !== 'SQLITE_ERROR' && !code.startsWith('SQLITE_CONSTRAINT')
}

function unavailable(cause: unknown): StorageUnavailable {
  const code = codeOf(cause)
  const why = code === 'SQLITE_CONSTRAINT_TRIGGER' && cause instanceof Error ? cause.message : code || String(cause)
  return new StorageUnavailable(`SQLite cannot answer: ${why}`, { cause })
}
