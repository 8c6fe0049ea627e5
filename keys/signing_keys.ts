import type { KeyObject } from 'node:crypto'
import type { Random } from '../server/deps.ts'
import { type AuditEvent, auditRecord } from '../server/observe/audit.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../server/protocol/resource.ts'
import type { Clock, Seconds } from '../server/protocol/time.ts'
import type { KeyFetcher, SigningKeyRecord } from '../server/storage/records.ts'
import type { Store } from '../server/storage/store.ts'
import { unawareOf } from './fetchers.ts'
import { generateSigningKey } from './generate.ts'
import { activeKey, type KeyState, keyState, nextKey } from './keyring.ts'
import { type JwkSet, readFetchers, readKeyring } from './read_keyring.ts'
import {
  dueChanges,
  type KeyringChange,
  missingKeys,
  planRotation,
  type RotationPolicy,
  type RotationRequest,
  type Waiting,
  waitingFor,
} from './rotation.ts'
import type { Vault } from './vault.ts'

/** A key of ours that verifies. */
export interface VerificationKey {
  readonly alg: SigningAlgorithm
  readonly key: KeyObject
  /** SPKI. */
  readonly pem: string
}

export interface ListedKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly state: KeyState
  readonly created_at: Seconds
  readonly activated_at: Seconds | null
  readonly retired_at: Seconds | null
}

export interface KeyRotation extends RotationRequest {
  /** RS256 when it is left out. */
  readonly alg?: SigningAlgorithm
  /**
   * Keys may be in other hands: every key of the algorithm goes now, the next one too, which lay beside the others. A
   * verifier meets an unknown `kid` and fetches the JWK Set without them.
   */
  readonly emergency: boolean
  readonly actor: string
}

export type RotationOutcome =
  | {
      readonly outcome: 'rotated'
      readonly kid: string
      readonly retired: string | null
      /** Resource servers that had not fetched the key when it began to sign. */
      readonly unaware: readonly KeyFetcher[]
    }
  | { readonly outcome: 'too_early'; readonly ready_at: Seconds }
  | ({ readonly outcome: 'waiting' } & Waiting)

/** The keys that tokens are signed with. Everything but the changes is answered from memory. */
export interface SigningKeys {
  /**
   * @param typ the header's `typ`: one of a few constants
   * @returns a JWS in compact serialisation, signed on the thread pool
   */
  sign(alg: SigningAlgorithm, typ: string, payload: object): Promise<string>
  /** A published key. */
  verificationKey(kid: string): VerificationKey | undefined
  /** The JWK Set of RFC 7517 §5. */
  readonly jwks: JwkSet
  /** Those with an active key. */
  readonly algorithms: readonly SigningAlgorithm[]
  list(): readonly ListedKey[]
  /** Makes what an algorithm lacks, as when a resource first asks for it. */
  ensure(alg: SigningAlgorithm): Promise<void>
  /**
   * Reads what other processes have changed: one query when that is nothing. To be called at least every
   * `REMOVAL_LEEWAY_SECONDS`: until then this process signs with a key that has retired elsewhere.
   */
  reload(): Promise<void>
  /** Who has fetched the JWK Set, as far as it has been written down. */
  fetchers(): Promise<readonly KeyFetcher[]>
  /** What a rotation of an algorithm would have to wait for now. */
  waiting(alg: SigningAlgorithm, fetchers: readonly KeyFetcher[]): Waiting | undefined
  /**
   * Creates, activates and removes what is due. Any number of processes may run it at once.
   *
   * @returns the rotations that have begun to wait for resource servers since it ran last
   */
  runSchedule(): Promise<readonly Waiting[]>
  /** Activates the next key before it is due; in an emergency, a new one in place of all. */
  rotate(request: KeyRotation): Promise<RotationOutcome>
}

export interface SigningKeysOptions {
  readonly store: Pick<
    Store,
    | 'listSigningKeys'
    | 'insertSigningKeys'
    | 'activateSigningKey'
    | 'replaceSigningKeys'
    | 'removeSigningKey'
    | 'algorithmsInUse'
    | 'listKeyFetchers'
    | 'appendAudit'
  >
  readonly vault: Vault
  readonly clock: Clock
  readonly random: Random
  readonly policy: RotationPolicy
}

const ATTEMPTS = 5
/** An audit record is no list. */
const MOST_NAMED = 20

/**
 * Opens the keyring; on first start it makes the first RS256 key and its successor.
 *
 * @throws {VaultError} when a stored key cannot be opened or is too weak
 */
