/** Reads a file of accounts as a stream of records, whatever it is written in. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { Cli } from '../cli.ts'
import { CliError, reasonOf } from '../exit.ts'
import { objectOf, parseJson } from '../transport.ts'
import { jsonItems } from './json_items.ts'
import type { SourceRecord } from './row.ts'

export interface SourceFile {
  /** undefined: nobody knows, as of standard input. */
  readonly bytes: number | undefined
  /** How much of it has been read. */
  bytesRead(): number
  /** Each record with its number, from 1; undefined: it is none. */
  readonly records: AsyncIterable<{ readonly row: number; readonly record: SourceRecord | undefined }>
}

const HEAD_CHARACTERS = 65_536
const LONGEST_RECORD = 1024 * 1024
const BROKEN = { row: 0, record: undefined } as const

/** @param path `-` for standard input. @throws {CliError} when it cannot be opened */
export async function openSource({ io }: Cli, path: string): Promise<SourceFile> {
  if (path === '-') return sourceOf(io.stdin, undefined)
  const file = resolve(io.cwd, path)
  const stats = await stat(file).catch((error: unknown) => {
    throw new CliError('not_found', `${path} cannot be read (${reasonOf(error)}).`)
  })
  if (!stats.isFile()) throw new CliError('usage', `${path} is no file.`)
  return sourceOf(createReadStream(file), stats.size)
}

function sourceOf(input: AsyncIterable<Buffer | string>, bytes: number | undefined): SourceFile {
  let read = 0
  async function* texts() {
    // Broken bytes are an error, since a name mended is another name.
    const decoder = new TextDecoder('utf-8', { fatal: true })
    for await (const chunk of input) {
      const buffer = Buffer.from(chunk)
      read += buffer.length
      yield decoder.decode(buffer, { stream: true })
    }
    yield decoder.decode()
  }
  return { bytes, bytesRead: () => read, records: numbered(explained(texts())) }
}

async function* numbered(records: AsyncIterable<SourceRecord | typeof BROKEN>) {
  let row = 0
  for await (const record of records) {
    row += 1
    yield { row, record: record === BROKEN ? undefined : (record as SourceRecord) }
  }
}

/** What a parser or a decoder says, as an error of the command line. */
async function* explained(texts: AsyncGenerator<string>) {
  try {
    yield* recordsOf(texts)
  } catch (error) {
    if (error instanceof CliError) throw error
    const said = error instanceof TypeError ? 'it is not UTF-8' : reasonOf(error)
    const remedy = 'The rows before it are in. Mend the file and run the command again: it goes on where it stopped.'
    throw new CliError('failed', `The file cannot be read any further: ${said}.`, remedy, { cause: error })
  }
}

async function* recordsOf(texts: AsyncGenerator<string>): AsyncGenerator<SourceRecord | typeof BROKEN> {
  let head = ''
  for (let next = await texts.next(); next.done !== true; next = await texts.next()) {
    head += next.value
    if (head.length >= HEAD_CHARACTERS) break
  }
  async function* whole() {
    yield head
    yield* texts
  }
  const kind = kindOf(head)
  if (kind === 'csv') yield* csvRecords(whole(), delimiterOf(head))
  else if (kind === 'json_lines') for await (const line of lines(whole())) yield parsed(line)
  else for await (const item of jsonItems(whole(), kind === 'json_array' ? undefined : 'users')) yield parsed(item)
}

function kindOf(head: string): 'csv' | 'json_lines' | 'json_array' | 'json_document' {
  const begin = head.trimStart()
  if (begin.startsWith('[')) return 'json_array'
  if (!begin.startsWith('{')) return 'csv'
  const first = parseJson(begin.split('\n', 1)[0] ?? '')
  return typeof first === 'object' && !Array.isArray(Reflect.get(objectOf(first), 'users'))
    ? 'json_lines'
    : 'json_document'
}

function parsed(text: string): SourceRecord | typeof BROKEN {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as SourceRecord) : BROKEN
}

async function* lines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of texts) {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > LONGEST_RECORD) throw new RangeError('a line has more than a million characters')
    for (const line of parts) if (line.trim() !== '') yield line
  }
  if (rest.trim() !== '') yield rest
}

/** What the first line has most of: comma, semicolon or tab. */
function delimiterOf(head: string): string {
  const line = head.split('\n', 1)[0] ?? ''
  const count = (delimiter: string) => line.split(delimiter).length
  return [',', ';', '\t'].toSorted((a, b) => count(b) - count(a))[0] ?? ','
}

async function* csvRecords(texts: AsyncIterable<string>, delimiter: string) {
  const { parse } = await import('csv-parse')
  // A line with too few or too many fields is told of; the others are taken.
  const parser = parse({ delimiter, skip_empty_lines: true, max_record_size: LONGEST_RECORD, relax_column_count: true })
  const rows: AsyncIterable<string[]> = Readable.from(texts).compose(parser)
  let names: string[] | undefined
  for await (const fields of rows) {
    if (names === undefined) names = fields.map((name) => name.trim())
    else if (fields.length !== names.length) yield BROKEN
    else yield Object.fromEntries(names.map((name, index): [string, unknown] => [name, fields[index]]))
  }
}
