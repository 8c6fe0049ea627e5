import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { openStore } from '../../server/storage/open.ts'
import { testDatabase } from '../helpers/postgres.ts'
import { prepareSingleUses } from '../helpers/single_uses.ts'
import { NOW, sampleGrant } from './samples.ts'

const PROGRAM = join(import.meta.dirname, '../helpers/racing_process.ts')
const ROTATIONS = 200

interface Report {
  readonly won: readonly number[]
  readonly attempts: { readonly allowed: number; readonly refused: number }
  readonly revocation_outcome: string
  readonly account_outcome: string
  readonly single_uses: Readonly<Record<string, number>>
}

for (const engine of ['sqlite', 'postgres'] as const) {
  t.test(`two processes on one database: ${engine}`, async (t) => {
    const database = engine === 'sqlite' ? `sqlite:${join(t.testdir(), 'shared.db')}` : await testDatabase(t)
    const { grant_id } = sampleGrant()
    // All three open the empty database at once: the migrations race as well.
    const nodes = [startNode(t, database, grant_id), startNode(t, database, grant_id)]
    const store = await openStore({ database }, { now: () => NOW })
    t.teardown(() => store.close())
    await store.createGrant(sampleGrant({ grant_id }), [], [])
    await prepareSingleUses(store, grant_id)
    const started = await Promise.all(nodes)
    const reports = await Promise.all(started.map((go) => go()))

    const won = reports.flatMap((report) => report.won).toSorted((a, b) => a - b)
    t.same(
      won,
      Array.from({ length: ROTATIONS }, (_, generation) => generation),
      'each generation was left once',
    )
    t.equal((await store.findGrant(grant_id))?.grant.generation, ROTATIONS)
    t.same(reports.map((report) => report.revocation_outcome).toSorted(), ['already_revoked', 'revoked'])
    t.same(reports.map((report) => report.account_outcome).toSorted(), ['created', 'identifier_taken'])
    t.equal(reports[0] && reports[1] && reports[0].attempts.allowed + reports[1].attempts.allowed, 5)
    const [first, second] = reports.map((report) => report.single_uses)
    for (const [use, wins] of Object.entries(first ?? {})) t.equal(wins + (second?.[use] ?? 0), 1, `${use} once`)
    t.equal(Object.keys(first ?? {}).length, 7)
  })
}

/** @returns once it is ready, what makes it go and gives its report. */
async function startNode(t: Test, database: string, grant_id: string): Promise<() => Promise<Report>> {
  const child = spawn(process.execPath, [PROGRAM, database, grant_id, String(ROTATIONS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)
  await once(lines, 'line')
  return async () => {
    child.stdin.write('go\n')
    const [line] = await once(lines, 'line')
    return JSON.parse(String(line))
  }
}
