/**
 * Finds what receivers are to hear of, and pushes it to those that want that. Where it comes from is in the database
 * already, in the commit that made it true: so a refresh pays nothing for it, and a node that dies makes nobody miss
 * anything. What has been found is found again under the same `jti`.
 *
 * @see [RFC 8935](https://www.rfc-editor.org/rfc/rfc8935) push-based delivery
 */
import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import { responseAlgorithm } from '../protocol/id_token.ts'
import type { Resource } from '../protocol/resource.ts'
import { mayListen } from '../protocol/revocation_stream.ts'
import {
  CREDENTIAL_CHANGE,
  credentialChange,
  type PushAttempt,
  SESSION_REVOKED,
  SIGNAL_TYP,
  type Signal,
  type SignalClaims,
  type SignalStream,
  sessionRevoked,
  settlePush,
} from '../protocol/shared_signals.ts'
import type { Seconds } from '../protocol/time.ts'
import type { EndedGrant, Page, PasswordChange } from '../storage/records.ts'
import { allResources } from './resources.ts'
import { DEEP_OVERLAP_SECONDS } from './revocations.ts'
import { subjectOf } from './subject.ts'

export type SignalDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'vault' | 'clock' | 'outbound' | 'log'>

const PAGE_ROWS = 500
/** Of one stream, under way at once on one node. */
const MOST_PUSHES = 4
/** Streams that one node pushes to at once. */
const MOST_PUSHED_STREAMS = 64
/** An attempt has long ended by then, unless its process died in it. */
const CLAIM_SPARE_SECONDS = 30
const MOST_ERROR_CHARACTERS = 200
/** How far back each look goes; now and then it goes back to where nodes with other clocks may have written. */
const OVERLAP_SECONDS: Seconds = 30
const DEEP_EVERY_SECONDS: Seconds = 60
/** A person's grants that are looked through for the names that a receiver knows them by. */
const MOST_GRANTS = 1000

export interface Signals {
  /** Looks for what is new, and begins to push what is due; pushes go on after it returns. */
  run(): Promise<void>
  /** Begins nothing more. @returns after the pushes under way */
  finish(): Promise<void>
}

/** The work of one node. Any number of nodes may: each event is inserted once, and claimed by one of them at a time. */
export function createSignals(deps: SignalDeps): Signals {
  let deep_at: Seconds = 0
  let finishing = false
  /** A stream has its own, so that a receiver that does not answer delays no other. */
  const pushing = new Map<string, Promise<void>>()

  const begin = ({ stream_id }: SignalStream) => {
    if (finishing || pushing.has(stream_id) || pushing.size >= MOST_PUSHED_STREAMS) return
    const work = pushDueSignals(deps, stream_id, () => finishing)
      .catch((err: unknown) => deps.log.error({ err, stream_id }, 'security events could not be pushed'))
      .finally(() => pushing.delete(stream_id))
    pushing.set(stream_id, work)
  }

  return {
    async run() {
      const now = deps.clock.now()
      const deep = now - deep_at >= DEEP_EVERY_SECONDS
      if (deep) deep_at = now
      const streams = await collectSignals(deps, deep ? DEEP_OVERLAP_SECONDS : OVERLAP_SECONDS)
      for (const stream of streams) if (stream.endpoint_url !== null) begin(stream)
    },
    async finish() {
      finishing = true
      await Promise.all(pushing.values())
    },
  }
}

/** Puts what has happened since into every stream that is to hear of it. @returns those streams */
export async function collectSignals(deps: SignalDeps, overlap: Seconds): Promise<SignalStream[]> {
  const listening: SignalStream[] = []
  for await (const stream of allStreams(deps)) {
    if (stream.status === 'disabled') continue
    const heard = await whatIsHeard(deps, stream)
    if (heard === undefined) continue
    await collect(deps, stream, heard, overlap)
    listening.push(stream)
  }
  return listening
}

async function* allStreams({ store }: SignalDeps): AsyncGenerator<SignalStream> {
  let cursor: string | null = null
  do {
    const page: Page<SignalStream> = await store.listSignalStreams({}, { limit: PAGE_ROWS, cursor })
    yield* page.items
    cursor = page.next_cursor
  } while (cursor !== null)
}

