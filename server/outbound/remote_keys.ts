import type { ClientJwk } from '../protocol/client.ts'
import { readJwkSet } from '../protocol/jwk_set.ts'
import type { Clock, Seconds } from '../protocol/time.ts'
import { createJwksUriOf } from './issuer_keys.ts'
import { type Outbound, OutboundError } from './outbound.ts'

const FRESH_SECONDS = 600
const LEAST_SECONDS_BETWEEN = 60
const SECONDS_AFTER_FAILURE = 10
// An answer is at most `outbound.max_bytes`, so this bounds the memory as well.
const MAX_SETS = 256

/** The JWK Sets that others publish, kept in memory for minutes. */
export interface RemoteKeys {
  /**
   * What `find` finds among the keys at a `jwks_uri`. Where it finds nothing, they are fetched again: a key may be new.
   * At most once a minute, so that made-up key ids make no traffic.
   *
   * @throws {OutboundError} when they cannot be fetched
   */
  find<T>(jwks_uri: string, find: (keys: readonly ClientJwk[]) => T | undefined): Promise<T | undefined>
  /** The same among the keys of an issuer, which are where its metadata says. */
  findOfIssuer<T>(issuer: string, find: (keys: readonly ClientJwk[]) => T | undefined): Promise<T | undefined>
}

interface Fetched {
  readonly answer: Promise<readonly ClientJwk[]>
  readonly at: Seconds
  failed: boolean
}

export function createRemoteKeys({ outbound, clock }: { outbound: Outbound; clock: Clock }): RemoteKeys {
  const sets = new Map<string, Fetched>()
  const jwksUriOf = createJwksUriOf({ outbound, clock })

  // What is in the map is under way or done: whoever else asks for it meanwhile waits for the same fetch.
  const fetchSet = (jwks_uri: string): Fetched => {
    const [oldest] = sets.keys()
    if (oldest !== undefined && sets.size >= MAX_SETS) sets.delete(oldest)
    const fetched: Fetched = { answer: fetchKeys(outbound, jwks_uri), at: clock.now(), failed: false }
    fetched.answer.catch(() => {
      fetched.failed = true
    })
    sets.delete(jwks_uri)
    sets.set(jwks_uri, fetched)
    return fetched
  }

  const youngerThan = (fetched: Fetched | undefined, seconds: Seconds) =>
    fetched !== undefined && clock.now() - fetched.at < seconds ? fetched : undefined

  const self: RemoteKeys = {
    findOfIssuer: async (issuer, find) => self.find(await jwksUriOf(issuer), find),
    async find(jwks_uri, find) {
      const known = sets.get(jwks_uri)
      const fetched = youngerThan(known, known?.failed ? SECONDS_AFTER_FAILURE : FRESH_SECONDS) ?? fetchSet(jwks_uri)
      const found = find(await fetched.answer)
      if (found !== undefined || youngerThan(fetched, LEAST_SECONDS_BETWEEN)) return found
      const latest = youngerThan(sets.get(jwks_uri), LEAST_SECONDS_BETWEEN) ?? fetchSet(jwks_uri)
      return find(await latest.answer)
    },
  }
  return self
}

async function fetchKeys(outbound: Outbound, jwks_uri: string): Promise<readonly ClientJwk[]> {
  const { json } = await outbound.getJson(jwks_uri)
  const keys = readJwkSet(json)
  if (keys === undefined) throw new OutboundError('the answer is not a JWK Set')
  return keys
}
