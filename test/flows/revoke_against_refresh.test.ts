import t from 'tap'
import { raceRevocations } from '../faults/revocation_races.ts'
import { databaseOf, ENGINES } from '../helpers/engines.ts'
import { seededChance } from '../helpers/random.ts'
import { startTwoNodes } from '../helpers/two_nodes.ts'

const RACES = 300

for (const engine of ENGINES) {
  t.test(`RFC 7009 §2: after a revocation is acknowledged, nothing of the grant lives: ${engine}`, async (t) => {
    const opened = await databaseOf(t, engine)
    if ('skip' in opened) return t.plan(0, opened.skip)
    const two_nodes = await startTwoNodes(t, opened.database)
    const report = await raceRevocations(two_nodes, seededChance(1), { races: RACES })
    const { handed_out, crossed, revoked_first } = report
    t.comment(`${handed_out} pairs handed out, ${crossed} of them late, ${revoked_first} races with none`)
    t.same(report.violations, [])
    t.ok(handed_out > RACES, 'they did refresh')
    t.ok(crossed > 0, 'and some were close')
  })
}