/** @returns undefined: the receiver may not listen, now */
async function whatIsHeard(deps: SignalDeps, { client_id }: SignalStream): Promise<Hears | undefined> {
  const client = await deps.store.findClient(client_id)
  if (client === undefined || client.disabled_at !== null) return undefined
  const resources = await allResources(deps)
  return mayListen(client, resources) ? hears(client, resources) : undefined
}

/** Which grants a receiver may hear of: those that have let somebody in at a resource that it serves. */
function hears(client: Client, resources: readonly Resource[]): (granted: readonly string[]) => boolean {
  const served = resources
    .filter((one) => one.resource === client.client_id || one.introspection_clients.includes(client.client_id))
    .map(({ resource }) => resource)
  // Without a resource of its own it may listen because it may read everything.
  return (granted) => served.length === 0 || granted.some((resource) => served.includes(resource))
}

type Hears = ReturnType<typeof hears>

async function collect(deps: SignalDeps, stream: SignalStream, may_hear: Hears, overlap: Seconds): Promise<void> {
  const now = deps.clock.now()
  const since = Math.max(stream.told_from, stream.seen_at - overlap)
  const hears_of = (event: string) => stream.events_delivered.includes(event)
  // Where the stream is full, the next look begins where this one did: nothing is lost, it comes later.
  if (hears_of(SESSION_REVOKED) && !(await collectEnded(deps, stream, may_hear, since))) return
  if (hears_of(CREDENTIAL_CHANGE) && !(await collectChanges(deps, stream, may_hear, since))) return
  await deps.store.appendSignals(stream.stream_id, [], now)
}

/** Whether as much waits in a stream as may. */
export async function isFull({ config, store }: Pick<Deps, 'config' | 'store'>, stream_id: string): Promise<boolean> {
  const most = config.shared_signals.max_waiting_events
  return (await store.countWaitingSignals(stream_id, most)) >= most
}

/** @returns whether it has come to the end */
async function collectEnded(deps: SignalDeps, stream: SignalStream, may_hear: Hears, since: Seconds): Promise<boolean> {
  let after: Pick<EndedGrant, 'revoked_at' | 'grant_id'> = { revoked_at: since, grant_id: '' }
  for (;;) {
    if (await isFull(deps, stream.stream_id)) return false
    const page = await deps.store.listEndedGrants(after, PAGE_ROWS)
    const signals: Signal[] = []
    for (const grant of page.filter(({ resources }) => may_hear(resources))) {
      const { account_id, client_id, session_id, revoked_at, revoked_because, grant_id } = grant
      const sub = await subjectAt(deps, client_id, account_id)
      const about = aboutIt(deps, stream, `${SESSION_REVOKED} ${grant_id}`)
      signals.push(signalOf(stream, sessionRevoked(about, sub, session_id, revoked_at, revoked_because)))
    }
    await deps.store.appendSignals(stream.stream_id, signals, stream.seen_at)
    after = page.at(-1) ?? after
    if (page.length < PAGE_ROWS) return true
  }
}

/** @returns whether it has come to the end */
async function collectChanges(
  deps: SignalDeps,
  stream: SignalStream,
  may_hear: Hears,
  since: Seconds,
): Promise<boolean> {
  // The ids of audit records begin with their instant, in hexadecimal.
  let after = since.toString(16).padStart(8, '0')
  for (;;) {
    if (await isFull(deps, stream.stream_id)) return false
    const page = await deps.store.listPasswordChanges(after, PAGE_ROWS)
    const signals: Signal[] = []
    for (const change of page) {
      for (const sub of await subjectsOf(deps, change, may_hear)) {
        const about = aboutIt(deps, stream, `${CREDENTIAL_CHANGE} ${change.audit_id} ${sub}`)
        signals.push(signalOf(stream, credentialChange(about, sub, change.at)))
      }
    }
    await deps.store.appendSignals(stream.stream_id, signals, stream.seen_at)
    after = page.at(-1)?.audit_id ?? after
    if (page.length < PAGE_ROWS) return true
  }
}

/** OpenID Connect Core §8: the names by which tokens at the receiver's resources have known a person; mostly one. */
async function subjectsOf(deps: SignalDeps, { account_id }: PasswordChange, may_hear: Hears): Promise<Set<string>> {
  const { items } = await deps.store.listGrants({ account_id }, { limit: MOST_GRANTS, cursor: null })
  const clients = new Set(items.filter(({ resources }) => may_hear(resources)).map(({ client_id }) => client_id))
  return new Set(await Promise.all([...clients].map((client_id) => subjectAt(deps, client_id, account_id))))
}