export async function openSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { store, vault, clock, policy } = options
  let keyring = await readKeyring(options, undefined)

  // One change or read at a time in this process: an older read never replaces a newer one.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work)
    turn = result.catch(() => undefined)
    return result
  }

  const read = async () => {
    keyring = await readKeyring(options, keyring)
  }

  const audit = (event: AuditEvent, actor: string, detail: Readonly<Record<string, unknown>>) => [
    auditRecord(options, event, { actor, detail }),
  ]

  const makeNext = async (alg: SigningAlgorithm): Promise<SigningKeyRecord> => {
    const material = await generateSigningKey(alg, vault)
    return { ...material, created_at: clock.now(), activated_at: null, retired_at: null, removed_at: null }
  }

  /** One instant for both: see isFounding in rotation.ts. */
  const makeActive = async ({ alg, created_at }: SigningKeyRecord): Promise<SigningKeyRecord> => {
    return { ...(await makeNext(alg)), created_at, activated_at: created_at }
  }

  /** Another process may be faster: the database lets one win, and both go on with what it then holds. */
  const carryOut = async (change: KeyringChange, actor: string, unaware: readonly string[] = []): Promise<void> => {
    const { alg } = change
    if (change.change === 'remove') {
      const { kid } = change
      await store.removeSigningKey(kid, clock.now(), audit('keys.removed', actor, { alg, kid }))
      return read()
    }
    const next = await makeNext(alg)
    if (change.change === 'activate') {
      const { kid, retire } = change
      const detail = { alg, kid, retired: retire, next: next.kid, ...(unaware.length === 0 ? {} : { unaware }) }
      await store.activateSigningKey({ kid, retire, next, now: clock.now() }, audit('keys.rotated', actor, detail))
      return read()
    }
    const keys = change.change === 'found' ? [next, await makeActive(next)] : [next]
    const kids = keys.map(({ kid }) => kid)
    await store.insertSigningKeys(keys, audit('keys.created', actor, { alg, kids }))
    return read()
  }

  /** Reads first: what is missing here may have been made elsewhere. */
  const makeMissing = async (alg: SigningAlgorithm, actor: string) => {
    await read()
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const change = missingKeys(keyring.records, alg)
      if (change === undefined) return
      await carryOut(change, actor)
    }
    throw new Error(`no ${alg} key could be made`)
  }

  /** Who would refuse what the next key signs, were it active now. */
  const unawareNow = (alg: SigningAlgorithm, fetchers: readonly KeyFetcher[]): readonly KeyFetcher[] => {
    const [active, next] = [activeKey(keyring.records, alg), nextKey(keyring.records, alg)]
    if (active === undefined || next === undefined) return []
    return unawareOf(fetchers, { alg, active: active.kid, next: next.kid })
  }

  const rotate: SigningKeys['rotate'] = async ({ alg = 'RS256', actor, emergency, ...request }) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await makeMissing(alg, actor)
      const retired = activeKey(keyring.records, alg)?.kid ?? null
      const fetchers = await readFetchers(store)
      const unaware = unawareNow(alg, fetchers)
      if (emergency) {
        if ((await replaceAll(alg, actor, retired)) === 'lost_race') continue
      } else {
        const plan = planRotation(keyring.records, clock.now(), policy, alg, request, fetchers)
        if (plan.outcome === 'too_early' || plan.outcome === 'waiting') return plan
        if (plan.outcome === 'no_next_key') continue
        await carryOut({ change: 'activate', alg, kid: plan.kid, retire: plan.retire }, actor, named(unaware))
      }
      // Whoever moved it on: a second rotation would only use up the next key as well.
      const active = activeKey(keyring.records, alg)
      if (active !== undefined && active.kid !== retired) {
        return { outcome: 'rotated', kid: active.kid, retired, unaware }
      }
    }
    throw new Error(`the ${alg} key could not be rotated`)
  }

  const replaceAll = async (alg: SigningAlgorithm, actor: string, retired: string | null) => {
    const next = await makeNext(alg)
    const active = await makeActive(next)
    const detail = { alg, kid: active.kid, retired, next: next.kid, emergency: true }
    const change = { alg, keys: [active, next], now: clock.now() }
    const outcome = await store.replaceSigningKeys(change, audit('keys.rotated', actor, detail))
    await read()
    return outcome
  }

  /** Rotations that somebody has been told of: they wait for days, and this runs every minute. */
  const told = new Set<string>()

  const runSchedule = async (): Promise<readonly Waiting[]> => {
    await read()
    const algorithms = new Set<SigningAlgorithm>(['RS256', ...keyring.active.keys()])
    for (const alg of await store.algorithmsInUse()) if (isSigningAlgorithm(alg)) algorithms.add(alg)
    const fetchers = await readFetchers(store)
    const waiting = [...algorithms].flatMap(
      (alg) => waitingFor(keyring.records, clock.now(), policy, alg, fetchers) ?? [],
    )
    const news = waiting.filter(({ kid, due }) => due && !told.has(kid))
    for (const { alg, kid, until, fetchers } of news) {
      await store.appendAudit(audit('keys.rotation_waits', 'system', { alg, kid, until, fetchers: named(fetchers) }))
      told.add(kid)
    }
    for (const change of dueChanges(keyring.records, clock.now(), policy, [...algorithms], fetchers)) {
      await carryOut(change, 'system', named(unawareNow(change.alg, fetchers)))
    }
    return news
  }

  const ensure = (alg: SigningAlgorithm) => inTurn(() => makeMissing(alg, 'system'))

  await inTurn(runSchedule)

  return {
    async sign(alg, typ, payload) {
      if (!keyring.active.has(alg)) await ensure(alg)
      const key = keyring.active.get(alg)
      if (key === undefined) throw new Error(`no active ${alg} key`)
      return key.sign(typ, payload)
    },
    verificationKey(kid) {
      return keyring.loaded.get(kid)
    },
    get jwks() {
      return keyring.jwks
    },
    get algorithms() {
      return [...keyring.active.keys()]
    },
    list() {
      return keyring.records.map((record) => {
        const { kid, alg, created_at, activated_at, retired_at } = record
        return { kid, alg, state: keyState(record), created_at, activated_at, retired_at }
      })
    },
    ensure,
    fetchers: () => readFetchers(store),
    waiting(alg, fetchers) {
      return waitingFor(keyring.records, clock.now(), policy, alg, fetchers)
    },
    reload() {
      return inTurn(read)
    },
    runSchedule() {
      return inTurn(runSchedule)
    },
    rotate(request) {
      return inTurn(() => rotate(request))
    },
  }
}

/** For the audit trail, in few words. */
function named(fetchers: readonly KeyFetcher[]): readonly string[] {
  return fetchers.slice(0, MOST_NAMED).map(({ resource, address_prefix, agent }) => {
    return `${resource} from ${address_prefix} with ${agent}`
  })
}

function isSigningAlgorithm(alg: string): alg is SigningAlgorithm {
  return SIGNING_ALGORITHMS.some((known) => known === alg)
}
