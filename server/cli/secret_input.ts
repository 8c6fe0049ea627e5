import type { Cli } from './cli.ts'
import { CliError } from './exit.ts'
import type { Input } from './io.ts'

const LONGEST_SECRET_BYTES = 4096
const LONGEST_FILE_BYTES = 16 * 1024 * 1024

/** Reads standard input to its end. */
export async function readInput(stdin: Input, limit = LONGEST_FILE_BYTES): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    length += bytes.length
    if (length > limit) throw new CliError('usage', `Standard input holds more than ${limit} bytes.`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * A password or a client secret. It never comes from an argument: others on the machine can read those.
 *
 * @param from.stdin whether standard input was asked for; else it is prompted for, on a terminal
 * @param from.confirm whether to ask twice
 * @param from.option the option to name when there is no terminal
 */
export async function readSecret(
  { io, options }: Cli,
  what: string,
  from: { stdin: boolean; option: string; confirm?: boolean },
): Promise<string> {
  if (from.stdin) {
    const secret = (await readInput(io.stdin, LONGEST_SECRET_BYTES)).replace(/\r?\n$/, '')
    if (secret === '') throw new CliError('usage', `Standard input is empty; the ${what} was expected there.`)
    return secret
  }
  if (!io.stdin.isTTY || options.json) {
    throw new CliError('usage', `The ${what} is missing.`, `Write it to standard input and give ${from.option}.`)
  }
  const secret = await prompt(`${what[0]?.toUpperCase()}${what.slice(1)}`)
  if (from.confirm && (await prompt(`The ${what} again`)) !== secret) {
    throw new CliError('usage', `The two are not the same. Nothing was changed.`)
  }
  return secret
}

async function prompt(message: string): Promise<string> {
  const clack = await import('@clack/prompts')
  const answer = await clack.password({ message, output: process.stderr })
  if (typeof answer !== 'string') throw new CliError('failed', 'Cancelled. Nothing was changed.')
  return answer
}

/** Asks a person; without a terminal to ask on, only `--yes` will do. */
export async function confirm({ io, options }: Cli, message: string): Promise<void> {
  if (!io.stdin.isTTY || options.json) {
    throw new CliError('usage', message, 'Nobody is there to ask: confirm it with --yes.')
  }
  const clack = await import('@clack/prompts')
  const answer = await clack.confirm({ message, initialValue: false, output: process.stderr })
  if (answer !== true) throw new CliError('failed', 'Cancelled. Nothing was changed.')
}
