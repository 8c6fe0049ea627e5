import { closeSync, openSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Cli, note, print, withAdmin } from './cli.ts'
import { CliError, reasonOf } from './exit.ts'
import { readFirebaseParameters } from './import/firebase.ts'
import { FORMATS, findFormat } from './import/formats.ts'
import { type ImportSummary, type RowReport, runImport } from './import/run.ts'
import { openSource } from './import/source.ts'
import { printable } from './output.ts'

interface ImportOptions {
  readonly format?: string
  readonly map?: ReadonlyMap<string, string>
  readonly onConflict: 'fail' | 'skip' | 'update'
  readonly dryRun?: boolean
  readonly allowAdmins?: boolean
  readonly errors?: string
  readonly firebaseHashParameters?: string
}

/** Problems that are shown, where they are not written to a file. */
const SHOWN_PROBLEMS = 10

/** `gatehouse users import`: accounts of another system, passwords included. */
export function registerUsersImport(users: Command, cli: Cli): void {
  const names = FORMATS.map(({ name }) => name)
  users
    .command('import <file>')
    .description('bring accounts in from CSV, JSON lines or the export of another system; - for standard input')
    .addOption(new Option('--format <format>', 'whose export it is; left out: by its look').choices(names))
    .option('--map <member=column>', 'read a member from another column, or from none (repeat for more)', collectPair)
    .addOption(
      new Option('--on-conflict <what>', 'what becomes of a row whose account is there and differs')
        .choices(['fail', 'skip', 'update'])
        .default('fail'),
    )
    .option('--dry-run', 'say what would happen, and change nothing')
    .option('--allow-admins', 'take rows with the role admin, which may administer this server')
    .option('--errors <file>', 'write each row that did not come in, as JSON lines')
    .option('--firebase-hash-parameters <file>', 'the hash parameters of a Firebase project, as its console shows them')
    .addHelpText('after', HELP)
    .action(async (file: string, options: ImportOptions) => importUsers(cli, file, options))
}

const HELP = `
Passwords come in as the hashes that they are, and are hashed anew when their owner first signs in. The same file again
does nothing to the accounts that are there unchanged, so an import that was interrupted is run again. Exit code 1: rows
were refused, 4: rows are in conflict with accounts that are there.

Example: gatehouse users import users.jsonl --dry-run --errors problems.jsonl`

function collectPair(value: string, previous: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const at = value.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be MEMBER=COLUMN.')
  return new Map([...previous, [value.slice(0, at), value.slice(at + 1)]])
}

async function importUsers(cli: Cli, file: string, options: ImportOptions): Promise<void> {
  const { onConflict: on_conflict, dryRun: dry_run = false, allowAdmins: allow_admins = false } = options
  const context = { now: Math.floor(cli.io.now() / 1000), firebase: await firebaseParameters(cli, options) }
  const source = await openSource(cli, file)
  const problems = openProblems(cli, options.errors)
  const format = options.format === undefined ? undefined : findFormat(options.format)
  const request = { format, map: options.map ?? new Map(), context, on_conflict, dry_run, allow_admins }
  try {
    const began = cli.io.now()
    const summary = await withAdmin(cli, (admin) =>
      runImport(cli, admin, source, { ...request, problem: (report) => problems.add(report) }),
    )
    const seconds = Math.round((cli.io.now() - began) / 100) / 10
    if (summary.rows === 0) throw new CliError('failed', `${file} holds no accounts.`)
    print(cli, { ...summary, dry_run, seconds }, describe(summary, dry_run, seconds))
    if (summary.refused > 0) cli.exit_code = 1
    else if (summary.conflict > 0) cli.exit_code = 4
  } finally {
    problems.close()
  }
}

async function firebaseParameters({ io }: Cli, { firebaseHashParameters: path }: ImportOptions) {
  if (path === undefined) return undefined
  const text = await readFile(resolve(io.cwd, path), 'utf8').catch((error: unknown) => {
    throw new CliError('not_found', `${path} cannot be read (${reasonOf(error)}).`)
  })
  return readFirebaseParameters(text)
}

/** Rows that did not come in: all of them into a file, or the first few onto the terminal. */
function openProblems(cli: Cli, path: string | undefined) {
  const file = path === undefined ? undefined : openErrorsFile(cli, path)
  let shown = 0
  return {
    add(report: RowReport) {
      if (file !== undefined) {
        writeSync(file, `${JSON.stringify(report)}\n`)
        return
      }
      shown += 1
      if (shown > SHOWN_PROBLEMS + 1) return
      if (shown > SHOWN_PROBLEMS) return note(cli, 'There are more. Write them to a file: --errors FILE.')
      const { row, username, outcome, errors } = report
      const why = errors.map(({ field, message }) => [field, message].filter(Boolean).join(': ')).join(' ')
      note(cli, `row ${row}${username === undefined ? '' : ` (${printable(username)})`} ${outcome}: ${printable(why)}`)
    },
    close() {
      if (file !== undefined) closeSync(file)
    },
  }
}

function openErrorsFile({ io }: Cli, path: string): number {
  try {
    return openSync(resolve(io.cwd, path), 'w', 0o600)
  } catch (error) {
    throw new CliError('usage', `${path} cannot be written (${reasonOf(error)}).`)
  }
}

function describe({ rows, ...outcomes }: ImportSummary, dry_run: boolean, seconds: number): string {
  const parts = Object.entries(outcomes).flatMap(([name, number]) => (number > 0 ? [`${number} ${name}`] : []))
  return `${rows} rows: ${parts.join(', ')}. ${seconds} s.${dry_run ? ' A dry run: nothing was changed.' : ''}`
}
