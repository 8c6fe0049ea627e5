import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { readDocument } from './document.ts'
import { printable } from './output.ts'
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
      const document = await readDocument(cli, file, 'has none of the members resources, clients and users')
      const path = dryRun ? 'apply?dry_run=true' : 'apply'
      const result = await withAdmin(cli, (admin) => call(admin, 'POST', path, document))
      print(cli, result, difference(result, dryRun ?? false))
    })
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
