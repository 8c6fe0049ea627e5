import { randomBytes } from 'node:crypto'

export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface Input extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean
}

/** What a command touches of the process that it runs in, so that a test can be that process. */
export interface Io {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  /** undefined: the process's own. Reading it takes the configuration's modules, which not every command needs. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined
  readonly cwd: string
  /** Milliseconds since the epoch. */
  now(): number
  randomBytes(length: number): Uint8Array
}

export function processIo(): Io {
  // Whoever reads us may have read enough: `gatehouse audit list | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: undefined,
    cwd: process.cwd(),
    now: Date.now,
    randomBytes,
  }
}
