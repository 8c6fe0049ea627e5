/**
 * Whether a token was revoked, by lists and, where there is one, by the stream.
 *
 * What happens in an outage is decided here and in `issuer_keys.ts`, and nowhere else.
 */
import { type AccessTokenClaims, isObject } from './access_token.ts'
import { type Documents, KNOWN_DOWN_SECONDS, NoDocument } from './documents.ts'
import { parsed, type Settings } from './options.ts'
import type { RevocationStream, StreamEvents } from './revocation_stream.ts'
import type { VerifyJwt } from './signed_jwt.ts'
import {
  readStatusList,
  referenceOf,
  revokeAt,
  type StatusList,
  type StatusReference,
  statusAt,
} from './status_list.ts'
import { VerifierError } from './verifier_error.ts'

const LIST_TYP = 'statuslist+jwt'
const MAX_LIST_BYTES = 1024 * 1024
const MAX_LISTS = 100
/** Revocations that are remembered beside the lists. */
const MAX_HEARD = 100_000
/** Longer than a list is kept without being asked for again. */
const HEARD_SECONDS = 86_400
/** The part of its life after which a list is fetched anew in the background. */
const REFRESH_AT = 0.8
/** The list may come from another node of the issuer than the stream: they hear from each other within so long. */
const NODES_DIFFER_SECONDS = 5
/** Between the issuer's clock and ours, when it is asked whether a list knows what was heard. */
const CLOCKS_DIFFER_SECONDS = 60

export interface TokenStatus {
  /** @returns what is wrong with the token, for the log. @throws VerifierError, 503, by the policy for outages */
  check(claims: AccessTokenClaims): undefined | string | Promise<undefined | string>
  /** What the stream tells. */
  readonly events: StreamEvents
}

interface Kept {
  list: StatusList | undefined
  fetched_at: number
  /** A list from before this is not taken for fresh. */
  outdated: boolean
  /** Since when none could be fetched. */
  failing_since: number | undefined
  quiet_until: number
  fetching: Promise<void> | undefined
}

interface Tools {
  readonly documents: Documents
  readonly verifyJwt: VerifyJwt
  /** Undefined: there is none. */
  readonly stream: () => RevocationStream | undefined
}

