/** The columns of the tables that more than one text names, and how texts are made of columns. */

export const ACCOUNT = [
  'account_id',
  'username',
  'email',
  'email_verified_at',
  'name',
  'roles',
  'profile',
  'password_hash',
  'disabled_at',
  'created_at',
  'updated_at',
  'legacy_user_id',
] as const
export const CLIENT = [
  'client_id',
  'client_secret_digest',
  'metadata',
  'origin',
  'registration_access_token_digest',
  'metadata_expires_at',
  'last_used_at',
  'disabled_at',
  'created_at',
  'updated_at',
] as const

export const OR_NOTHING = ' ON CONFLICT DO NOTHING'
/** What a statement that revokes grants ends with: whoever keeps status lists hears of it after the commit. */
export const REVOKED = 'RETURNING revoked_at, status_index AS revoked_index'

/** `($first, $first+1 …)`. */
export function parameters(count: number, first = 1): string {
  return `(${Array.from({ length: count }, (_, index) => `$${first + index}`).join(', ')})`
}

export function insert(table: string, columns: readonly string[], conflict = ''): string {
  const parameters = columns.map((_, index) => `$${index + 1}`)
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${parameters.join(', ')})${conflict}`
}

/**
 * The beginning of an insert that has a condition, which follows. PostgreSQL could not tell the types of its parameters.
 *
 * @param bigints the columns that hold no text
 */
export function insertSelect(table: string, columns: readonly string[], bigints: readonly string[]): string {
  const parameters = columns.map((column, index) => {
    return `CAST($${index + 1} AS ${bigints.includes(column) ? 'bigint' : 'text'})`
  })
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${parameters.join(', ')}`
}

/** The first `keys.length` parameters are the cursor, the next is the limit, then one for each filter, in its order. */
export function list(
  table: string,
  columns: readonly string[],
  keys: readonly string[],
  filters: readonly string[] = [],
): string {
  const cursor = keys.map((_, index) => `$${index + 1}`).join(', ')
  const where = filters.map((column, index) => ` AND ${column} = $${keys.length + 2 + index}`).join('')
  const order = keys.join(', ')
  return `SELECT ${columns.join(', ')} FROM ${table}
  WHERE (${order}) > (${cursor})${where} ORDER BY ${order} LIMIT $${keys.length + 1}`
}

/** Columns under their table's name. */
export function qualified(table: string, columns: readonly string[]): string {
  return columns.map((column) => `${table}.${column}`).join(', ')
}

/** Columns of a joined table, under names of their own. */
export function prefixed(prefix: string, columns: readonly string[]): string {
  return columns.map((column) => `${prefix}.${column} AS ${prefix}_${column}`).join(', ')
}

/** `$1` the instant, `$2` the most rows. @param key more than one column: in parentheses */
export function sweep(table: string, key: string, due: string): string {
  const columns = key.replace(/[()]/g, '')
  return `DELETE FROM ${table} WHERE ${key} IN (SELECT ${columns} FROM ${table} WHERE ${due} LIMIT $2)`
}
