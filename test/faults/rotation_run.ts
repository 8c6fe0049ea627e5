/** Key rotations under load, seen by resource servers that keep the key set for different times, on a clock that is moved. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { basic } from '../helpers/app.ts'
import { freePort, temporaryDirectory } from '../helpers/process.ts'
import { seededChance } from '../helpers/random.ts'
import type { Move, Moved } from './clocked_server.ts'

const PROGRAM = join(import.meta.dirname, 'clocked_server.ts')
const START = 1_800_000_000
const DAY = 86_400
const WEEK = 7 * DAY
const LONG_LIVED = 'https://long.example.com'
const AUTHORIZATION = basic('load', 'a client secret')

/** As long as a set may be kept, whoever keeps it; and longer, by a resource server that is waited for. */
const CACHES: readonly { readonly seconds: number; readonly resource?: string }[] = [
  { seconds: 0 },
  { seconds: 60 },
  { seconds: 300 },
  { seconds: 3600 },
  { seconds: DAY - 1 },
  { seconds: 5 * DAY, resource: LONG_LIVED },
]
const TOKENS_AT_ONCE = 3
const VERIFIED_AT_ONCE = 3
const MOST_TOKENS = 120
/** Around a rotation the clock moves in small steps, so that short caches matter. */
const NEAR_SECONDS = 400

export interface RotationReport {
  readonly rotations: number
  readonly verifications: number
  readonly tokens: number
  readonly fetches: number
  /** Steps at which a rotation that was due waited for a resource server. */
  readonly waited: number
  /** Of the clock. */
  readonly days: number
  readonly failures: readonly string[]
  /** Failed verifications by seconds of cache. */
  readonly failed_by_cache: ReadonlyMap<number, number>
  readonly by_cache: ReadonlyMap<number, number>
}

interface Token {
  readonly value: string
  readonly expires_at: number
}

type Test = { teardown(handler: () => Promise<void>): void }

/**
 * @param options.wait_for_fetchers_seconds of the server's configuration
 */
export async function runRotations(
  t: Test,
  options: { rotations: number; seed: number; wait_for_fetchers_seconds?: number; verifications?: number },
): Promise<RotationReport> {
  const { rotations, seed, wait_for_fetchers_seconds = WEEK, verifications = 0 } = options
  const { issuer, move, failed } = await startClockedServer(t, wait_for_fetchers_seconds)
  const chance = seededChance(seed)
  const between = (least: number, most: number) => least + chance.whole(most - least + 1)
  const verifiers = CACHES.map((cache) => createVerifier(issuer, cache))
  const count = { rotations: 0, tokens: 0, waited: 0 }
  const failures: string[] = []
  let tokens: Token[] = []
  let now = START
  let state = await move(now)
  let near_until = 0

  async function issue(): Promise<void> {
    const asked_at = now
    const resource = chance.whole(2) === 0 ? LONG_LIVED : issuer
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource })
    const reply = await fetch(`${issuer}/token`, { method: 'POST', body, headers: AUTHORIZATION })
    const { access_token, expires_in } = Object(await reply.json())
    if (reply.status !== 200) failures.push(`no token: ${reply.status}`)
    else {
      count.tokens += 1
      // It was signed at some instant between the two: what is surely expired is not verified.
      tokens.push({ value: String(access_token), expires_at: asked_at + Number(expires_in) })
    }
  }

  async function step(): Promise<void> {
    const due_at = state.activated_at + 2 * DAY
    const near = now < near_until || (now < due_at && due_at - now <= NEAR_SECONDS)
    const wide = between(1800, 4 * 3600)
    // Up to the edge, and not past it.
    const seconds = near
      ? between(5, 40)
      : now < due_at - NEAR_SECONDS
        ? Math.min(wide, due_at - NEAR_SECONDS - now)
        : wide
    // Requests are under way while the clock moves and keys change.
    const issuing = Promise.all(Array.from({ length: TOKENS_AT_ONCE }, issue))
    const moved = move(now + seconds)
    const [after] = await Promise.all([moved, issuing])
    now += seconds
    if (after.active !== state.active) {
      count.rotations += 1
      near_until = now + NEAR_SECONDS
    }
    if (after.waiting) count.waited += 1
    state = after
    tokens = tokens.filter(({ expires_at }) => expires_at > now).slice(-MOST_TOKENS)
    const chosen = () => [
      ...tokens.slice(-1),
      ...Array.from({ length: VERIFIED_AT_ONCE - 1 }, () => tokens[between(0, tokens.length - 1)]),
    ]
    await Promise.all(
      verifiers.map(async (verifier) => {
        for (const token of chosen()) {
          const failure = token === undefined ? undefined : await verifier.verify(token.value, now)
          if (failure !== undefined) failures.push(`cache of ${verifier.seconds} s: ${failure}`)
        }
      }),
    )
  }

  const verified = () => verifiers.reduce((sum, { count }) => sum + count.verified, 0)
  while ((count.rotations < rotations || verified() < verifications) && !failed()) await step()
  if (failed()) throw new Error('the server ended')
  return {
    ...count,
    failures,
    verifications: verified(),
    fetches: verifiers.reduce((sum, { count }) => sum + count.fetched, 0),
    days: (now - START) / DAY,
    by_cache: new Map(verifiers.map(({ seconds, count }) => [seconds, count.verified])),
    failed_by_cache: new Map(verifiers.map(({ seconds, count }) => [seconds, count.failed])),
  }
}