export function tokenStatus(settings: Settings, { documents, verifyJwt, stream }: Tools): TokenStatus {
  const { now, issuer, status_outage, cool_down_seconds, status_list_origins } = settings
  const lists = new Map<string, Kept>()
  const heard_tokens = new Map<string, number>()
  const heard_grants = new Map<string, { readonly reference: StatusReference; readonly at: number }>()

  /** @returns epoch seconds until when a list may be judged by without asking for a newer one */
  function freshUntil({ list, fetched_at, outdated }: Kept): number {
    if (list === undefined || outdated) return Number.NEGATIVE_INFINITY
    const expires_at = list.exp ?? Number.POSITIVE_INFINITY
    const complete_since = stream()?.completeSince()
    // All that happened since the list was made was heard.
    if (complete_since !== undefined && list.iat > complete_since + NODES_DIFFER_SECONDS) return expires_at
    return Math.min(fetched_at + list.ttl, expires_at)
  }

  function keptFor(uri: string): Kept {
    const known = lists.get(uri)
    if (known !== undefined) return known
    const [oldest] = lists.keys()
    if (lists.size >= MAX_LISTS && oldest !== undefined) lists.delete(oldest)
    const made: Kept = {
      list: undefined,
      fetched_at: 0,
      outdated: false,
      failing_since: undefined,
      quiet_until: 0,
      fetching: undefined,
    }
    lists.set(uri, made)
    return made
  }

  async function refetch(uri: string, kept: Kept): Promise<void> {
    const fetched_at = now()
    try {
      const wanted = { accept: `application/${LIST_TYP}`, max_bytes: MAX_LIST_BYTES, no_cache: kept.outdated }
      const claims = await verifyJwt((await documents.fetch(uri, wanted)).text.trim(), LIST_TYP)
      if (typeof claims === 'string') throw new NoDocument(`${uri}: ${claims}`)
      const list = await readStatusList(claims, { uri, issuer, now: now() - settings.clock_tolerance_seconds })
      if (typeof list === 'string') throw new NoDocument(`${uri}: ${list}`)
      // A cache on the way may have an older one than we have.
      if (kept.list === undefined || list.iat >= kept.list.iat) kept.list = list
      for (const { reference, at } of heard_grants.values()) {
        if (reference.uri !== uri) continue
        // The list was made later, and says itself what is so.
        if (at < list.iat - CLOCKS_DIFFER_SECONDS) heard_grants.delete(`${reference.idx} ${uri}`)
        else revokeAt(kept.list, reference.idx)
      }
      kept.fetched_at = fetched_at
      kept.outdated = false
      kept.failing_since = undefined
    } catch (cause) {
      kept.failing_since ??= now()
      settings.on_problem({ what: 'a status list could not be fetched', cause })
    }
    // Also after a success: a list that is too short must not be asked for at each request.
    const ttl = kept.failing_since === undefined ? kept.list?.ttl : undefined
    kept.quiet_until = now() + Math.min(cool_down_seconds, ttl ?? cool_down_seconds)
    kept.fetching = undefined
  }

  function fetchUnlessQuiet(uri: string, kept: Kept): Promise<void> | undefined {
    if (kept.fetching === undefined && now() >= kept.quiet_until) kept.fetching = refetch(uri, kept)
    return kept.fetching
  }

  /** The policy for outages: whether tokens are still taken by what is known. */
  function isTolerated(kept: Kept): boolean {
    const { failing_since } = kept
    if (failing_since === undefined || status_outage === 'refuse') return failing_since === undefined
    return now() - Math.max(failing_since, freshUntil(kept)) < status_outage.accept_seconds
  }

  async function checkSlowly({ uri, idx }: StatusReference, kept: Kept): Promise<string | undefined> {
    // Nobody waits for an issuer that is known to be down, if there is something to judge by.
    const is_down = kept.failing_since !== undefined && now() < kept.quiet_until + KNOWN_DOWN_SECONDS
    const fetching = fetchUnlessQuiet(uri, kept)
    if (!(is_down && kept.list !== undefined && isTolerated(kept))) await fetching
    const status = kept.list && statusAt(kept.list, idx)
    // What was revoked stays so, whatever the list's age.
    if (status !== undefined && status !== 0) return 'revoked, by the status list'
    if (kept.failing_since !== undefined && now() >= freshUntil(kept)) {
      if (isTolerated(kept)) return undefined
      const retry_after_seconds = kept.quiet_until - now()
      const reason = 'the status list cannot be fetched'
      throw new VerifierError('temporarily_unavailable', { reason, retry_after_seconds })
    }
    // §8.3: no statement can be made, and the token MUST be rejected.
    return status === undefined ? 'the status list does not reach so far' : undefined
  }

  /** A token ends with the one that was revoked, and with each that it was exchanged from (RFC 8693). */
  function wasHeardOf({ jti, exchanged_from }: AccessTokenClaims): boolean {
    if (heard_tokens.size === 0) return false
    const origins: readonly unknown[] = Array.isArray(exchanged_from) ? exchanged_from : []
    return [jti, ...origins.map((origin) => isObject(origin) && origin.jti)].some(
      (name) => typeof name === 'string' && heard_tokens.has(name),
    )
  }

  function check(claims: AccessTokenClaims): undefined | string | Promise<undefined | string> {
    if (wasHeardOf(claims)) return 'revoked, by the stream'
    const reference = referenceOf(claims.status)
    if (reference === undefined || typeof reference === 'string') return reference
    const { uri, idx } = reference
    const known = lists.get(uri)
    if (known === undefined && !status_list_origins.includes(parsed(uri)?.origin ?? ''))
      return 'the status list is not on an origin that is trusted with lists'
    if (heard_grants.size > 0 && heard_grants.has(`${idx} ${uri}`)) return 'revoked, by the stream'
    const kept = known ?? keptFor(uri)
    const fresh_until = freshUntil(kept)
    const at = now()
    const found = kept.list === undefined || at >= fresh_until ? undefined : statusAt(kept.list, idx)
    if (found === undefined) return checkSlowly(reference, kept)
    if (at >= kept.fetched_at + (fresh_until - kept.fetched_at) * REFRESH_AT) void fetchUnlessQuiet(uri, kept)
    return found === 0 ? undefined : 'revoked, by the status list'
  }

  return {
    check,
    events: {
      onGrantRevoked(reference) {
        const { list } = lists.get(reference.uri) ?? {}
        if (list !== undefined) revokeAt(list, reference.idx)
        for (const [name, { at }] of heard_grants) {
          if (at > now() - HEARD_SECONDS) break
          heard_grants.delete(name)
        }
        // Until a list that was made later has it, too.
        remember(heard_grants, `${reference.idx} ${reference.uri}`, { reference, at: now() })
      },
      onTokenRevoked(jti, exp) {
        const passed = now() - settings.clock_tolerance_seconds
        if (heard_tokens.size >= MAX_HEARD)
          for (const [old, at] of heard_tokens) if (at <= passed) heard_tokens.delete(old)
        remember(heard_tokens, jti, exp)
      },
      onReset: outdateLists,
    },
  }

  function remember<Value>(heard: Map<string, Value>, name: string, value: Value): void {
    const [oldest] = heard.keys()
    if (heard.size >= MAX_HEARD && oldest !== undefined) heard.delete(oldest)
    heard.set(name, value)
  }

  function outdateLists(): void {
    for (const kept of lists.values()) {
      kept.outdated = true
      kept.quiet_until = 0
    }
  }
}
