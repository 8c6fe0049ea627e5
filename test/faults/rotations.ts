/**
 * `npm run rotations -- --rotations 100 --verifications 100000`: key rotations under load on a server whose clock is moved,
 * with verifiers that keep the key set for 0 s to 5 days. Exits with 1 when one of them refuses a good token; with
 * `--sabotage`, where rotations wait for nobody, that is what has to happen.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runRotations } from './rotation_run.ts'
import { withTeardown } from './script.ts'

const { values } = parseArgs({
  options: {
    rotations: { type: 'string', default: '100' },
    verifications: { type: 'string', default: '100000' },
    sabotage: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(randomInt(0x7fff_ffff)) },
  },
})

await withTeardown(async (t) => {
  console.log(`${values.rotations} rotations${values.sabotage ? ', sabotaged' : ''}, --seed ${values.seed}`)
  const started = performance.now()
  const report = await runRotations(t, {
    rotations: Number(values.rotations),
    verifications: Number(values.verifications),
    seed: Number(values.seed),
    ...(values.sabotage ? { wait_for_fetchers_seconds: 0 } : {}),
  })
  console.log(`rotations            ${report.rotations} in ${report.days.toFixed(0)} days of the clock`)
  console.log(`tokens issued        ${report.tokens}`)
  console.log(`fetches of the keys  ${report.fetches}`)
  console.log(`verifications        ${report.verifications}`)
  for (const [seconds, verified] of report.by_cache) {
    const failed = report.failed_by_cache.get(seconds) ?? 0
    console.log(`  cache of ${String(seconds).padEnd(7)} s  ${verified}, ${failed} failed`)
  }
  console.log(`steps that waited    ${report.waited}`)
  console.log(`seconds              ${((performance.now() - started) / 1000).toFixed(0)}`)
  console.log(`failures             ${report.failures.length}`)
  for (const failure of report.failures.slice(0, 10)) console.log(`  ${failure}`)
  if (report.failures.length > 0 !== values.sabotage) process.exitCode = 1
})
