/**
 * `npm run races -- --races 10000 --engine sqlite`: revocations against refreshes over two server processes.
 * Exits with 1 when anything of a grant lived after its revocation was acknowledged.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { openDatabase } from '../../bench/postgres.ts'
import { seededChance } from '../helpers/random.ts'
import { startTwoNodes } from '../helpers/two_nodes.ts'
import { KINDS, raceRevocations } from './revocation_races.ts'
import { withTeardown } from './teardown.ts'

const { values } = parseArgs({
  options: {
    races: { type: 'string', default: '10000' },
    engine: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: String(randomInt(0x7fff_ffff)) },
  },
})
const races = Number(values.races)

await withTeardown(async (t) => {
  const database = values.engine === 'postgres' ? await openDatabase((handler) => t.teardown(handler)) : undefined
  const two_nodes = await startTwoNodes(t, database)
  console.log(`${races} races, ${KINDS} ways to end a grant, ${values.engine}, --seed ${values.seed}`)
  const started = performance.now()
  const report = await raceRevocations(two_nodes, seededChance(Number(values.seed)), { races })
  const seconds = (performance.now() - started) / 1000
  console.log(`pairs of tokens handed out before the revocation  ${report.handed_out}`)
  console.log(`  of them answered after its acknowledgement      ${report.crossed}`)
  console.log(`races that the revocation won outright            ${report.revoked_first}`)
  console.log(`seconds                                           ${seconds.toFixed(0)}`)
  console.log(`violations                                        ${report.violations.length}`)
  for (const violation of report.violations.slice(0, 20)) console.log(`  ${violation}`)
  if (report.violations.length > 0) process.exitCode = 1
})
