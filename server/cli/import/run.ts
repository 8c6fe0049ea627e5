import { setTimeout as sleep } from 'node:timers/promises'
import type { Cli } from '../cli.ts'
import { note } from '../cli.ts'
import { CliError } from '../exit.ts'
import { type AdminApi, call, member, textOf } from '../transport.ts'
import { detectFormat } from './formats.ts'
import { COLUMNS, gatehouse } from './gatehouse.ts'
import { createProgress } from './progress.ts'
import { type ImportedRow, type ReadingContext, RowProblem, type SourceFormat, type SourceRecord } from './row.ts'
import type { SourceFile } from './source.ts'

export interface ImportRequest {
  /** undefined: by the look of the first record. */
  readonly format: SourceFormat | undefined
  /** Where a member comes from, by its name; '' for nowhere. */
  readonly map: ReadonlyMap<string, string>
  readonly context: ReadingContext
  readonly on_conflict: 'fail' | 'skip' | 'update'
  readonly dry_run: boolean
  readonly allow_admins: boolean
  /** Is told of each row that did not come in. */
  readonly problem: (problem: RowReport) => void
}

export interface RowReport {
  readonly row: number
  readonly username?: string
  readonly outcome: 'refused' | 'conflict' | 'skipped'
  readonly errors: readonly { readonly field: string; readonly message: string }[]
}

export interface ImportSummary {
  rows: number
  created: number
  updated: number
  unchanged: number
  skipped: number
  conflict: number
  refused: number
}

const BATCH_ROWS = 500
/** What a proxy lets through without being told to: nginx a megabyte. */
const BATCH_CHARACTERS = 400_000
const RETRY_SECONDS = [1, 2, 4, 8, 16]

interface Waiting {
  readonly row: number
  readonly account: ImportedRow
}

/**
 * Sends a file's accounts in batches, each of them one commit of the server. One batch is in memory.
 *
 * @throws {CliError} when the file or the server fails; what was sent before is in, and sending it again does nothing
 */
export async function runImport(
  cli: Cli,
  admin: AdminApi,
  source: SourceFile,
  request: ImportRequest,
): Promise<ImportSummary> {
  const summary: ImportSummary = { rows: 0, created: 0, updated: 0, unchanged: 0, skipped: 0, conflict: 0, refused: 0 }
  const progress = createProgress(cli)
  let format = request.format
  let waiting: Waiting[] = []
  let characters = 0

  const tell = (report: RowReport) => {
    summary[report.outcome] += 1
    request.problem(report)
  }
  const send = async () => {
    if (waiting.length === 0) return
    const batch = waiting
    ;[waiting, characters] = [[], 0]
    const results = await sendBatch(admin, batch, request)
    for (const [index, { row, account }] of batch.entries()) {
      const outcome = textOf(results[index], 'outcome')
      if (outcome === 'created' || outcome === 'updated' || outcome === 'unchanged') summary[outcome] += 1
      else if (outcome === 'skipped') summary.skipped += 1
      else
        tell({
          row,
          username: account.username,
          outcome: outcome === 'conflict' ? outcome : 'refused',
          errors: errorsOf(results[index]),
        })
    }
    const bytes = source.bytes === undefined ? undefined : Math.min(1, source.bytesRead() / Math.max(1, source.bytes))
    progress.report(bytes, summary.rows)
  }

  try {
    for await (const { row, record } of source.records) {
      summary.rows += 1
      const mapped = record === undefined ? undefined : mapColumns(record, request.map)
      if (mapped !== undefined && format === undefined) format = announce(cli, mapped)
      const read = readRow(format, mapped, request.context)
      if ('account' in read) {
        waiting.push({ row, account: read.account })
        characters += JSON.stringify(read.account).length
      } else tell({ row, ...read })
      if (waiting.length >= BATCH_ROWS || characters >= BATCH_CHARACTERS) await send()
    }
    await send()
  } catch (error) {
    // What was read before the file broke off is in. After a server that failed nothing is waiting.
    await send()
    throw error
  } finally {
    progress.end()
  }
  return summary
}

/** A column that nobody reads may be one that was mistyped. */
function announce(cli: Cli, record: SourceRecord): SourceFormat {
  const format = detectFormat(record)
  note(cli, `The format is ${format.name}.`)
  const ignored = format === gatehouse ? Object.keys(record).filter((name) => !COLUMNS.includes(name)) : []
  if (ignored.length > 0) note(cli, `Ignored: ${ignored.slice(0, 20).join(', ')}. See --map.`)
  return format
}

function mapColumns(record: SourceRecord, map: ReadonlyMap<string, string>): SourceRecord {
  if (map.size === 0) return record
  const mapped = [...map].map(([name, from]): [string, unknown] => [name, from === '' ? undefined : record[from]])
  const sources = new Set(map.values())
  const rest = Object.entries(record).filter(([name]) => !sources.has(name))
  return Object.fromEntries([...rest, ...mapped])
}

type Read = { readonly account: ImportedRow } | Pick<RowReport, 'outcome' | 'errors'>

function readRow(format: SourceFormat | undefined, record: SourceRecord | undefined, context: ReadingContext): Read {
  if (record === undefined || format === undefined) return unread('refused', '', 'This is no record.')
  try {
    const read = format.read(record, context)
    return 'nobody' in read ? unread('skipped', '', `Not imported: ${read.nobody}.`) : { account: read }
  } catch (error) {
    if (error instanceof RowProblem) return unread('refused', error.field, error.message)
    throw error
  }
}

function unread(outcome: 'refused' | 'skipped', field: string, message: string): Read {
  return { outcome, errors: [{ field, message }] }
}

/** A server that is busy or starting again is asked again: the same rows twice do no harm. */
async function sendBatch(admin: AdminApi, batch: readonly Waiting[], request: ImportRequest): Promise<unknown[]> {
  const { on_conflict, dry_run, allow_admins } = request
  const accounts = batch.map(({ account }) => account)
  const body = { on_conflict, dry_run, allow_admins, accounts }
  for (const seconds of [...RETRY_SECONDS, 0]) {
    try {
      const results = member(await call(admin, 'POST', 'accounts/import', body), 'results')
      if (Array.isArray(results) && results.length === batch.length) return results
      throw new CliError('failed', 'The server did not say what became of each row.')
    } catch (error) {
      if (!(error instanceof CliError) || error.failure !== 'unreachable' || seconds === 0) throw error
      await sleep(seconds * 1000)
    }
  }
  return []
}

function errorsOf(result: unknown): RowReport['errors'] {
  const errors = member(result, 'errors')
  if (!Array.isArray(errors)) return []
  return errors.map((error) => ({ field: textOf(error, 'field') ?? '', message: textOf(error, 'message') ?? '' }))
}
