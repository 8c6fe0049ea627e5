import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { CliError, reasonOf } from './exit.ts'
import { printable } from './output.ts'
import { readInput } from './secret_input.ts'
import { call, member, textOf } from './transport.ts'

/** `gatehouse apply`: resources, clients and users as a file has them. */
export function registerApply(program: Command, cli: Cli): void {
  program
    .command('apply')
    .description('make resources, clients and users what a file says; nothing is deleted, and twice is as good as once')
    .requiredOption('-f, --file <file>', 'JSON or YAML; - for standard input')
    .option('--dry-run', 'print what would change, and change nothing')
    .addHelpText('after', '\nExample: gatehouse apply -f gatehouse.apply.yaml --dry-run')
    .action(async ({ file, dryRun }: { file: string; dryRun?: boolean }) => {
      const document = await readDocument(cli, file)
      const path = dryRun ? 'apply?dry_run=true' : 'apply'
      const result = await withAdmin(cli, (admin) => call(admin, 'POST', path, document))
      print(cli, result, difference(result, dryRun ?? false))
    })
}

async function readDocument({ io }: Cli, file: string): Promise<object> {
  const name = file === '-' ? 'standard input' : file
  const text = file === '-' ? await readInput(io.stdin) : readFile(resolve(io.cwd, file))
  const { parseDocument } = await import('yaml')
  // YAML holds JSON. Without a line of the file in the message: it may be a password's.
  const parsed = parseDocument(text, { prettyErrors: false })
  const [error] = parsed.errors
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split('\n').length
    throw new CliError('usage', `${name}, line ${line}, is neither JSON nor YAML: ${error.code}.`)
  }
  const document: unknown = parsed.toJS()
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document
  throw new CliError('usage', `${name} has none of the members resources, clients and users.`)
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CliError('usage', `${path} cannot be read (${reasonOf(error)}).`)
  }
}

function difference(result: unknown, dry_run: boolean): string {
  const lines = listOf(result, 'changes').flatMap(describeChange)
  const ignored = listOf(result, 'ignored').map((path) => `ignored: ${printable(path)}`)
  if (lines.length === 0) return ['nothing to change', ...ignored].join('\n')
  return [...lines, ...ignored, ...(dry_run ? ['(dry run: nothing was changed)'] : [])].join('\n')
}

function describeChange(change: unknown): string[] {
  const name = `${textOf(change, 'kind')} ${printable(textOf(change, 'id'))}`
  if (textOf(change, 'action') === 'create') return [`+ ${name}`]
  return listOf(change, 'members').map((changed) => {
    const [before, after] = [member(changed, 'before'), member(changed, 'after')].map((value) => JSON.stringify(value))
    return `~ ${name}: ${textOf(changed, 'member')} ${printable(before)} → ${printable(after)}`
  })
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = member(value, name)
  return Array.isArray(list) ? list : []
}