/** A resource server that keeps the key set for so long, and fetches it for no other reason. */
function createVerifier(issuer: string, { seconds, resource }: (typeof CACHES)[number]) {
  const count = { verified: 0, failed: 0, fetched: 0 }
  const hint = resource === undefined ? '' : `?resource=${encodeURIComponent(resource)}`
  let keys: { readonly set: ReturnType<typeof createLocalJWKSet>; readonly fetched_at: number } | undefined

  async function keysAt(now: number) {
    if (keys !== undefined && now - keys.fetched_at < seconds) return keys.set
    const reply = await fetch(`${issuer}/.well-known/jwks.json${hint}`, {
      headers: { 'user-agent': `verifier-${seconds}/1` },
    })
    count.fetched += 1
    keys = { set: createLocalJWKSet(JSON.parse(await reply.text())), fetched_at: now }
    return keys.set
  }

  return {
    seconds,
    count,
    /** @returns what is wrong with the token; undefined: nothing */
    async verify(token: string, now: number): Promise<string | undefined> {
      const set = await keysAt(now)
      count.verified += 1
      try {
        const currentDate = new Date(now * 1000)
        await jwtVerify(token, set, { issuer, audience: [issuer, LONG_LIVED], typ: 'at+jwt', currentDate })
        return undefined
      } catch (error) {
        count.failed += 1
        return String(error)
      }
    },
  }
}

async function startClockedServer(t: Test, wait_for_fetchers_seconds: number) {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_'))
  const env = {
    ...Object.fromEntries(inherited),
    GATEHOUSE_PORT: `${port}`,
    GATEHOUSE_ISSUER: issuer,
    GATEHOUSE_DATA_DIR: temporaryDirectory(t),
    GATEHOUSE_LOG__LEVEL: 'error',
    GATEHOUSE_KEYS__ROTATION_SECONDS: `${2 * DAY}`,
    GATEHOUSE_KEYS__PUBLISH_AHEAD_SECONDS: `${DAY}`,
    GATEHOUSE_KEYS__WAIT_FOR_FETCHERS_SECONDS: `${wait_for_fetchers_seconds}`,
    GATEHOUSE_HTTP__MAX_EVENT_LOOP_DELAY_MILLISECONDS: '0',
  }
  const child = fork(PROGRAM, [], { env, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = () => child.exitCode !== null || child.signalCode !== null
  t.teardown(async () => {
    if (ended()) return
    const exited = once(child, 'exit')
    child.disconnect()
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await exited
    clearTimeout(late)
  })
  await answerOf(child)
  const move = async (at: number): Promise<Moved> => {
    const answer = answerOf(child)
    child.send({ at } satisfies Move)
    const [moved] = await answer
    return moved
  }
  return { issuer, move, failed: ended }
}

/** Its next message; an error when it ends before. */
async function answerOf(child: ChildProcess): Promise<[Moved]> {
  const gone = new AbortController()
  const stop = () => gone.abort(new Error('the server ended'))
  child.once('exit', stop)
  try {
    const [message] = await once(child, 'message', { signal: gone.signal })
    return [message]
  } finally {
    child.off('exit', stop)
  }
}
