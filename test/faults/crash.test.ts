import t from 'tap'
import { runCrashCycles } from './crash_cycles.ts'
import { SABOTAGED_SERVER } from './sabotage.ts'

const CYCLES = 5

t.test('persist, then answer: kill -9 under load loses nothing that was acknowledged', async (t) => {
  const report = await runCrashCycles(t, { cycles: CYCLES, seed: 1 })
  t.comment(`${report.acknowledged} answers, ${report.ended} sessions ended, ${report.accounts} accounts`)
  t.same(report.violations, [])
  t.equal(report.restarts.length, CYCLES)
  t.ok(report.acknowledged > CYCLES, 'there was a load')
  t.ok(report.acknowledged < report.sent, 'and requests that nobody answered')
})

t.test('the same run finds out a server that acknowledges before it commits', async (t) => {
  const report = await runCrashCycles(t, {
    // It is found out as a rule in the first or the second.
    cycles: 2 * CYCLES,
    seed: 1,
    program: SABOTAGED_SERVER,
    onCycle: (_, { violations }) => violations.length > 0,
  })
  t.ok(report.violations.length > 0)
})
