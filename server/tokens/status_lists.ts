import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, deflate } from 'node:zlib'
import type { Deps } from '../deps.ts'
import { responseAlgorithm } from '../protocol/id_token.ts'
import { listsOf, STATUS_LIST_TYP, statusListClaims } from '../protocol/status_list.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Revocations } from './revocations.ts'

const compress = promisify(deflate)
/** §4.1: the highest compression level is recommended. */
const COMPRESSION = { level: constants.Z_BEST_COMPRESSION }

export interface StatusListToken {
  readonly token: string
  readonly etag: string
}

/** The status lists, signed: made when they are asked for, and kept until they change or grow old. */
export interface StatusLists {
  /** @returns undefined: there is no such list */
  token(list: number): Promise<StatusListToken | undefined>
  /** The numbers of the lists that there are. */
  numbers(): Promise<readonly number[]>
}

interface Made extends StatusListToken {
  readonly version: number
  readonly made_at: Seconds
}

/** How long it is believed where the lists begin and end, when somebody asks for one beyond. */
const EXTENT_SECONDS: Seconds = 1

export function createStatusLists(
  deps: Pick<Deps, 'config' | 'store' | 'keys' | 'clock'>,
  revocations: Revocations,
): StatusLists {
  const { config, store, keys, clock } = deps
  const { ttl_seconds } = config.status_lists
  const made = new Map<number, Made>()
  const making = new Map<number, Promise<Made>>()
  let extent: { readonly first: number; readonly last: number; readonly read_at: Seconds } | undefined

  async function readExtent() {
    const { first, last } = listsOf(await store.readStatusExtent())
    for (const number of made.keys()) if (number < first) made.delete(number)
    extent = { first, last, read_at: clock.now() }
    return extent
  }

  /** Lists only begin and end later: what has been there once is asked for again when it seems to be gone. */
  async function exists(list: number): Promise<boolean> {
    const known = extent ?? (await readExtent())
    if (list >= known.first && list <= known.last && clock.now() - known.read_at < ttl_seconds) return true
    const { first, last } = clock.now() - known.read_at < EXTENT_SECONDS ? known : await readExtent()
    return list >= first && list <= last
  }

  function isFresh({ version, made_at }: Made, list: number): boolean {
    return version === revocations.bits(list).version && clock.now() - made_at < ttl_seconds
  }

  /** One at a time for each list: whoever comes while one is made that lacks the latest revocation waits for the next. */
  async function make(list: number): Promise<Made> {
    for (;;) {
      const current = made.get(list)
      if (current !== undefined && isFresh(current, list)) return current
      let under_way = making.get(list)
      if (under_way === undefined) {
        under_way = sign(list).finally(() => making.delete(list))
        making.set(list, under_way)
      }
      const { version } = revocations.bits(list)
      const done = await under_way
      if (done.version >= version) return done
    }
  }

  async function sign(list: number): Promise<Made> {
    const { bytes, version } = revocations.bits(list)
    const made_at = clock.now()
    // A copy: bits may be set while it is compressed on the thread pool, and the version says which are in it.
    const lst = (await compress(bytes.slice(), COMPRESSION)).toString('base64url')
    const claims = statusListClaims(config.issuer, list, lst, made_at, ttl_seconds)
    const token = await keys.sign(responseAlgorithm(undefined, config.profile), STATUS_LIST_TYP, claims)
    const etag = `"${createHash('sha256').update(token).digest('base64url').slice(0, 22)}"`
    const fresh = { token, etag, version, made_at }
    made.set(list, fresh)
    return fresh
  }

  return {
    async token(list) {
      await revocations.ready()
      return (await exists(list)) ? make(list) : undefined
    },
    async numbers() {
      const { first, last } = await readExtent()
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    },
  }
}
