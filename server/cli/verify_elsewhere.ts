import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import { CliError } from './exit.ts'
import type { Io } from './io.ts'

/** Written in TypeScript in a clone, built in a package: as this module is. */
const VERIFIER = join(import.meta.dirname, `quickstart_verifier${extname(import.meta.filename)}`)

/**
 * Has tokens verified by a process that shares nothing with this one: it is told the issuer and the audience.
 *
 * @returns for each token `accepted`, or `refused` and why
 */
export async function verifyElsewhere(
  issuer: string,
  audience: string,
  tokens: readonly string[],
  { stderr }: Pick<Io, 'stderr'>,
): Promise<string[]> {
  const verifier = spawn(process.execPath, [VERIFIER, issuer, audience], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  verifier.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  let complaints = ''
  verifier.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  verifier.stdin.end(tokens.join('\n'))
  await once(verifier, 'close')
  if (verifier.exitCode === 0) return said.trimEnd().split('\n')
  stderr.write(complaints)
  throw new CliError('failed', 'The verifying process could not do its work.')
}
