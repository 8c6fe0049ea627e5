/** Load, SIGKILL, restart, check: again and again on one database. */
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startServer, temporaryDirectory } from '../helpers/process.ts'
import { type Chance, seededChance } from '../helpers/random.ts'
import { openSeeder } from '../helpers/seed.ts'
import { serverClient } from '../helpers/server_client.ts'
import { checkJournal } from './checks.ts'
import { emptyJournal, type Journal } from './journal.ts'
import { runLoad, signInAgain, usernameOf, type World } from './load.ts'
import { type Teardown, withTeardown } from './script.ts'

export interface CrashOptions {
  readonly cycles: number
  /** A PostgreSQL URL; left out: an SQLite file of the run's own. */
  readonly database?: string | undefined
  readonly seed: number
  /** Command line of another server than the real one. */
  readonly program?: readonly string[] | undefined
  /** Told of each cycle; true: no more of them. */
  readonly onCycle?: (cycle: number, journal: Journal) => boolean
}

export interface CrashReport {
  readonly cycles: number
  readonly sent: number
  readonly acknowledged: number
  /** 503s; nobody promises anything of those. */
  readonly unavailable: number
  /** Sessions whose end was acknowledged; each is tried again at the very end. */
  readonly ended: number
  readonly accounts: number
  readonly violations: readonly string[]
  /** Milliseconds from the start of the process to the first `/readyz` that says yes, of each restart. */
  readonly restarts: readonly number[]
}

const APPLICATIONS = 12
const PASSWORD = 'a passphrase of some length'
const SHORTEST_LOAD_MS = 20
const LONGEST_LOAD_MS = 400

export async function runCrashCycles(t: Teardown, options: CrashOptions): Promise<CrashReport> {
  const { env, world } = await prepare(t, options)
  const { journal, chance } = world
  const restarts: number[] = []
  const start = (s: Teardown) => startServer(s, env, options.program)
  const everything = { ended: 0, newcomers: 0, revoked_access: 0, own_tokens: 0 }

  let server = await start(t)
  let cycles = 0
  while (cycles < options.cycles) {
    cycles += 1
    const since = {
      ended: journal.ended.length,
      newcomers: journal.newcomers.length,
      revoked_access: journal.revoked_access.length,
      own_tokens: journal.own_tokens.length,
    }
    const load = runLoad(world)
    await sleep(momentOfDeath(chance))
    await server.kill()
    await load
    const died = performance.now()
    server = await start(t)
    restarts.push(performance.now() - died)
    await checkJournal(world, since)
    await signInAgain(world)
    if (options.onCycle?.(cycles, journal)) break
  }
  await checkJournal(world, everything)
  await server.kill()
  const { newcomers: accounts, ...counts } = journal.counts
  const { ended, violations } = journal
  return { cycles, ...counts, ended: ended.length, accounts, violations, restarts }
}

function momentOfDeath(chance: Chance): number {
  return SHORTEST_LOAD_MS + chance.next() * (LONGEST_LOAD_MS - SHORTEST_LOAD_MS)
}

async function prepare(t: Teardown, { database, seed }: CrashOptions) {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const env = {
    GATEHOUSE_DATA_DIR: temporaryDirectory(t),
    GATEHOUSE_PORT: String(port),
    GATEHOUSE_ISSUER: issuer,
    GATEHOUSE_LOG__LEVEL: 'error',
    // A server that dies gives no attempts back, and a busy machine is no fault.
    GATEHOUSE_THROTTLE__ACCOUNT_ATTEMPTS_PER_MINUTE: '1000',
    GATEHOUSE_THROTTLE__ADDRESS_ATTEMPTS_PER_MINUTE: '100000',
    GATEHOUSE_THROTTLE__MAX_CONSECUTIVE_FAILURES: '10000',
    GATEHOUSE_HTTP__MAX_EVENT_LOOP_DELAY_MILLISECONDS: '0',
    ...(database === undefined ? {} : { GATEHOUSE_DATABASE: database }),
  }
  const journal = emptyJournal(APPLICATIONS)
  const { operator, password_hash } = await withTeardown(async (seeding) => {
    const seeder = await openSeeder(seeding, env)
    const password_hash = await seeder.deps.passwords.hash(PASSWORD)
    for (const application of journal.live.keys()) {
      const { account_id } = await seeder.account({ username: usernameOf(application), password_hash })
      const { grant, token } = await seeder.grant({ account_id })
      // The first load is not to be all sign-ins.
      journal.live[application] = {
        refresh: [token()],
        access: undefined,
        grant_id: grant.grant_id,
        pending: undefined,
      }
    }
    return { operator: await seeder.operator(), password_hash }
  })
  const world: World = {
    client: serverClient(`http://127.0.0.1:${port}`, issuer, operator),
    journal,
    chance: seededChance(seed),
    password: PASSWORD,
    password_hash,
  }
  return { env, world }
}
