/** Programs that a test runs beside itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface RunningProgram {
  /** What the program said that `ready` waited for. */
  readonly match: RegExpExecArray
  /** Everything that it has written so far, both streams. */
  output(): string
  /** Ends it and what it started, and waits for it. */
  stop(): Promise<void>
}

/**
 * Starts a program and waits until it says that it is ready.
 *
 * @param program.ready matches what it then has written; what it captures is in `match`
 * @throws with the program's output, when it ends or stays silent for `timeout_seconds` instead
 */
export async function startProgram(program: {
  command: string
  args: readonly string[]
  cwd?: string
  env?: Record<string, string>
  ready: RegExp
  timeout_seconds?: number
}): Promise<RunningProgram> {
  const { command, args, cwd, env, ready, timeout_seconds = 15 } = program
  // A process group of its own, so that its workers end with it.
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit').catch(() => undefined)
  let output = ''

  async function stop(): Promise<void> {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const { pid } = child
    process.kill(-pid, 'SIGTERM')
    const late = setTimeout(() => process.kill(-pid, 'SIGKILL'), 5_000)
    await exited
    clearTimeout(late)
  }

  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
  const fail = (why: string) => reject(new Error(`${command} ${why}:\n${output}`))
  const silent = setTimeout(() => fail(`was not ready in ${timeout_seconds} s`), timeout_seconds * 1_000)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const match = ready.exec(output)
      if (match !== null) resolve(match)
    })
  }
  child.once('error', (error) => fail(`could not be started (${error.message})`))
  child.once('exit', (code, signal) => fail(`ended (${code ?? signal})`))

  try {
    return { match: await promise, output: () => output, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    clearTimeout(silent)
  }
}
