/** The command line within the test's own process: quick, and its streams are in hand. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { main } from '../../server/cli/index.ts'
import type { CommandResult } from './process.ts'

/** Runs `gatehouse ARGS`. @param env the whole environment, as far as the command sees it */
export async function runInProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' }
  const output = (stream: 'stdout' | 'stderr') => ({ write: (text: string) => (written[stream] += text) })
  const code = await main(args, {
    stdin: Readable.from([Buffer.from(input)]),
    stdout: output('stdout'),
    stderr: output('stderr'),
    env,
    cwd: env.GATEHOUSE_DATA_DIR ?? '/nowhere',
    now: Date.now,
    randomBytes,
  })
  return { code, ...written }
}
