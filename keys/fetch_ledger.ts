import { addressPrefix } from '../server/protocol/address_prefix.ts'
import { normalizedResource } from '../server/protocol/resource_registration.ts'
import type { Clock, Seconds } from '../server/protocol/time.ts'
import type { KeyFetch } from '../server/storage/records.ts'
import type { Store } from '../server/storage/store.ts'
import { agentFamily } from './fetchers.ts'

/** One fetch of the JWK Set, as the request has it. */
export interface Fetch {
  readonly ip: string
  readonly user_agent: string | undefined
  /** `?resource=`: unverified, and of any type. */
  readonly resource: unknown
}

/**
 * Remembers who fetched the JWK Set. A fetch costs a look into a map: what it means is worked out when it is written
 * down, seconds later.
 */
export interface FetchLedger {
  /** @param kids of the set that is served: the same array as long as the set is the same */
  note(fetch: Fetch, kids: readonly string[]): void
  /** Writes down what is new. */
  flush(): Promise<void>
}

export interface FetchLedgerOptions {
  readonly store: Pick<Store, 'findResources' | 'recordKeyFetches'>
  readonly clock: Clock
  /** There without being registered. */
  readonly default_resource: string
}

// Anybody may fetch, so everything has its limit. Beyond these a fetch is not noted until the next flush.
const MOST_WAITING = 1000
const MOST_WRITTEN_AT_ONCE = 200
const MOST_REMEMBERED = 4000
const MOST_RESOURCES_AT_ONCE = 64
const LONGEST_USER_AGENT = 256
const LONGEST_RESOURCE = 512
/** Who fetches the same set again and again is written down this often. */
const REWRITE_SECONDS: Seconds = 60
/** How many fetchers stay in the database: of each resource, and of all that name none. */
export const KEPT_OF_RESOURCE = 64
export const KEPT_OF_OTHERS = 1000

interface Noted {
  readonly ip: string
  readonly user_agent: string
  readonly resource: string | null
  kids: readonly string[]
  fetched_at: Seconds
}

export function createFetchLedger({ store, clock, default_resource }: FetchLedgerOptions): FetchLedger {
  // Apart, so that a flood of the one does not keep the other out.
  const named = new Map<string, Noted>()
  const nameless = new Map<string, Noted>()
  const written = new Map<string, { readonly kids: readonly string[]; readonly fetched_at: Seconds }>()
  let flushing: Promise<void> = Promise.resolve()

  const waitingFor = (resource: string | null) => (resource === null ? nameless : named)

  function isNews(fetch: KeyFetch): boolean {
    const before = written.get(nameOf(fetch))
    return before === undefined || before.kids !== fetch.kids || before.fetched_at + REWRITE_SECONDS <= fetch.fetched_at
  }

  function remember(fetch: KeyFetch): void {
    if (written.size >= MOST_REMEMBERED) written.clear()
    written.set(nameOf(fetch), fetch)
  }

  async function resourcesAmong(noted: readonly Noted[]): Promise<ReadonlySet<string>> {
    const asked = new Set(noted.flatMap(({ resource }) => (resource === null ? [] : [resource])))
    asked.delete(default_resource)
    const found = await store.findResources([...asked].slice(0, MOST_RESOURCES_AT_ONCE))
    return new Set([default_resource, ...found.map(({ resource }) => resource)])
  }

  async function flush(): Promise<void> {
    const waiting = [...named, ...nameless]
    if (waiting.length === 0) return
    const taken = waiting.slice(0, MOST_WRITTEN_AT_ONCE)
    for (const [key, { resource }] of taken) waitingFor(resource).delete(key)
    try {
      const noted = taken.map(([, fetch]) => fetch)
      const news = merged(noted, await resourcesAmong(noted)).filter(isNews)
      if (news.length === 0) return
      await store.recordKeyFetches(news, { of_resource: KEPT_OF_RESOURCE, of_others: KEPT_OF_OTHERS })
      for (const fetch of news) remember(fetch)
    } catch (error) {
      // Some fetch once a day: they are not forgotten because the database was away.
      for (const [key, fetch] of taken) {
        const map = waitingFor(fetch.resource)
        if (!map.has(key) && map.size < MOST_WAITING) map.set(key, fetch)
      }
      throw error
    }
  }

  return {
    note({ ip, user_agent = '', resource }, kids) {
      const hint = typeof resource === 'string' && resource.length <= LONGEST_RESOURCE ? resource : null
      const agent = user_agent.length > LONGEST_USER_AGENT ? user_agent.slice(0, LONGEST_USER_AGENT) : user_agent
      const map = hint === null ? nameless : named
      const key = hint === null ? `${ip}\n${agent}` : `${ip}\n${hint}\n${agent}`
      const before = map.get(key)
      if (before !== undefined) {
        before.kids = kids
        before.fetched_at = clock.now()
      } else if (map.size < MOST_WAITING) {
        const normalized = hint === null ? null : (normalizedResource(hint) ?? null)
        map.set(key, { ip, user_agent: agent, resource: normalized, kids, fetched_at: clock.now() })
      }
    },
    flush() {
      flushing = flushing.catch(() => undefined).then(flush)
      return flushing
    },
  }
}

/** What was noted under several addresses and versions of one fetcher is one fetch: the last. */
function merged(noted: readonly Noted[], resources: ReadonlySet<string>): KeyFetch[] {
  const fetches = new Map<string, KeyFetch>()
  for (const { ip, user_agent, resource, kids, fetched_at } of noted) {
    const fetch: KeyFetch = {
      // What nobody has registered may be anything.
      resource: resource !== null && resources.has(resource) ? resource : null,
      address_prefix: addressPrefix(ip),
      agent: agentFamily(user_agent),
      kids,
      fetched_at,
    }
    const before = fetches.get(nameOf(fetch))
    if (before === undefined || before.fetched_at <= fetched_at) fetches.set(nameOf(fetch), fetch)
  }
  return [...fetches.values()]
}

function nameOf({ resource, address_prefix, agent }: KeyFetch): string {
  return `${address_prefix} ${agent} ${resource ?? ''}`
}
