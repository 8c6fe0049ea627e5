import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type Cli, note, withAdmin } from './cli.ts'
import { CliError, reasonOf } from './exit.ts'
import { call, member, textOf } from './transport.ts'

const PAGE = 200

/** `gatehouse users export`: accounts as JSON lines, which `users import` reads. */
export function registerUsersExport(users: Command, cli: Cli): void {
  users
    .command('export')
    .description('write the accounts as JSON lines, as `users import` reads them')
    .option('--output <file>', 'into a file that only its owner can read, instead of standard output')
    .option('--with-password-hashes', 'with them; beside the database only, and it is recorded')
    .addHelpText('after', '\nExample: gatehouse users export --output users.jsonl')
    .action(async (options: { output?: string; withPasswordHashes?: boolean }) => exportUsers(cli, options))
}

async function exportUsers(
  cli: Cli,
  { output, withPasswordHashes }: { output?: string; withPasswordHashes?: boolean },
) {
  const out = openOutput(cli, output)
  let count = 0
  await withAdmin(cli, async (admin) => {
    let cursor: string | undefined
    do {
      const query = `limit=${PAGE}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const page = await (withPasswordHashes
        ? call(admin, 'POST', 'accounts/export', { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
        : call(admin, 'GET', `accounts?${query}`))
      const items = member(page, 'items')
      if (!Array.isArray(items)) throw new CliError('failed', 'The answer is no list of accounts.')
      for (const item of items) await out.write(`${JSON.stringify(lineOf(item))}\n`)
      count += items.length
      cursor = textOf(page, 'next_cursor')
    } while (cursor !== undefined)
  })
  await out.end()
  if (output !== undefined) note(cli, `Wrote ${count} accounts to ${output}.`)
}

/** Without what an import makes anew. */
function lineOf(account: object): object {
  const {
    profile,
    disabled_at,
    account_id: _,
    has_password: __,
    updated_at: ___,
    ...rest
  } = account as Record<string, unknown>
  const members = { ...rest, ...(profile as object), disabled: disabled_at !== null }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
}

function openOutput({ io }: Cli, path: string | undefined) {
  if (path === undefined) return { write: async (text: string) => io.stdout.write(text), end: async () => undefined }
  const stream = createWriteStream(resolve(io.cwd, path), { mode: 0o600 })
  const failed = new Promise<never>((_, reject) => {
    stream.on('error', (error) => reject(new CliError('usage', `${path} cannot be written (${reasonOf(error)}).`)))
  })
  failed.catch(() => undefined)
  return {
    write: (text: string) =>
      Promise.race([failed, new Promise<void>((done) => (stream.write(text) ? done() : stream.once('drain', done)))]),
    end: () => Promise.race([failed, new Promise<void>((done) => stream.end(done))]),
  }
}
