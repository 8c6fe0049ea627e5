/** Documents whose code blocks are run: a place for them, with ports of its own, and what becomes of each kind of block. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startProgram } from './child_process.ts'
import { type Block, jsonShape, missingFrom } from './markdown.ts'
import { freePort, temporaryDirectory } from './process.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const READY_SECONDS = 60

/** Variables and functions of one block are there for the next. */
const SHELL = `set -eo pipefail
if [ -f "$STATE" ]; then . "$STATE"; fi
keep() { declare -f; for name in $(compgen -v | grep -E '^[a-z]+$'); do declare -p "$name"; done; }
trap 'keep >"$STATE"' EXIT
`

export interface Place {
  /** Where files of the document are written. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly issuer: string
  /** A block with the ports of this run in it. */
  adapted(text: string): string
}

export async function preparePlace(t: Test): Promise<Place> {
  const folder = temporaryDirectory(t)
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const documented = [3000, 4000, 4001, 4002, 4003]
  const ports = new Map<string, string>(
    await Promise.all(documented.map(async (port) => [`${port}`, `${await freePort()}`] as [string, string])),
  )
  const port = ports.get('3000') ?? ''
  return {
    folder,
    issuer: `http://localhost:${port}`,
    env: { GATEHOUSE_PORT: port, GATEHOUSE_DATA_DIR: join(folder, 'data'), STATE: join(folder, 'state') },
    adapted: (text) => text.replace(/\b(3000|400\d)\b/g, (documented) => ports.get(documented) ?? documented),
  }
}

export async function runShell(
  place: Place,
  text: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn('bash', ['-c', SHELL + place.adapted(text)], {
    cwd: ROOT,
    env: { ...cleanEnvironment(), ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      written[stream] += text
    })
  }
  await once(child, 'close')
  return { code: child.exitCode, ...written }
}

/** The shell that runs the tests may have settings of its own. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_')))
}

/** Starts a block that stays; it ends with the test. @returns what it has written so far */
export async function start(t: Test, place: Place, text: string, ready: RegExp): Promise<string> {
  const program = await startProgram({
    command: 'bash',
    args: ['-c', place.adapted(text)],
    cwd: ROOT,
    env: { ...place.env },
    ready,
    timeout_seconds: READY_SECONDS,
  })
  t.teardown(() => program.stop())
  return program.output()
}

/** What a block has written has the shape that the next block shows. */
export function assertOutput(t: Test, output: string, documented: Block): void {
  if (documented.language === 'json') {
    t.strictSame(jsonShape(JSON.parse(output)), jsonShape(JSON.parse(documented.text)), `line ${documented.line}`)
  } else {
    const missing = missingFrom(output, documented.text)
    t.equal(missing, undefined, `line ${documented.line}: the output has the shape that is shown`, { output })
  }
}

/** @returns why there is no curl that can send JSON; false when there is one */
export function canJson(): string | false {
  try {
    const [, major = 0, minor = 0] = /^curl (\d+)\.(\d+)/.exec(execFileSync('curl', ['--version']).toString()) ?? []
    return Number(major) * 1000 + Number(minor) >= 7082 ? false : 'this curl is older than 7.82 and has no --json'
  } catch {
    return 'there is no curl'
  }
}
