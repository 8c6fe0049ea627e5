/**
 * `npm run crash -- --cycles 100 --engine sqlite`: kills the server with SIGKILL under mixed load, restarts it, and holds
 * it to what the applications' journal says. Exits with 1 on a violation; with `--sabotage`, which runs a build that
 * acknowledges before it commits, a violation is what has to be found.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { median } from '../../bench/measure.ts'
import { runCrashCycles } from './crash_cycles.ts'
import { SABOTAGED_SERVER } from './sabotage.ts'
import { openEngine, withTeardown } from './script.ts'

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '100' },
    engine: { type: 'string', default: 'sqlite' },
    sabotage: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(randomInt(0x7fff_ffff)) },
  },
})
if (values.sabotage && values.engine !== 'sqlite') throw new Error('--sabotage breaks the SQLite driver only')

await withTeardown(async (t) => {
  console.log(`${values.engine}${values.sabotage ? ', sabotaged' : ''}, --seed ${values.seed}`)
  const report = await runCrashCycles(t, {
    cycles: Number(values.cycles),
    seed: Number(values.seed),
    database: await openEngine(t, values.engine),
    program: values.sabotage ? SABOTAGED_SERVER : undefined,
    onCycle(cycle, { counts, violations }) {
      if (cycle % 10 === 0)
        console.log(`${cycle} cycles, ${counts.acknowledged} answers, ${violations.length} violations`)
      return values.sabotage && violations.length > 0
    },
  })
  const { violations, restarts } = report
  console.log(`cycles                ${report.cycles}`)
  console.log(`requests              ${report.sent}`)
  console.log(`acknowledged          ${report.acknowledged}`)
  console.log(`answered with 503     ${report.unavailable}`)
  console.log(`sessions ended        ${report.ended}`)
  console.log(`accounts created      ${report.accounts}`)
  console.log(`restart to ready, ms  p50 ${median(restarts).toFixed(0)}, max ${Math.max(...restarts).toFixed(0)}`)
  console.log(`violations            ${violations.length}`)
  for (const violation of violations.slice(0, 20)) console.log(`  ${violation}`)
  if (violations.length > 0) process.exitCode = 1
})
