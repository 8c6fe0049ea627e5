/** A client in another language: a program that leaves the browser to its test. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const MAX_SECONDS = 60

/**
 * Runs a program that prints the address of an authorization request, reads where that has led to, and prints what came
 * of it as JSON.
 *
 * @param program.settings what it finds as JSON in the variable `SETTINGS`
 * @param visit does what the address asks of a person. @returns where the browser was sent
 * @throws with what it wrote to stderr, when it fails or takes more than a minute
 */
export async function runClient(
  program: { readonly command: string; readonly args: readonly string[]; readonly settings: object },
  visit: (url: string) => Promise<string>,
): Promise<unknown> {
  const { command, args, settings } = program
  const child = spawn(command, args, {
    env: { ...process.env, SETTINGS: JSON.stringify(settings), PYTHONDONTWRITEBYTECODE: '1' },
    signal: AbortSignal.timeout(MAX_SECONDS * 1_000),
  })
  const closed = once(child, 'close')
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  // One that has failed reads nothing any more.
  child.stdin.on('error', () => undefined)
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (lines.length === 1) child.stdin.end(`${await visit(line)}\n`)
  }
  const [code] = await closed
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${errors}`)
  return JSON.parse(lines.at(-1) ?? '')
}
