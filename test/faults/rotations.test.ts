import t from 'tap'
import { runRotations } from './rotation_run.ts'

const ROTATIONS = 4
const FIVE_DAYS = 5 * 86_400

t.test(
  'OIDC Core §10.1.1: rotations under load fail no verifier, whether it keeps the keys for 0 s or for days',
  async (t) => {
    const report = await runRotations(t, { rotations: ROTATIONS, seed: 1 })
    t.comment(`${report.verifications} verifications, ${report.fetches} fetches, ${report.days.toFixed(0)} days`)
    t.same(report.failures, [])
    t.ok(report.rotations >= ROTATIONS)
    for (const [seconds, verified] of report.by_cache) t.ok(verified > 100, `cache of ${seconds} s`)
    t.ok(report.waited > 0, 'a resource server that keeps them for longer than they are published ahead was waited for')
  },
)

t.test('the same run finds out a server that waits for nobody', async (t) => {
  const report = await runRotations(t, { rotations: ROTATIONS, seed: 1, wait_for_fetchers_seconds: 0 })
  t.ok((report.failed_by_cache.get(FIVE_DAYS) ?? 0) > 0)
  t.equal(report.failures.length, report.failed_by_cache.get(FIVE_DAYS), 'of that one, and of no other')
})
