/**
 * The server, with a clock that its parent process moves. What jobs do about keys happens at each move: in a minute of the
 * clock may be less than a millisecond.
 */
import { environment, loadConfig } from '../../config/load.ts'
import { buildApp } from '../../server/app.ts'
import { CLIENT_SECRET_LABEL } from '../../server/client_auth/client_secret.ts'
import { openDeps } from '../../server/main.ts'
import { sampleClient, sampleResource } from '../storage/samples.ts'

/** What the parent sends: where the clock is to be, in epoch seconds. */
export interface Move {
  readonly at: number
}

/** What comes back when all that was due has been done. */
export interface Moved {
  readonly active: string
  readonly activated_at: number
  /** How many keys the set holds. */
  readonly published: number
  readonly waiting: boolean
}

export const START = 1_800_000_000
export const LONG_LIVED = 'https://long.example.com'
export const CLIENT = { client_id: 'load', client_secret: 'a client secret' } as const

let now = START
const clock = { now: () => now }
const { config } = loadConfig({ env: environment() })
const deps = await openDeps(config, { clock })
const client_secret_digest = deps.vault.digest(CLIENT_SECRET_LABEL, CLIENT.client_secret)
const client = {
  client_id: CLIENT.client_id,
  client_secret_digest,
  grant_types: ['client_credentials'],
  resources: ['*'],
}
await deps.store.createClient(sampleClient(client), [])
for (const [resource, access_token_seconds] of [
  [config.issuer, 300],
  [LONG_LIVED, 86_400],
] as const) {
  await deps.store.createResource(sampleResource({ resource, access_token_seconds, scopes: null }), [])
}
const app = await buildApp(deps)
await app.listen({ host: config.host, port: config.port })

async function move({ at }: Move): Promise<Moved> {
  now = at
  await deps.fetchLedger.flush()
  await deps.keys.runSchedule()
  const keys = deps.keys.list().filter(({ alg }) => alg === 'RS256')
  const active = keys.find(({ state }) => state === 'active')
  return {
    active: active?.kid ?? '',
    activated_at: active?.activated_at ?? 0,
    published: deps.keys.jwks.kids.length,
    waiting: deps.keys.waiting('RS256', await deps.keys.fetchers())?.due ?? false,
  }
}

process.on('message', (message: Move) => {
  move(message).then(
    (moved) => process.send?.(moved),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
async function close(): Promise<void> {
  await app.close()
  await deps.store.close()
}

process.once('disconnect', () => {
  close().catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
process.send?.('ready')
