/**
 * SQL about whole tables, whatever is in them: for copies, backups and what follows a restore. What describes and locks
 * tables is each engine's own.
 */
import type { Column, Table } from './tables.ts'

export const LIST_SQLITE_COLUMNS = `SELECT m.name AS table_name, c.name AS column_name, c.type AS data_type, c.pk AS key_position
  FROM sqlite_master AS m, pragma_table_info(m.name) AS c
  WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`
export const LIST_POSTGRES_COLUMNS = `SELECT c.table_name, c.column_name, c.data_type,
    coalesce(k.ordinal_position, 0)::integer AS key_position
  FROM information_schema.columns AS c
  LEFT JOIN information_schema.table_constraints AS t ON t.table_schema = c.table_schema
    AND t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY'
  LEFT JOIN information_schema.key_column_usage AS k ON k.constraint_schema = t.constraint_schema
    AND k.constraint_name = t.constraint_name AND k.table_name = c.table_name AND k.column_name = c.column_name
  WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position`

function names(columns: readonly Pick<Column, 'name'>[]): string {
  return columns.map(({ name }) => name).join(', ')
}

function keyOf({ key }: Table): string {
  return key.length === 1 ? (key[0] ?? '') : `(${key.join(', ')})`
}

/** Without a cursor: from the beginning. The last parameter is the limit. */
export function selectPage(table: Table, from: 'beginning' | 'cursor'): string {
  const { name, columns, key } = table
  const cursor = key.map((_, index) => `$${index + 1}`).join(', ')
  const where = from === 'cursor' ? ` WHERE (${key.join(', ')}) > (${cursor})` : ''
  return `SELECT ${names(columns)} FROM ${name}${where}
  ORDER BY ${key.join(', ')} LIMIT $${from === 'cursor' ? key.length + 1 : 1}`
}

/** `($1, $2), ($3, $4) …`, with types: PostgreSQL would take a parameter in VALUES for text. */
function keyList({ columns, key }: Table, rows: number): string {
  const types = key.map((name) => columns.find((column) => column.name === name)?.type ?? 'text')
  const tuple = (row: number) =>
    `(${types.map((type, index) => `CAST($${row * types.length + index + 1} AS ${type})`).join(', ')})`
  return `VALUES ${Array.from({ length: rows }, (_, row) => tuple(row)).join(', ')}`
}

/** The rows with these keys: as many parameters as the key has columns, for each. */
export function selectByKeys(table: Table, rows: number): string {
  return `SELECT ${names(table.columns)} FROM ${table.name} WHERE ${keyOf(table)} IN (${keyList(table, rows)})`
}

export function deleteByKeys(table: Table, rows: number): string {
  return `DELETE FROM ${table.name} WHERE ${keyOf(table)} IN (${keyList(table, rows)})`
}

export function insertRows({ name, columns }: Table, rows: number): string {
  const tuple = (row: number) => `(${columns.map((_, index) => `$${row * columns.length + index + 1}`).join(', ')})`
  return `INSERT INTO ${name} (${names(columns)}) VALUES ${Array.from({ length: rows }, (_, row) => tuple(row)).join(', ')}`
}

/** The text that a refused write finds, in both engines. */
export const MOVED = 'this database has moved'

/** What refuses every write from now on. */
export function freezeTable(engine: 'sqlite' | 'postgres', { name }: Table): string[] {
  if (engine === 'postgres') {
    return [
      `CREATE TRIGGER gatehouse_moved BEFORE INSERT OR UPDATE OR DELETE ON ${name}
      FOR EACH STATEMENT EXECUTE FUNCTION gatehouse_moved()`,
    ]
  }
  return ['INSERT', 'UPDATE', 'DELETE'].map(
    (event) => `CREATE TRIGGER gatehouse_moved_${name}_${event.toLowerCase()} BEFORE ${event} ON ${name}
    BEGIN SELECT RAISE(ABORT, '${MOVED}'); END`,
  )
}

export function thawTable(engine: 'sqlite' | 'postgres', { name }: Table): string[] {
  if (engine === 'postgres') return [`DROP TRIGGER IF EXISTS gatehouse_moved ON ${name}`]
  return ['insert', 'update', 'delete'].map((event) => `DROP TRIGGER IF EXISTS gatehouse_moved_${name}_${event}`)
}

export const COUNT_MOVED = {
  sqlite: `SELECT count(*) AS triggers FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'gatehouse_moved_*'`,
  postgres: `SELECT count(*) AS triggers FROM pg_trigger WHERE tgname = 'gatehouse_moved'
    AND tgrelid = to_regclass('grants')`,
} as const

/** 25006, read_only_sql_transaction: what a server takes for a database that cannot answer now. */
export const CREATE_MOVED_FUNCTION = `CREATE OR REPLACE FUNCTION gatehouse_moved() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION '${MOVED}' USING ERRCODE = '25006'; END $$`

/** What works once, and may have worked since the backup. */
export const EMPTY_AFTER_RESTORE: readonly string[] = [
  'authorization_codes',
  'device_codes',
  'pushed_requests',
  'interactions',
  'initial_access_tokens',
  'one_time_handles',
].map((table) => `DELETE FROM ${table}`)
