import type { Command } from 'commander'
import { type Cli, note, print, withAdmin } from './cli.ts'
import { instantIn, RowProblem, type SourceRecord, textIn } from './import/row.ts'
import { openSource } from './import/source.ts'
import { call, member } from './transport.ts'

const BATCH = 500

/** `gatehouse legacy-tokens …`: the tokens of a simplejwt site that moves in. */
export function registerLegacyTokens(program: Command, cli: Cli): void {
  program
    .command('legacy-tokens')
    .description('refresh tokens of a site that moves in (token_api.legacy_secret_file)')
    .command('block <file>')
    .description('refuse the tokens that the site has blacklisted; CSV or JSON lines with jti and expires_at (or exp)')
    .addHelpText('after', '\nExample: gatehouse legacy-tokens block blacklist.csv')
    .action(async (file: string) => blockTokens(cli, file))
}

async function blockTokens(cli: Cli, file: string): Promise<void> {
  const source = await openSource(cli, file)
  const summary = { rows: 0, blocked: 0, revoked: 0, unchanged: 0, refused: 0 }
  let waiting: { jti: string; expires_at: number }[] = []
  await withAdmin(cli, async (admin) => {
    const send = async () => {
      if (waiting.length === 0) return
      const report = await call(admin, 'POST', 'legacy-tokens/block', { tokens: waiting })
      waiting = []
      for (const name of ['blocked', 'revoked', 'unchanged'] as const) summary[name] += Number(member(report, name))
    }
    for await (const { row, record } of source.records) {
      summary.rows += 1
      try {
        waiting.push(tokenIn(record))
      } catch (error) {
        if (!(error instanceof RowProblem)) throw error
        summary.refused += 1
        note(cli, `row ${row} refused: ${error.field} ${error.message}`)
      }
      if (waiting.length === BATCH) await send()
    }
    await send()
  })
  const { rows, blocked, revoked, unchanged, refused } = summary
  const counts = `${blocked} blocked, ${revoked} revoked, ${unchanged} expired or blocked before, ${refused} refused`
  print(cli, summary, `${rows} tokens: ${counts}.`)
  if (refused > 0) cli.exit_code = 1
}

function tokenIn(record: SourceRecord = {}): { jti: string; expires_at: number } {
  const jti = textIn(record, 'jti')
  const expires_at = instantIn(record, 'expires_at') ?? instantIn(record, 'exp')
  if (jti === undefined) throw new RowProblem('jti', 'is missing.')
  if (expires_at === undefined) throw new RowProblem('expires_at', 'is missing.')
  return { jti, expires_at }
}
