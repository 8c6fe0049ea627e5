import { randomBytes, randomFillSync } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import closeWithGrace from 'close-with-grace'
import type { Config } from '../config/schema.ts'
import { createFetchLedger } from '../keys/fetch_ledger.ts'
import { openSigningKeys } from '../keys/signing_keys.ts'
import { openVault } from '../keys/vault.ts'
import { createPasswordHasher } from './accounts/password.ts'
import { createSetupLink } from './accounts/setup_link.ts'
import { buildApp } from './app.ts'
import { ensureForwardAuthClient } from './clients/forward_auth_client.ts'
import { createMetadataDocuments } from './clients/metadata_documents.ts'
import { ensureDemoClient } from './demo/client.ts'
import type { Deps, Random } from './deps.ts'
import { startJobs } from './jobs.ts'
import { createLog, type Log } from './observe/log.ts'
import { createOutbound, type Outbound } from './outbound/outbound.ts'
import { createRemoteKeys } from './outbound/remote_keys.ts'
import { MAX_ACCESS_TOKEN_SECONDS } from './protocol/resource.ts'
import type { Clock } from './protocol/time.ts'
import { openStore } from './storage/open.ts'
import { ensureLoginClient } from './token_api/client.ts'
import { readLegacySecret } from './tokens/legacy_token.ts'
import { createRevocations } from './tokens/revocations.ts'
import { createStatusLists } from './tokens/status_lists.ts'

const GRACE_MILLISECONDS = 9000
const DIRECTORY_MODE = 0o700
const RANDOM_SUPPLY_BYTES = 4096
const MOST_FROM_SUPPLY_BYTES = 32

/** The one clock and the one source of randomness. */
export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) }
export const systemRandom: Random = createRandom()

/** Fetches randomness in bulk: asking for a few bytes costs nearly as much as asking for many. */
function createRandom(): Random {
  const supply = new Uint8Array(RANDOM_SUPPLY_BYTES)
  let used = supply.length
  return {
    bytes(length) {
      if (length > MOST_FROM_SUPPLY_BYTES) return randomBytes(length)
      if (used + length > supply.length) {
        randomFillSync(supply)
        used = 0
      }
      const bytes = supply.slice(used, used + length)
      // What has been handed out is kept nowhere else.
      supply.fill(0, used, used + length)
      used += length
      return bytes
    },
  }
}

export interface OpenOptions {
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
  readonly outbound?: Outbound
}

/** Opens everything that the server works with; what a first start lacks is made. Whoever opens closes the store. */
export async function openDeps(config: Config, options: OpenOptions = {}): Promise<Deps> {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const log = options.log ?? createLog(config.log)
  await mkdir(config.data_dir, { recursive: true, mode: DIRECTORY_MODE })
  // Hashing a decoy and opening the database want different parts of the machine.
  const [store, passwords] = await Promise.all([
    openStore({ database: config.database, max_connections: config.storage.postgres_pool }, clock),
    createPasswordHasher({
      memory_kib: config.passwords.memory_kib,
      time_cost: config.passwords.time_cost,
      parallelism: config.passwords.parallelism,
      concurrency: config.passwords.hash_concurrency,
      queue_length: config.passwords.hash_queue,
      random,
    }),
  ])
  try {
    const { key_encryption_key_file, poll_seconds: _, ...schedule } = config.keys
    const vault = await openVault({ key_encryption_key_file, store, random, clock })
    const policy = { ...schedule, longest_token_seconds: MAX_ACCESS_TOKEN_SECONDS }
    const keys = await openSigningKeys({ store, vault, clock, random, policy })
    const fetchLedger = createFetchLedger({
      store,
      clock,
      default_resource: config.tokens.default_resource ?? config.issuer,
    })
    const outbound = options.outbound ?? createOutbound(config.outbound)
    const legacySecret = readLegacySecret(config.token_api)
    const remoteKeys = createRemoteKeys({ outbound, clock })
    const metadataDocuments = createMetadataDocuments({ config, store, keys, outbound, clock, random })
    const revocations = createRevocations({ store, clock })
    const statusLists = createStatusLists({ config, store, keys, clock }, revocations)
    const deps = {
      config,
      store,
      keys,
      fetchLedger,
      vault,
      revocations,
      statusLists,
      passwords,
      outbound,
      remoteKeys,
      metadataDocuments,
      legacySecret,
      clock,
      random,
      log,
    }
    await ensureLoginClient(deps)
    return deps
  } catch (error) {
    await store.close()
    throw error
  }
}

export interface Served {
  /** The set-up link for the first administrator, if there is none yet. */
  readonly setup_url: string | undefined
  readonly deps: Deps
  close(): Promise<void>
}

/**
 * Starts the server and keeps it running until a signal ends it: then it is no longer ready, finishes what it has
 * begun, and leaves the database at rest.
 */
export async function serve(config: Config): Promise<Served> {
  const deps = await openDeps(config)
  const { log } = deps
  await ensureDemoClient(deps)
  await ensureForwardAuthClient(deps)
  let draining = false
  const app = await buildApp(deps, () => draining)
  await app.listen({ host: config.host, port: config.port })
  const stopJobs = startJobs(deps)
  const link = await createSetupLink(deps)
  const close = async () => {
    draining = true
    await app.close()
    await stopJobs()
    await deps.store.close()
  }
  closeWithGrace({ delay: GRACE_MILLISECONDS, logger: false }, async ({ err, signal }) => {
    if (err === undefined) log.info({ signal }, 'stopping')
    else log.fatal({ err }, 'stopping on an error that nothing handled')
    await close()
  })
  log.info({ issuer: config.issuer, host: config.host, port: config.port }, 'ready')
  return { setup_url: link === 'administrator_exists' ? undefined : link.setup_url, deps, close }
}