/** A client that has been deleted has taken the rule for its pairwise subjects along: then nobody is named but by a digest. */
async function subjectAt(deps: SignalDeps, client_id: string, account_id: string): Promise<string> {
  const client = await deps.store.findClient(client_id)
  if (client !== undefined) return subjectOf(deps, client, account_id)
  return deps.vault.digest('signal_subject', `${client_id}\0${account_id}`)
}

/** The same event has the same `jti` in a stream, however often it is found. */
export function aboutIt(
  { config, clock, vault }: Pick<Deps, 'config' | 'clock' | 'vault'>,
  { stream_id, audience }: SignalStream,
  what: string,
) {
  const jti = vault.digest('signal', `${stream_id}\0${what}`)
  return { iss: config.issuer, jti, aud: audience, now: clock.now() }
}

/** As it begins to wait. */
export function signalOf({ stream_id }: Pick<SignalStream, 'stream_id'>, claims: SignalClaims): Signal {
  const { jti, iat } = claims
  const waiting = { attempts: 0, next_attempt_at: iat, settled_at: null, last_error: null }
  return { jti, stream_id, claims, ...waiting, created_at: iat }
}

/** The event as it is sent: signed anew each time, with the key of that time. */
export function signSignal({ config, keys }: Pick<Deps, 'config' | 'keys'>, { claims }: Signal): Promise<string> {
  return keys.sign(responseAlgorithm(undefined, config.profile), SIGNAL_TYP, claims)
}

/**
 * Pushes what is due in one stream, some at a time, until nothing is, or nothing gets through.
 *
 * @param must_end asked before each round
 */
export async function pushDueSignals(deps: SignalDeps, stream_id: string, must_end: () => boolean): Promise<void> {
  const { store, clock, config } = deps
  while (!must_end()) {
    const stream = await store.findSignalStream(stream_id)
    if (stream === undefined || stream.endpoint_url === null) return
    // What waited before the receiver lost its right is not for it either; it waits, as long as anything does.
    if ((await whatIsHeard(deps, stream)) === undefined) return
    const { endpoint_url } = stream
    const now = clock.now()
    const again_at = now + config.outbound.timeout_seconds + CLAIM_SPARE_SECONDS
    const due = await store.claimSignals(stream_id, now, again_at, MOST_PUSHES)
    const outcomes = await Promise.all(due.map((signal) => push(deps, endpoint_url, signal)))
    if (outcomes.every((outcome) => outcome === 'failed')) return
  }
}

async function push(deps: SignalDeps, endpoint_url: string, signal: Signal): Promise<PushAttempt['outcome']> {
  const { store, clock, log } = deps
  const { jti, stream_id, attempts } = signal
  const attempt = await attemptOf(deps, endpoint_url, signal)
  await store.settleSignals([{ jti, stream_id, ...settlePush(attempt, attempts, clock.now()) }])
  if (attempt.outcome !== 'delivered') {
    log.warn({ stream_id, jti, attempts, error: attempt.error }, 'a security event could not be pushed')
  }
  return attempt.outcome
}

/** @see [RFC 8935 §2.2, §2.3](https://www.rfc-editor.org/rfc/rfc8935#section-2.2) */
async function attemptOf(deps: SignalDeps, endpoint_url: string, signal: Signal): Promise<PushAttempt> {
  try {
    const { status, text } = await deps.outbound.postSet(endpoint_url, await signSignal(deps, signal))
    if (status === 202 || status === 200) return { outcome: 'delivered' }
    const error = `answered with ${status}`
    // §2.4: it says what is wrong with the token; another time it will be as wrong.
    const said = status === 400 ? errorOf(text) : undefined
    if (said === undefined || said === 'authentication_failed' || said === 'access_denied') {
      return { outcome: 'failed', error: said ?? error }
    }
    return { outcome: 'refused', error: said }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { outcome: 'failed', error: message.slice(0, MOST_ERROR_CHARACTERS) }
  }
}

/** The `err` of a receiver's answer, if it is one. */
function errorOf(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    const err: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'err') : undefined
    return typeof err === 'string' ? err.slice(0, MOST_ERROR_CHARACTERS) : undefined
  } catch {
    return undefined
  }
}
