import type { SqlValue } from './driver.ts'
import type { Page, PageRequest } from './records.ts'

/**
 * The keyset of a page's last row, made opaque. A cursor that is not one of ours begins at the start: it comes from
 * outside, and must not be an error of the server's.
 */
export function readCursor<Keys extends readonly SqlValue[]>(cursor: string | null, start: Keys): Keys {
  if (cursor === null) return start
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return isKeysLike(keys, start) ? keys : start
  } catch {
    return start
  }
}

function isKeysLike<Keys extends readonly SqlValue[]>(keys: unknown, start: Keys): keys is Keys {
  if (!Array.isArray(keys) || keys.length !== start.length) return false
  return start.every((key, index) => {
    const value: unknown = keys[index]
    return typeof value === typeof key && (typeof value !== 'number' || Number.isSafeInteger(value)) && !hasNul(value)
  })
}

// PostgreSQL has no NUL in its text.
function hasNul(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\0')
}

/** @param rows one more than the page holds, when there are more. */
export function pageOf<T>(rows: readonly T[], request: PageRequest, keysOf: (last: T) => readonly SqlValue[]): Page<T> {
  const items = rows.slice(0, request.limit)
  const last = items.at(-1)
  if (last === undefined || rows.length <= request.limit) return { items, next_cursor: null }
  return { items, next_cursor: Buffer.from(JSON.stringify(keysOf(last))).toString('base64url') }
}
