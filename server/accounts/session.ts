/**
 * Sessions: who is signed in at a browser, since when and until when.
 *
 * @see [OWASP Session Management](https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html)
 */
import type { Config } from '../../config/schema.ts'
import type { Vault } from '../../keys/vault.ts'
import type { Caller, Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Account } from '../protocol/account.ts'
import { randomId } from '../protocol/random_id.ts'
import { isSessionLive, type Session, type SessionEndedBecause } from '../protocol/session.ts'
import type { Seconds } from '../protocol/time.ts'
import type { SessionContext } from '../storage/records.ts'

export type SessionDeps = Pick<Deps, 'store' | 'clock' | 'random'> & {
  readonly vault: Pick<Vault, 'digest'>
  readonly config: Pick<Config, 'sessions' | 'authorization'>
}

/** A session that signs its browser in, of an account that may be signed in. */
export interface LiveSession {
  readonly session: Session
  readonly account: Account
}

/** A sign-in that has succeeded, and what it may change. */
export interface NewSignIn {
  readonly account: Account
  /** Throttle keys of the attempts that led here. */
  readonly give_back: readonly string[]
  /** RFC 8176: how the person was recognised. */
  readonly amr: readonly string[]
  readonly remember: boolean
  /** Of this browser until now. */
  readonly current: Session | undefined
  /** The paused request that asked for it. */
  readonly interaction_id: string | null
}

export type SessionStart =
  /** `handle` goes into the cookie and is kept nowhere. */
  | { readonly outcome: 'signed_in'; readonly handle: string; readonly session: Session }
  | { readonly outcome: 'account_disabled' | 'interaction_gone' }

const HANDLE_BYTES = 32
/** 256 bits in base64url. */
const HANDLE = /^[\w-]{43}$/
const TOUCH_SECONDS = 60

export function isHandle(value: string): boolean {
  return HANDLE.test(value)
}

/** 256 random bits, base64url: what a browser's cookies hold. */
export function newHandle(random: Deps['random']): string {
  return Buffer.from(random.bytes(HANDLE_BYTES)).toString('base64url')
}

/**
 * The session that a handle opens, if it signs anybody in now. Being seen moves its idle lifetime, once a minute at most.
 *
 * @param handle as the cookie had it: anything at all
 */
export async function findLiveSession(deps: SessionDeps, handle: string): Promise<LiveSession | undefined> {
  if (!isHandle(handle)) return undefined
  return whileLive(deps, await deps.store.findSessionByHandle(deps.vault.digest('session', handle)))
}

/**
 * The same for who has shown otherwise that the session is theirs.
 *
 * @param session_id opens nothing by itself: never as a request has it
 */
export async function findLiveSessionById(deps: SessionDeps, session_id: string): Promise<LiveSession | undefined> {
  return whileLive(deps, await deps.store.findSession(session_id))
}

async function whileLive(deps: SessionDeps, context: SessionContext | undefined): Promise<LiveSession | undefined> {
  const now = deps.clock.now()
  if (context === undefined || !isSessionLive(context.session, now)) return undefined
  const { session, account } = context
  if (account === undefined || account.disabled_at !== null) return undefined
  const not_before = now - TOUCH_SECONDS
  if (session.last_seen_at <= not_before) {
    const idle_expires_at = idleExpiry(session, now, deps.config.sessions.idle_seconds)
    await deps.store.touchSession(session.session_id, now, idle_expires_at, not_before)
  }
  return { session, account }
}

/**
 * Signs a browser in, always under a new handle, so that nobody who knew the one before is signed in with it. The same
 * account keeps its session, and with it the `sid` that clients know; a session of another account ends.
 */
export async function signInSession(deps: SessionDeps, signIn: NewSignIn, caller: Caller): Promise<SessionStart> {
  const { current, give_back, interaction_id, account } = signIn
  const handle = newHandle(deps.random)
  const fresh = newSession(deps, signIn, handle, caller)
  if (current?.account_id === account.account_id) {
    const { session_id, created_at } = current
    const session = { ...fresh, session_id, created_at }
    const context = { expected_handle_digest: current.handle_digest, give_back, interaction_id }
    const outcome = await deps.store.renewSession(session, context, auditOf(deps, session, caller, 'session.renewed'))
    if (outcome === 'renewed') return { outcome: 'signed_in', handle, session }
    if (outcome !== 'stale') return { outcome }
    // Somebody was faster in this session, or it has ended meanwhile: this sign-in has one of its own.
  }
  const replaced = current?.account_id === account.account_id ? undefined : current
  const context = { replaces: replaced?.session_id ?? null, give_back, interaction_id }
  const audit = auditOf(deps, fresh, caller, 'session.started')
  if (replaced !== undefined) audit.push(endedRecord(deps, replaced, 'signed_in_again', caller))
  const outcome = await deps.store.startSession(fresh, context, audit)
  return outcome === 'started' ? { outcome: 'signed_in', handle, session: fresh } : { outcome }
}

/** Ends a session and what hangs on it. */
export async function endSession(
  deps: Pick<Deps, 'store' | 'clock' | 'random'>,
  session: Session,
  because: SessionEndedBecause,
  caller: Caller,
): Promise<void> {
  const audit = [endedRecord(deps, session, because, caller)]
  await deps.store.endSession(session.session_id, because, deps.clock.now(), audit)
}

function endedRecord(
  deps: Pick<Deps, 'clock' | 'random'>,
  { session_id, account_id }: Session,
  because: SessionEndedBecause,
  caller: Caller,
) {
  return auditRecord(deps, 'session.ended', { account_id, session_id, caller, detail: { because } })
}

function newSession(
  deps: SessionDeps,
  { account, amr, remember, current }: NewSignIn,
  handle: string,
  caller: Caller,
): Session {
  const now = deps.clock.now()
  const { sessions, authorization } = deps.config
  // What was to be kept stays kept when the same person only proves again who they are.
  const remembered = remember || (current?.account_id === account.account_id && current.remembered)
  const absolute_expires_at = now + (remembered ? sessions.remembered_seconds : sessions.absolute_seconds)
  return {
    session_id: randomId(deps.random),
    handle_digest: deps.vault.digest('session', handle),
    account_id: account.account_id,
    auth_time: now,
    amr,
    acr: authorization.acr_values[0] ?? null,
    remembered,
    idle_expires_at: idleExpiry({ remembered, absolute_expires_at }, now, sessions.idle_seconds),
    absolute_expires_at,
    last_seen_at: now,
    ended_at: null,
    ended_because: null,
    created_at: now,
    address_prefix: caller.address_prefix,
    user_agent: caller.user_agent,
  }
}

function idleExpiry(
  session: Pick<Session, 'remembered' | 'absolute_expires_at'>,
  now: Seconds,
  idle_seconds: Seconds,
): Seconds {
  return session.remembered ? session.absolute_expires_at : Math.min(now + idle_seconds, session.absolute_expires_at)
}

function auditOf(
  deps: Pick<Deps, 'clock' | 'random'>,
  { account_id, session_id, amr, remembered }: Session,
  caller: Caller,
  event: 'session.started' | 'session.renewed',
) {
  const fields = { account_id, session_id, caller }
  return [
    auditRecord(deps, 'sign_in.succeeded', { ...fields, detail: { amr } }),
    auditRecord(deps, event, { ...fields, detail: { remembered } }),
  ]
}
