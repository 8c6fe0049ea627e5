import type { Deps } from './deps.ts'
import { sealAudit } from './observe/audit_chain.ts'
import { sqlitePath } from './storage/open.ts'
import { runBackupSchedule } from './storage/scheduled_backups.ts'
import { createLogoutDeliveries } from './tokens/logout_deliveries.ts'
import { createSignals } from './tokens/signals.ts'

const SECOND = 1000
const KEY_SCHEDULE_SECONDS = 60
const LEDGER_SECONDS = 5
const SEAL_SECONDS = 5
const LOGOUT_SECONDS = 1
const SIGNAL_SECONDS = 1
const REAP_SECONDS = 600
const BACKUP_SCHEDULE_SECONDS = 5

interface Job {
  readonly name: string
  readonly every_seconds: number
  run(): Promise<unknown>
  /** What it leaves under way after a run, brought to its end. */
  finish?(): Promise<void>
}

/**
 * What the server does without being asked. Every node runs every job; each is safe to run anywhere at any time, since
 * what it changes it claims by a conditional statement.
 */
function jobs(deps: Deps): Job[] {
  const { config, keys, store, clock } = deps
  const logouts = createLogoutDeliveries(deps)
  const flush = () => deps.fetchLedger.flush()
  return [
    { name: 'read the keyring', every_seconds: config.keys.poll_seconds, run: () => keys.reload() },
    { name: 'rotate signing keys', every_seconds: KEY_SCHEDULE_SECONDS, run: () => rotateKeys(deps) },
    { name: 'write down who fetched the keys', every_seconds: LEDGER_SECONDS, run: flush, finish: flush },
    { name: 'seal the audit trail', every_seconds: SEAL_SECONDS, run: () => sealAudit(deps) },
    {
      name: 'look for revocations',
      every_seconds: config.status_lists.poll_milliseconds / SECOND,
      run: () => deps.revocations.poll(),
    },
    ...(config.shared_signals.enabled
      ? [{ name: 'tell receivers of security events', every_seconds: SIGNAL_SECONDS, ...createSignals(deps) }]
      : []),
    { name: 'tell clients of logouts', every_seconds: LOGOUT_SECONDS, ...logouts },
    {
      name: 'delete registered clients that nobody uses',
      every_seconds: REAP_SECONDS,
      run: () => {
        const { never_used_seconds, idle_seconds } = config.registration
        const now = clock.now()
        return store.reapClients(now - never_used_seconds, now - idle_seconds, config.storage.sweep_limit)
      },
    },
    ...backupJob(deps),
    {
      name: 'sweep what has expired',
      every_seconds: config.storage.sweep_interval_seconds,
      run: () => store.sweep(clock.now(), config.storage.sweep_limit),
    },
  ]
}

function backupJob({ config: { backup, database }, clock, log }: Deps): Job[] {
  const { directory, every_seconds, keep } = backup
  const path = sqlitePath(database)
  if (directory === null || path === undefined) return []
  return [
    {
      name: 'back the database up',
      every_seconds: BACKUP_SCHEDULE_SECONDS,
      async run() {
        const file = await runBackupSchedule(path, { directory, every_seconds, keep }, clock.now())
        if (file !== undefined) log.info({ file }, 'backed up')
      },
    },
  ]
}

async function rotateKeys({ keys, fetchLedger, log }: Deps): Promise<void> {
  // Who has fetched the next key in the last seconds is not waited for.
  await fetchLedger.flush()
  for (const { alg, kid, until, fetchers } of await keys.runSchedule()) {
    const resources = [...new Set(fetchers.map(({ resource }) => resource))]
    log.warn(
      { alg, kid, until, resources },
      'a key rotation waits for resource servers that have not fetched the next key',
    )
  }
}

/** Starts the jobs. @returns stops them, after the runs under way */
export function startJobs(deps: Deps): () => Promise<void> {
  const stops = jobs(deps).map((job) => repeat(job, deps.log))
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}

/** Runs a job again and again, never twice at once. A failure is logged, and the next turn tries again. */
function repeat(job: Job, log: Deps['log']): () => Promise<void> {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const turn = async () => {
    try {
      await job.run()
    } catch (err) {
      log.error({ err, job: job.name }, 'a background job failed; it will be tried again')
    }
    schedule()
  }
  const schedule = () => {
    if (stopped) return
    timer = setTimeout(() => {
      running = turn()
    }, job.every_seconds * SECOND)
    timer.unref()
  }
  schedule()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await Promise.all([running, job.finish?.()])
  }
}
