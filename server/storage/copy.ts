/**
 * Makes one database equal to another, row by row, whatever engines they are on. It may run while the source changes, and
 * run again: it carries over what differs.
 */
import { createHash } from 'node:crypto'
import type { Driver, SqlValue, Step } from './driver.ts'
import * as sql from './statements_tables.ts'
import type { Table } from './tables.ts'

type Row = Readonly<Record<string, SqlValue>>

/** Rows that are read at once. Keys of as many fit into one statement on both engines. */
const PAGE_ROWS = 1000
/** SQLite takes 32,766 parameters in one statement. */
const MOST_PARAMETERS = 30_000

export interface CopyProgress {
  readonly table: string
  /** Rows that were looked at so far, in both directions. */
  readonly rows: number
}

/** What two databases have to agree on. */
export interface TableSum {
  readonly table: string
  readonly rows: number
  /** Of all rows, in whatever order: the sum of their SHA-256 digests, hexadecimal. */
  readonly checksum: string
}

/**
 * One pass over every table.
 *
 * @param tables as `readTables` orders them
 * @returns how many rows the target lacked, had too many or had otherwise
 */
export async function copyTables(
  source: Driver,
  target: Driver,
  tables: readonly Table[],
  report: (progress: CopyProgress) => void = () => undefined,
): Promise<number> {
  let moved = 0
  // First what has to go, from what hangs on others to what they hang on: a row that changed is deleted and comes again,
  // so that no unique value is ever in two rows.
  for (const table of tables.toReversed()) moved += await removeStale(source, target, table, report)
  for (const table of tables) moved += await insertMissing(source, target, table, report)
  return moved
}

async function removeStale(
  source: Driver,
  target: Driver,
  table: Table,
  report: (progress: CopyProgress) => void,
): Promise<number> {
  let removed = 0
  let rows = 0
  for await (const page of pagesOf(target, table)) {
    const wanted = await rowsLike(source, table, page)
    const stale = page.filter((row) => wanted.get(keyText(table, row)) !== rowText(table, row))
    await write(target, table, stale, sql.deleteByKeys, (row) => keyValues(table, row))
    removed += stale.length
    rows += page.length
    report({ table: table.name, rows })
  }
  return removed
}

async function insertMissing(
  source: Driver,
  target: Driver,
  table: Table,
  report: (progress: CopyProgress) => void,
): Promise<number> {
  let inserted = 0
  let rows = 0
  for await (const page of pagesOf(source, table)) {
    const there = await rowsLike(target, table, page)
    const missing = page.filter((row) => !there.has(keyText(table, row)))
    await write(target, table, missing, sql.insertRows, (row) => table.columns.map(({ name }) => row[name] ?? null))
    inserted += missing.length
    rows += page.length
    report({ table: table.name, rows })
  }
  return inserted
}

/** @returns rows and checksum of each table */
export async function sumTables(
  driver: Driver,
  tables: readonly Table[],
  report: (progress: CopyProgress) => void = () => undefined,
): Promise<TableSum[]> {
  const sums: TableSum[] = []
  for (const table of tables) {
    let rows = 0
    let sum = 0n
    for await (const page of pagesOf(driver, table)) {
      for (const row of page) {
        const digest = createHash('sha256').update(rowText(table, row)).digest('hex')
        sum = BigInt.asUintN(256, sum + BigInt(`0x${digest}`))
      }
      rows += page.length
      report({ table: table.name, rows })
    }
    sums.push({ table: table.name, rows, checksum: sum.toString(16).padStart(64, '0') })
  }
  return sums
}

/** Every row, in the order that the database itself gives the key. */
async function* pagesOf(driver: Driver, table: Table): AsyncGenerator<Row[]> {
  let last: Row | undefined
  for (;;) {
    const page: Row[] = await driver.query<Row>(
      sql.selectPage(table, last === undefined ? 'beginning' : 'cursor'),
      last === undefined ? [PAGE_ROWS] : [...keyValues(table, last), PAGE_ROWS],
    )
    if (page.length > 0) yield page
    last = page.at(-1)
    if (last === undefined || page.length < PAGE_ROWS) return
  }
}

/** What another database has under the same keys: the text of each row by that of its key. */
async function rowsLike(driver: Driver, table: Table, page: readonly Row[]): Promise<Map<string, string>> {
  const values = page.flatMap((row) => keyValues(table, row))
  const found = await driver.query<Row>(sql.selectByKeys(table, page.length), values)
  return new Map(found.map((row) => [keyText(table, row), rowText(table, row)]))
}

/** Writes rows in one batch, so many to a statement. */
async function write(
  driver: Driver,
  table: Table,
  rows: readonly Row[],
  statement: (table: Table, rows: number) => string,
  valuesOf: (row: Row) => SqlValue[],
): Promise<void> {
  if (rows.length === 0) return
  const at_once = Math.floor(MOST_PARAMETERS / table.columns.length)
  const steps: Step[] = []
  for (let start = 0; start < rows.length; start += at_once) {
    const some = rows.slice(start, start + at_once)
    steps.push({ sql: statement(table, some.length), values: some.flatMap(valuesOf) })
  }
  await driver.batch(steps)
}

function keyValues({ key }: Table, row: Row): SqlValue[] {
  return key.map((name) => row[name] ?? null)
}

function keyText(table: Table, row: Row): string {
  return JSON.stringify(keyValues(table, row))
}

function rowText({ columns }: Table, row: Row): string {
  return JSON.stringify(columns.map(({ name }) => row[name] ?? null))
}
