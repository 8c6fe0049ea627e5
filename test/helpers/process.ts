/** Whole server processes, as an operator starts them: `bin/gatehouse.cjs serve` on a free port with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'

export const LAUNCHER = join(import.meta.dirname, '../../bin/gatehouse.cjs')

const READY_SECONDS = 30
const STOP_SECONDS = 12

type Environment = Readonly<Record<string, string>>
type Test = { teardown(handler: () => Promise<void>): void }

export interface ServerProcess {
  readonly issuer: string
  /** What it was started with: the same again starts a second server, or a command, on the same data. */
  readonly env: Environment
  readonly child: ChildProcess
  /** Everything that it has written so far, both streams. */
  output(): string
  /** SIGTERM, then waits. @returns the exit code; null: it had to be killed */
  stop(): Promise<number | null>
  /** SIGKILL, then waits: as when the power fails. */
  kill(): Promise<void>
}

/**
 * Starts a server and waits until `/readyz` says yes. It ends with the test.
 *
 * @param env overrides, such as `GATEHOUSE_DATABASE`; the `env` of another server to start on its data
 * @param program what Node runs, where it is not the real server
 * @throws with the server's output, when it ends or is not ready in time
 */
export async function startServer(
  t: Test,
  env: Environment = {},
  program: readonly string[] = [LAUNCHER, 'serve'],
): Promise<ServerProcess> {
  const port = env.GATEHOUSE_PORT ?? String(await freePort())
  const given = {
    GATEHOUSE_PORT: port,
    GATEHOUSE_ISSUER: `http://localhost:${port}`,
    GATEHOUSE_DATA_DIR: env.GATEHOUSE_DATA_DIR ?? temporaryDirectory(t),
    ...env,
  }
  const issuer = given.GATEHOUSE_ISSUER
  const child = spawn(process.execPath, program, {
    cwd: given.GATEHOUSE_DATA_DIR,
    env: cleanEnvironment(given),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = () => child.exitCode !== null || child.signalCode !== null

  async function stop(): Promise<number | null> {
    if (ended()) return child.exitCode
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS * 1_000)
    await exited
    clearTimeout(late)
    return child.exitCode
  }

  async function kill(): Promise<void> {
    if (ended()) return
    child.kill('SIGKILL')
    await exited
  }

  t.teardown(kill)
  const deadline = performance.now() + READY_SECONDS * 1_000
  // The loopback address, whatever the issuer: a test of several nodes gives all of them one issuer.
  const scheme = 'GATEHOUSE_HTTP__TLS_CERTIFICATE_FILE' in given ? 'https' : 'http'
  while (!(await isReady(`${scheme}://127.0.0.1:${given.GATEHOUSE_PORT}/readyz`))) {
    if (ended()) throw new Error(`the server ended (${child.exitCode ?? child.signalCode}):\n${output}`)
    if (performance.now() > deadline) {
      await kill()
      throw new Error(`the server was not ready in ${READY_SECONDS} s:\n${output}`)
    }
    await sleep(25)
  }
  return { issuer, env: given, child, output: () => output, stop, kill }
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `gatehouse ARGS` as a process of its own, to its end. @param input its standard input */
export async function runGatehouse(args: readonly string[], env: Environment = {}, input = ''): Promise<CommandResult> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd: env.GATEHOUSE_DATA_DIR,
    env: cleanEnvironment(env),
  })
  const late = setTimeout(() => child.kill('SIGKILL'), READY_SECONDS * 1_000)
  const result = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      result[stream] += text
    })
  }
  // A command that reads nothing may be gone before its input is written.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  await once(child, 'close')
  clearTimeout(late)
  return { code: child.exitCode, ...result }
}

/** A directory that goes with the test. Unlike `t.testdir()` it is outside the clone, and private. */
export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  t.teardown(async () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** The test's environment without settings that the developer's shell may hold. */
function cleanEnvironment(env: Environment): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_'))
  return { ...Object.fromEntries(inherited), ...env }
}

/** Asks without a look at the certificate. */
const whoever = new Agent({ connect: { rejectUnauthorized: false } })

async function isReady(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { dispatcher: whoever, signal: AbortSignal.timeout(2_000) })
    await body.dump()
    return statusCode === 200
  } catch {
    return false
  }
}
