import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Cli } from './cli.ts'
import { CliError, reasonOf } from './exit.ts'
import { readInput } from './secret_input.ts'

/**
 * The object in a file of JSON or YAML.
 *
 * @param file `-` for standard input
 * @param otherwise what is said of a file that holds something else, after its name
 */
export async function readDocument({ io }: Cli, file: string, otherwise: string): Promise<object> {
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
  throw new CliError('usage', `${name} ${otherwise}.`)
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CliError('usage', `${path} cannot be read (${reasonOf(error)}).`)
  }
}
