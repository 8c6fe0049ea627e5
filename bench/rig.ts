import { freePort, type ServerProcess, startServer, temporaryDirectory } from '../test/helpers/process.ts'
import type { LimitRequest, LimitResult } from './limits.ts'
import type { Load, LoadResult } from './load.ts'
import { cpuSeconds, median } from './measure.ts'
import { type Seeded, seed } from './seed.ts'
import type { Worker } from './worker.ts'

export interface Workers {
  readonly limits: Worker<LimitRequest, LimitResult>
  readonly load: Worker<Load, LoadResult>
  teardown(handler: () => unknown): void
}

/** A server process with data in it, and the processes that measure it. */
export interface Rig extends Workers {
  readonly server: ServerProcess
  readonly port: number
  readonly data_dir: string
  readonly seeded: Seeded
  /** The current token of each grant. */
  tokens: readonly string[]
}

/** One measurement, or the median of several. */
export interface Measured {
  readonly per_second: number
  /** Milliseconds of CPU for each, all threads. */
  readonly cpu: number
  readonly p50: number
  readonly p99: number
}

export const REFRESH_CONNECTIONS = 64

const ACCOUNTS = 64

/** @param env of the server; its thread pool's size is that of the limits */
export async function startRig(workers: Workers, env: Readonly<Record<string, string>>): Promise<Rig> {
  const port = await freePort()
  const data_dir = temporaryDirectory(workers)
  const given = {
    ...env,
    GATEHOUSE_PORT: String(port),
    GATEHOUSE_ISSUER: `http://localhost:${port}`,
    GATEHOUSE_DATA_DIR: data_dir,
  }
  const seeded = await seed(given, { accounts: ACCOUNTS, grants: REFRESH_CONNECTIONS })
  return { ...workers, seeded, tokens: seeded.tokens, server: await startServer(workers, given), port, data_dir }
}

/**
 * Puts a load on a process and reads what it cost there.
 *
 * @param pid of the process, the server when it is left out
 * @param expected the status of every answer
 * @throws when an answer has another
 */
export async function measureLoad(
  rig: Rig,
  load: Omit<Load, 'port'>,
  other?: { pid: number; port: number },
  expected = 200,
): Promise<Measured & { readonly tokens: readonly string[] }> {
  const { pid, port } = other ?? { pid: rig.server.child.pid ?? 0, port: rig.port }
  const before = cpuSeconds(pid)
  const { answers, seconds, tokens } = await rig.load.ask({ ...load, port })
  const cpu = cpuSeconds(pid) - before
  const ok = answers[String(expected)]
  if (ok === undefined || Object.keys(answers).length > 1) {
    throw new Error(`${load.requests.kind} was answered with more than ${expected}: ${JSON.stringify(answers)}`)
  }
  if (load.requests.kind === 'refresh' && other === undefined)
    rig.tokens = [...tokens, ...rig.tokens.slice(tokens.length)]
  return { per_second: ok.count / seconds, cpu: (cpu * 1000) / ok.count, p50: ok.p50, p99: ok.p99, tokens }
}

export async function measureLimit({ limits }: Workers, request: LimitRequest): Promise<Measured> {
  const before = cpuSeconds(limits.pid)
  const { count, per_second } = await limits.ask(request)
  const cpu = cpuSeconds(limits.pid) - before
  return { per_second, cpu: (cpu * 1000) / count, p50: Number.NaN, p99: Number.NaN }
}

export function medianOf(rounds: readonly Measured[]): Measured {
  const of = (member: keyof Measured) => median(rounds.map((round) => round[member]))
  return { per_second: of('per_second'), cpu: of('cpu'), p50: of('p50'), p99: of('p99') }
}

export interface Round {
  readonly limit: Measured
  readonly subject: Measured
}

/** The limit and the subject by turns, after a warm-up of both, so that what else the machine does meets both. */
export async function inTurns(
  rounds: number,
  limit: (seconds: number) => Promise<Measured>,
  subject: (seconds: number) => Promise<Measured>,
): Promise<Round[]> {
  await limit(WARM_UP_SECONDS)
  await subject(WARM_UP_SECONDS)
  const done: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    done.push({ limit: await limit(ROUND_SECONDS), subject: await subject(ROUND_SECONDS) })
  }
  return done
}

const WARM_UP_SECONDS = 2
const ROUND_SECONDS = 3
