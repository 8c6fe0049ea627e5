/** Rows of other systems: how their values are read, and what is made of them. */
import { parseJson } from '../transport.ts'

/** An account as `POST /admin/api/accounts/import` takes it. */
export interface ImportedRow {
  readonly username: string
  readonly email?: string | undefined
  readonly email_verified?: boolean | undefined
  readonly name?: string | undefined
  readonly profile?: Readonly<Record<string, unknown>>
  readonly roles?: readonly string[] | undefined
  readonly password_hash?: string | undefined
  readonly disabled?: boolean | undefined
  readonly created_at?: number | undefined
  readonly legacy_user_id?: string | undefined
}

/** A record of a file: a line of CSV by its columns, or a JSON object. */
export type SourceRecord = Readonly<Record<string, unknown>>

/** What else the reading of a record hangs on. */
export interface ReadingContext {
  /** Epoch seconds. */
  readonly now: number
  readonly firebase: FirebaseParameters | undefined
}

/** What a Firebase project hashes with; in base64 what the console shows so. */
export interface FirebaseParameters {
  readonly signer_key: string
  readonly salt_separator: string
  readonly rounds: number
  readonly mem_cost: number
}

export interface SourceFormat {
  /** As `--format` names it. */
  readonly name: string
  /** Whether a record has the look of this format and no other. */
  recognizes(record: SourceRecord): boolean
  /**
   * @returns the row, or why it is nobody who could sign in here
   * @throws {RowProblem} for a value that cannot be read
   */
  read(record: SourceRecord, context: ReadingContext): ImportedRow | { readonly nobody: string }
}

/** One value of one record that cannot be read. */
export class RowProblem extends Error {
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.name = 'RowProblem'
    this.field = field
  }
}

/** A text with something in it; a number is one. */
export function textIn(record: SourceRecord, name: string): string | undefined {
  const value = record[name]
  if (typeof value === 'number') return String(value)
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new RowProblem(name, 'This is not a text.')
  return value.trim() === '' ? undefined : value.trim()
}

const TRUE = ['true', 't', 'yes', 'y', '1', 'on']
const FALSE = ['false', 'f', 'no', 'n', '0', 'off']

export function truthIn(record: SourceRecord, name: string): boolean | undefined {
  const value = record[name]
  if (typeof value === 'boolean') return value
  const text = textIn(record, name)?.toLowerCase()
  if (text === undefined) return undefined
  if (TRUE.includes(text)) return true
  if (FALSE.includes(text)) return false
  throw new RowProblem(name, 'This is neither true nor false.')
}

/** What is larger are milliseconds: as seconds it would be the year 5138. */
const LARGEST_SECONDS = 100_000_000_000

/** An instant: epoch seconds or milliseconds, ISO 8601, or as PostgreSQL writes it. @returns epoch seconds */
export function instantIn(record: SourceRecord, name: string): number | undefined {
  const text = textIn(record, name)
  if (text === undefined) return undefined
  if (/^\d{1,15}(\.\d+)?$/.test(text)) {
    const number = Number(text)
    return Math.floor(number < LARGEST_SECONDS ? number : number / 1000)
  }
  const iso = text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(iso) || !iso.includes('T') ? iso : `${iso}Z`
  const milliseconds = /^\d{4}-\d{2}-\d{2}/.test(zoned) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(milliseconds)) throw new RowProblem(name, 'This is not an instant.')
  return Math.floor(milliseconds / 1000)
}

/** A list of texts: JSON, or words between commas, semicolons or bars. */
export function listIn(record: SourceRecord, name: string): string[] | undefined {
  const value = record[name]
  const list = typeof value === 'string' && value.trim().startsWith('[') ? parseJson(value) : value
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list
  if (list === null || list === undefined) return undefined
  if (typeof list !== 'string') throw new RowProblem(name, 'This is not a list of texts.')
  const words = list.split(/[,;|]/).map((word) => word.trim())
  return words.filter((word) => word !== '')
}

/** An object, or JSON of one; empty when there is none. */
export function objectIn(record: SourceRecord, name: string): SourceRecord {
  const value = record[name]
  const object = typeof value === 'string' ? parseJson(value) : value
  return typeof object === 'object' && object !== null && !Array.isArray(object) ? (object as SourceRecord) : {}
}

/** Without the members that nothing is known of. */
export function known(members: SourceRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
