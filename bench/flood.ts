import type { LoadResult } from './load.ts'
import { measureLimit, measureLoad, type Rig } from './rig.ts'
import { type Line, milliseconds } from './table.ts'

const CONNECTIONS = 64
const SECONDS = 6
const TIMES_CAPACITY = 10
/** A little honest traffic, whose waiting is measured. */
const HONEST = { connections: 4, rate: 60, seconds: SECONDS - 1 }

/** What a flood of wrong passwords does to everybody else, and how it is answered itself. */
export async function benchFlood(rig: Rig): Promise<{ readonly lines: readonly Line[]; readonly answers: string }> {
  const { password_hash: hash, usernames } = rig.seeded
  const capacity = await measureLimit(rig, { kind: 'verify', hash, concurrency: 1, seconds: 2 })
  const rate = TIMES_CAPACITY * capacity.per_second
  const unloaded = await honestTraffic(rig)
  const flood = rig.load.ask({
    port: rig.port,
    requests: { kind: 'login', usernames, password: 'not the password of anybody' },
    connections: CONNECTIONS,
    seconds: SECONDS,
    rate,
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const flooded = await honestTraffic(rig)
  const line = (what: 'refresh' | 'JWKS'): Line => ({
    what: `${what}, in a flood of wrong sign-ins: p99`,
    reached: milliseconds(flooded[what].p99),
    limit: `${milliseconds(unloaded[what].p99)} (unloaded)`,
    ratio: flooded[what].p99 / unloaded[what].p99,
    goal: '',
    measured: flooded[what],
  })
  return { lines: [line('refresh'), line('JWKS')], answers: describe(rate, await flood) }
}

async function honestTraffic(rig: Rig) {
  const path = '/.well-known/jwks.json'
  const [refresh, JWKS] = await Promise.all([
    measureLoad(rig, { ...HONEST, requests: { kind: 'refresh', tokens: rig.tokens } }),
    measureLoad(rig, { ...HONEST, requests: { kind: 'get', path } }),
  ])
  return { refresh, JWKS }
}

function describe(rate: number, { answers, seconds }: LoadResult): string {
  const counts = Object.entries(answers).map(
    ([status, { count, p50, p99 }]) => `${status} × ${count} (p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)})`,
  )
  const asked = `${rate.toFixed(0)} wrong sign-ins a second for ${seconds.toFixed(0)} s, ${TIMES_CAPACITY} times what can be checked`
  return `The flood: ${asked}, were answered ${counts.join(', ')}.`
}
