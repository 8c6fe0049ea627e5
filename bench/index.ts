/**
 * `npm run bench [-- --postgres]`: what the server does beside what the machine could do at most, both measured in the
 * same run, by turns, with the same thread pool. What it means is in `docs/benchmarks.md`.
 */
import { availableParallelism, cpus } from 'node:os'
import { environment } from '../config/load.ts'
import { benchFlood } from './flood.ts'
import type { LimitRequest, LimitResult } from './limits.ts'
import { benchCodeFlow, benchJwks, benchLogin, benchNeighbour, benchRefresh, benchResources } from './lines.ts'
import type { Load, LoadResult } from './load.ts'
import { POOL_SIZE } from './measure.ts'
import { startNeighbour } from './neighbour.ts'
import type { ProviderRequest, ProviderResult } from './oidc_provider.ts'
import { openDatabase } from './postgres.ts'
import { benchRevocations } from './revocations.ts'
import { REFRESH_CONNECTIONS, startRig } from './rig.ts'
import { type Line, table } from './table.ts'
import { benchVerifier } from './verifier.ts'
import { startWorker } from './worker.ts'

// The throttle counts attempts in flight, too, and here all of them come from one address.
const THROTTLE_OPENED = {
  GATEHOUSE_THROTTLE__ACCOUNT_ATTEMPTS_PER_MINUTE: '1000',
  GATEHOUSE_THROTTLE__ADDRESS_ATTEMPTS_PER_MINUTE: '100000',
}

const cleanups: (() => unknown)[] = []

async function main(): Promise<void> {
  const cores = `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'})`
  console.log(`${cores}, Node ${process.version}, ${POOL_SIZE} threads in each process's pool`)
  console.log(`The throttle is opened for it: ${settings(THROTTLE_OPENED)}\n`)
  const env = { ...environment(), UV_THREADPOOL_SIZE: String(POOL_SIZE) }
  const limits = startWorker<LimitRequest, LimitResult>('limits.ts', env)
  const load = startWorker<Load, LoadResult>('load.ts', env)
  const teardown = (handler: () => unknown) => cleanups.push(handler)
  teardown(() => limits.stop())
  teardown(() => load.stop())
  const common = { UV_THREADPOOL_SIZE: String(POOL_SIZE), ...THROTTLE_OPENED }

  const lines: Line[] = []
  const rig = await startRig({ limits, load, teardown }, common)
  lines.push(...(await benchRefresh(rig, 'SQLite')))
  lines.push(...(await benchCodeFlow(rig)))
  const provider = startWorker<ProviderRequest, ProviderResult>('oidc_provider.ts', { ...env, NODE_ENV: 'production' })
  teardown(() => provider.stop())
  lines.push(...(await benchNeighbour(rig, await startNeighbour(provider, REFRESH_CONNECTIONS))))
  await provider.stop()
  lines.push(...(await benchResources(rig)))
  lines.push(await benchLogin(rig))
  lines.push(await benchJwks(rig))
  lines.push(await benchVerifier())
  lines.push(await benchRevocations(rig))
  const flood = await benchFlood(rig)
  await rig.server.stop()

  if (process.argv.includes('--postgres')) {
    const database = await openDatabase(teardown)
    const postgres = await startRig({ limits, load, teardown }, { ...common, GATEHOUSE_DATABASE: database })
    lines.push(...(await benchRefresh(postgres, 'PostgreSQL')))
    await postgres.server.stop()
  }
  console.log(table([...lines, ...flood.lines]))
  console.log(`\n${flood.answers}`)
}

function settings(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

try {
  await main()
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup()
}
