/** What a column holds: both engines store nothing else. Booleans are nullable instants; JSON is text. */
export type SqlValue = string | number | null

/**
 * One statement of a transaction. SQL is written once for both engines, with `$1 …` parameters.
 * `must_change` is a guard: when the statement touches another number of rows, or loses the race for a unique value, the
 * whole batch is undone.
 */
export interface Step {
  readonly sql: string
  readonly values: readonly SqlValue[]
  readonly must_change?: number
}

export interface StepResult {
  /** Rows inserted, updated or deleted. */
  readonly changes: number
  /** What `RETURNING` gave; empty without one. */
  readonly rows: readonly Readonly<Record<string, SqlValue>>[]
}

export type BatchOutcome =
  | { readonly committed: true; readonly results: readonly StepResult[] }
  | { readonly committed: false; readonly failed_step: number }

/**
 * One database. A transaction is data, so nothing can sign, hash or fetch while one is open, and it means the same on
 * both engines.
 */
export interface Driver {
  readonly engine: 'sqlite' | 'postgres'
  /** Runs one read, which sees only what is committed. */
  query<Row extends object>(sql: string, values: readonly SqlValue[]): Promise<Row[]>
  /** All steps or none; resolves only when the commit is durable. Rejects with {@link StorageUnavailable} otherwise. */
  batch(steps: readonly Step[]): Promise<BatchOutcome>
  close(): Promise<void>
}

/** The database cannot answer now (locked, full, gone, a failed sync): a 503 to the caller, never a success. */
export class StorageUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StorageUnavailable'
  }
}
