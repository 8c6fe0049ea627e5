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
import type { EndedGrant, PasswordChange } from '../storage/records.ts'
import { allResources } from './resources.ts'
import { DEEP_OVERLAP_SECONDS } from './revocations.ts'
import { subjectOf } from './subject.ts'

export type SignalDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'vault' | 'clock' | 'outbound' | 'log'>

const PAGE_ROWS = 500
const MOST_STREAMS = 1000
const MOST_PUSHES = 16
/** An attempt has long ended by then, unless its process died in it. */
const CLAIM_SPARE_SECONDS = 30
const MOST_ERROR_CHARACTERS = 200
/** How far back each look goes; now and then it goes back to where nodes with other clocks may have written. */
const OVERLAP_SECONDS: Seconds = 30
const DEEP_EVERY_SECONDS: Seconds = 60
/** A person's grants that are looked through for the names that a receiver knows them by. */
const MOST_GRANTS = 1000

/** As a job: `run` looks for what is new and pushes what is due. */
export function createSignals(deps: SignalDeps): { run(): Promise<void>; finish(): Promise<void> } {
  let deep_at: Seconds = 0
  let pushing: Promise<unknown> = Promise.resolve()
  return {
    async run() {
      const now = deps.clock.now()
      const deep = now - deep_at >= DEEP_EVERY_SECONDS
      if (deep) deep_at = now
      await collectSignals(deps, deep ? DEEP_OVERLAP_SECONDS : OVERLAP_SECONDS)
      pushing = pushDueSignals(deps)
      await pushing
    },
    async finish() {
      await pushing.catch(() => undefined)
    },
  }
}

/** Puts what has happened since into every stream that is to hear of it. */
export async function collectSignals(deps: SignalDeps, overlap: Seconds): Promise<void> {
  const { items: streams } = await deps.store.listSignalStreams({}, { limit: MOST_STREAMS, cursor: null })
  const listening = streams.filter(({ status }) => status !== 'disabled')
  if (listening.length === 0) return
  const resources = await allResources(deps)
  for (const stream of listening) {
    const client = await deps.store.findClient(stream.client_id)
    if (client === undefined || client.disabled_at !== null || !mayListen(client, resources)) continue
    await collect(deps, stream, hears(client, resources), overlap)
  }
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
  if (stream.events_delivered.includes(SESSION_REVOKED)) await collectEnded(deps, stream, may_hear, since)
  if (stream.events_delivered.includes(CREDENTIAL_CHANGE)) await collectChanges(deps, stream, may_hear, since)
  await deps.store.appendSignals(stream.stream_id, [], now)
}

async function collectEnded(deps: SignalDeps, stream: SignalStream, may_hear: Hears, since: Seconds): Promise<void> {
  let after: Pick<EndedGrant, 'revoked_at' | 'grant_id'> = { revoked_at: since, grant_id: '' }
  for (;;) {
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
    if (page.length < PAGE_ROWS) return
  }
}

async function collectChanges(deps: SignalDeps, stream: SignalStream, may_hear: Hears, since: Seconds): Promise<void> {
  // The ids of audit records begin with their instant, in hexadecimal.
  let after = since.toString(16).padStart(8, '0')
  for (;;) {
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
    if (page.length < PAGE_ROWS) return
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
function aboutIt({ config, clock, vault }: SignalDeps, { stream_id, audience }: SignalStream, what: string) {
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

/** Pushes what is due, some at a time, until nothing is. Any number of nodes may: each event is claimed by one at a time. */
export async function pushDueSignals(deps: SignalDeps): Promise<void> {
  const { store, clock, config } = deps
  for (;;) {
    const now = clock.now()
    const due = await store.claimSignals(now, now + config.outbound.timeout_seconds + CLAIM_SPARE_SECONDS, MOST_PUSHES)
    await Promise.all(due.map((signal) => push(deps, signal)))
    if (due.length < MOST_PUSHES) return
  }
}

async function push(deps: SignalDeps, signal: Signal): Promise<void> {
  const { store, clock, log } = deps
  const { jti, stream_id, attempts } = signal
  const stream = await store.findSignalStream(stream_id)
  if (stream === undefined || stream.endpoint_url === null) return
  const attempt = await attemptOf(deps, stream.endpoint_url, signal)
  await store.settleSignal({ jti, stream_id, ...settlePush(attempt, attempts, clock.now()) })
  if (attempt.outcome === 'delivered') return
  log.warn({ stream_id, jti, attempts, error: attempt.error }, 'a security event could not be pushed')
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
