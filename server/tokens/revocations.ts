import type { Deps } from '../deps.ts'
import { emptyList, listOf, setRevoked } from '../protocol/status_list.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Revoked, RevokedAccessToken, RevokedGrant } from '../storage/records.ts'

/** Rows that are read at once. */
const PAGE_ROWS = 1000
/**
 * How far back a look into the database begins: clocks of nodes differ, and a commit is seen later than the instant that it
 * carries.
 */
const OVERLAP_SECONDS: Seconds = 30
/** Now and then a look goes further back: for nodes whose clocks are far behind. */
export const DEEP_OVERLAP_SECONDS: Seconds = 7200
const DEEP_EVERY_SECONDS: Seconds = 60

const EMPTY = emptyList()

/** What has been revoked, in memory: by this process at once, by others as soon as the database is looked into. */
export interface Revocations {
  /** Reads all there is, once; then resolves at once. */
  ready(): Promise<void>
  /** Reads what others have revoked since. */
  poll(): Promise<void>
  /** The bits of a list, as they are now; not to be changed. */
  bits(list: number): { readonly bytes: Uint8Array; readonly version: number }
  /** Access tokens that have been revoked by themselves and have not expired. */
  accessTokens(): readonly RevokedAccessToken[]
  /** Hears of each revocation once, after it has been committed. @returns stops that */
  subscribe(hear: (revoked: Revoked) => void): () => void
}

interface List {
  readonly bytes: Uint8Array
  /** Counts the changes. */
  version: number
}

export function createRevocations({ store, clock }: Pick<Deps, 'store' | 'clock'>): Revocations {
  const lists = new Map<number, List>()
  const tokens = new Map<string, RevokedAccessToken>()
  const hearers = new Set<(revoked: Revoked) => void>()
  let loaded: Promise<void> | undefined
  /** The latest instants that the database was seen to have. */
  let grants_seen: Seconds = 0
  let tokens_seen: Seconds = 0
  let looked_deep_at: Seconds = 0

  /** Remembers what is new, and tells of it. */
  function take(revoked: Revoked): void {
    const grants = revoked.grants.filter(takeGrant)
    const access_tokens = revoked.access_tokens.filter(takeToken)
    if (grants.length + access_tokens.length === 0) return
    for (const hear of hearers) hear({ grants, access_tokens })
  }

  function takeGrant({ status_index }: RevokedGrant): boolean {
    if (status_index < 0) return false
    const number = listOf(status_index)
    let list = lists.get(number)
    if (list === undefined) {
      list = { bytes: emptyList(), version: 0 }
      lists.set(number, list)
    }
    if (!setRevoked(list.bytes, status_index)) return false
    list.version += 1
    return true
  }

  function takeToken(token: RevokedAccessToken): boolean {
    if (tokens.has(token.jti) || token.expires_at <= clock.now()) return false
    tokens.set(token.jti, token)
    return true
  }

  async function readGrants(overlap: Seconds): Promise<void> {
    let after: RevokedGrant = { revoked_at: grants_seen - overlap, status_index: -2 }
    for (;;) {
      const page = await store.listRevokedGrants(after, PAGE_ROWS)
      take({ grants: page, access_tokens: [] })
      after = page.at(-1) ?? after
      grants_seen = latest(grants_seen, after.revoked_at)
      if (page.length < PAGE_ROWS) return
    }
  }

  async function readTokens(overlap: Seconds): Promise<void> {
    let after = { revoked_at: tokens_seen - overlap, jti: '' }
    for (;;) {
      const page = await store.listRevokedAccessTokens(after, PAGE_ROWS)
      take({ grants: [], access_tokens: page })
      after = page.at(-1) ?? after
      tokens_seen = latest(tokens_seen, after.revoked_at)
      if (page.length < PAGE_ROWS) break
    }
    const now = clock.now()
    for (const [jti, { expires_at }] of tokens) if (expires_at <= now) tokens.delete(jti)
  }

  /** What carries an instant ahead of our clock does not move the next look past what we have not seen. */
  function latest(seen: Seconds, revoked_at: Seconds): Seconds {
    return Math.max(seen, Math.min(revoked_at, clock.now()))
  }

  async function read(): Promise<void> {
    const deep = clock.now() - looked_deep_at >= DEEP_EVERY_SECONDS
    if (deep) looked_deep_at = clock.now()
    const overlap = deep ? DEEP_OVERLAP_SECONDS : OVERLAP_SECONDS
    await readGrants(overlap)
    await readTokens(overlap)
  }

  store.onRevoked(take)

  return {
    ready() {
      loaded ??= read().catch((error) => {
        loaded = undefined
        throw error
      })
      return loaded
    },
    async poll() {
      if (loaded === undefined) return
      await loaded
      await read()
    },
    bits(list) {
      return lists.get(list) ?? { bytes: EMPTY, version: 0 }
    },
    accessTokens() {
      const now = clock.now()
      return [...tokens.values()].filter(({ expires_at }) => expires_at > now)
    },
    subscribe(hear) {
      hearers.add(hear)
      return () => hearers.delete(hear)
    },
  }
}
