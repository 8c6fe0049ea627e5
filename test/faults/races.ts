/**
 * `npm run races -- --races 10000 --engine sqlite`: revocations against refreshes over two server processes.
 * Exits with 1 when anything of a grant lived after its revocation was acknowledged.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { seededChance } from '../helpers/random.ts'
import { startTwoNodes } from '../helpers/two_nodes.ts'
import { KINDS, raceRevocations } from './revocation_races.ts'
import { openEngine, withTeardown } from './script.ts'

const { values } = parseArgs({
  options: {
    races: { type: 'string', default: '10000' },
    engine: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: String(randomInt(0x7fff_ffff)) },
  },
})
const races = Number(values.races)

await withTeardown(async (t) => {
  const database = await openEngine(t, values.engine)
  const two_nodes = await startTwoNodes(t, database)
  console.log(`${races} races, ${KINDS} ways to end a grant, ${values.engine}, --seed ${values.seed}`)
  const started = performance.now()
  const report = await raceRevocations(two_nodes, seededChance(Number(values.seed)), { races }).catch(async (error) => {
    // Why a server ended is known a moment after its connections broke.
    await sleep(500)
    console.log(two_nodes.output())
    throw error
  })
  const seconds = (performance.now() - started) / 1000
  console.log(`pairs of tokens handed out before the revocation  ${report.handed_out}`)
  console.log(`  of them answered after its acknowledgement      ${report.crossed}`)
  console.log(`races that the revocation won outright            ${report.revoked_first}`)
  console.log(`seconds                                           ${seconds.toFixed(0)}`)
  console.log(`violations                                        ${report.violations.length}`)
  for (const violation of report.violations.slice(0, 20)) console.log(`  ${violation}`)
  if (report.violations.length > 0) process.exitCode = 1
})
