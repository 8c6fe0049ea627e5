import type { Driver } from './driver.ts'
import * as sql from './statements_tables.ts'

export interface Column {
  readonly name: string
  readonly type: 'text' | 'bigint'
}

/** A table as the database itself describes it. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** The names of the primary key's columns. */
  readonly key: readonly string[]
}

/** These hang on rows of others, and go with them. */
const CHILDREN: readonly string[] = ['account_identifiers', 'session_clients', 'signals']

interface ColumnRow {
  readonly table_name: string
  readonly column_name: string
  readonly data_type: string
  /** Its place in the primary key, from 1; 0: none. */
  readonly key_position: number
}

/**
 * Every table that the migrations made, with what hangs on others last. The list of applied migrations is left out: each
 * database has its own.
 */
export async function readTables(driver: Driver): Promise<Table[]> {
  const rows = await driver.query<ColumnRow>(
    driver.engine === 'sqlite' ? sql.LIST_SQLITE_COLUMNS : sql.LIST_POSTGRES_COLUMNS,
    [],
  )
  const names = [...new Set(rows.map(({ table_name }) => table_name))].filter((name) => name !== 'schema_migrations')
  const tables = names.map((name) =>
    tableOf(
      name,
      rows.filter(({ table_name }) => table_name === name),
    ),
  )
  const rank = ({ name }: Table) => CHILDREN.indexOf(name)
  return tables.toSorted((one, other) => rank(one) - rank(other) || (one.name < other.name ? -1 : 1))
}

function tableOf(name: string, rows: readonly ColumnRow[]): Table {
  const keyed = rows.filter(({ key_position }) => key_position > 0)
  if (keyed.length === 0) throw new RangeError(`the table ${name} has no primary key`)
  return {
    name,
    columns: rows
      .map(({ column_name, data_type }): Column => {
        return { name: column_name, type: data_type.toLowerCase() === 'bigint' ? 'bigint' : 'text' }
      })
      // The engines may list them in another order, and the copy compares them.
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    key: keyed.toSorted((one, other) => one.key_position - other.key_position).map(({ column_name }) => column_name),
  }
}
