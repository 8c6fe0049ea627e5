import type { Client } from '../protocol/client.ts'
import type { Session, SessionEndedBecause } from '../protocol/session.ts'
import type { Seconds } from '../protocol/time.ts'
import { type AccountColumns, enabledSteps, joinedAccount } from './account_store.ts'
import { type ClientRow, clientOf } from './client_store.ts'
import type { Driver, SqlValue, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, Page, PageRequest, SessionContext, SessionSelector } from './records.ts'
import { SELECT_DISABLED_ACCOUNT } from './statements.ts'
import { NOTE_SIGN_IN } from './statements_authorization.ts'
import * as sql from './statements_sessions.ts'
import { giveBackSteps } from './throttle_store.ts'
import { decide, type NamedStep, transition } from './transition.ts'

interface SessionRow extends Omit<Session, 'amr' | 'remembered'> {
  readonly amr: string
  readonly remembered: number
}
type SessionContextRow = SessionRow & AccountColumns

export interface SessionStore {
  /**
   * A sign-in: creates the session, ends the one that this browser had (`replaces`, with what hangs on it), gives back
   * the throttled attempts, and notes in the interaction that led here when the person signed in.
   */
  startSession(
    session: Session,
    context: {
      readonly replaces: string | null
      readonly give_back: readonly string[]
      readonly interaction_id: string | null
    },
    audit: Audit,
  ): Promise<'started' | 'account_disabled' | 'interaction_gone'>
  /**
   * Who signs in again in the session they have: a new handle and `auth_time`, if the old handle is still current; and the
   * note in the interaction, as with {@link SessionStore.startSession}.
   */
  renewSession(
    session: Session,
    context: {
      readonly expected_handle_digest: string
      readonly give_back: readonly string[]
      readonly interaction_id: string | null
    },
    audit: Audit,
  ): Promise<'renewed' | 'stale' | 'account_disabled' | 'interaction_gone'>
  /** A session and its account, read at once. */
  findSessionByHandle(handle_digest: string): Promise<SessionContext | undefined>
  findSession(session_id: string): Promise<SessionContext | undefined>
  /** Moves the idle lifetime. At most once a minute for each session: `not_before` is a minute ago. */
  touchSession(session_id: string, now: Seconds, idle_expires_at: Seconds, not_before: Seconds): Promise<void>
  /**
   * Ends one session: its grants without `offline_access` are revoked (`signed_out`), and a delivery is queued for each
   * client that it signed in to and whose metadata has a `backchannel_logout_uri`. All in one commit.
   */
  endSession(
    session_id: string,
    because: SessionEndedBecause,
    now: Seconds,
    audit: Audit,
  ): Promise<'ended' | 'already_ended' | 'not_found'>
  /** The same for many. @returns how many it ended. */
  endSessions(selector: SessionSelector, because: SessionEndedBecause, now: Seconds, audit: Audit): Promise<number>
  /** Sessions first to last created, ended ones until they are swept. */
  listSessions(filter: { account_id?: string }, page: PageRequest): Promise<Page<Session>>
  /** The clients that a session has signed somebody in to. */
  listSessionClients(session_id: string): Promise<Client[]>
}

export function sessionStore(driver: Driver): SessionStore {
  async function findOne(text: string, value: string): Promise<SessionContext | undefined> {
    const [row] = await driver.query<SessionContextRow>(text, [value])
    return row && { session: sessionOf(row), account: joinedAccount(row) }
  }

  return {
    async startSession(session, { replaces, give_back, interaction_id }, audit) {
      type Outcome = Awaited<ReturnType<SessionStore['startSession']>>
      const steps: NamedStep<Outcome>[] = [
        ...enabledSteps(session.account_id),
        ...signInSteps(interaction_id, session.auth_time),
        { sql: sql.INSERT_SESSION, values: valuesOf(session) },
      ]
      if (replaces !== null) steps.push(...endSteps({ session_id: replaces }, 'signed_in_again', session.created_at))
      return decide(driver, [...steps, ...giveBackSteps(give_back)], audit, 'started')
    },

    async renewSession(session, { expected_handle_digest, give_back, interaction_id }, audit) {
      type Outcome = Awaited<ReturnType<SessionStore['renewSession']>>
      const { session_id, account_id, handle_digest, auth_time, acr, idle_expires_at, absolute_expires_at } = session
      const { last_seen_at, address_prefix, user_agent } = session
      const how = [auth_time, JSON.stringify(session.amr), acr, session.remembered ? 1 : 0]
      const values = [session_id, account_id, expected_handle_digest, handle_digest, ...how, idle_expires_at]
      values.push(absolute_expires_at, last_seen_at, address_prefix, user_agent)
      const steps: NamedStep<Outcome>[] = [
        ...enabledSteps(account_id),
        { sql: sql.RENEW_SESSION, values, must_change: 1, otherwise: 'stale' },
        ...signInSteps(interaction_id, auth_time),
      ]
      return decide(driver, [...steps, ...giveBackSteps(give_back)], audit, 'renewed')
    },

    findSessionByHandle(handle_digest) {
      return findOne(sql.SELECT_SESSION_BY_HANDLE, handle_digest)
    },

    findSession(session_id) {
      return findOne(sql.SELECT_SESSION, session_id)
    },

    async touchSession(session_id, now, idle_expires_at, not_before) {
      await driver.batch([{ sql: sql.TOUCH_SESSION, values: [session_id, now, idle_expires_at, not_before] }])
    },

    async endSession(session_id, because, now, audit) {
      const [end, ...rest] = endSteps({ session_id }, because, now)
      const outcome = await transition(driver, [{ ...end, must_change: 1 }, ...rest], audit)
      if (outcome.committed) return 'ended'
      const rows = await driver.query(sql.SELECT_SESSION_ID, [session_id])
      return rows.length === 0 ? 'not_found' : 'already_ended'
    },

    async endSessions(selector, because, now, audit) {
      const outcome = await transition(driver, endSteps(selector, because, now), audit)
      return outcome.committed ? (outcome.results[0]?.changes ?? 0) : 0
    },

    async listSessions(filter, page) {
      const filters = (['account_id'] as const).filter((name) => filter[name] !== undefined)
      const after = readCursor(page.cursor, [-1, ''] as const)
      const values = [...after, page.limit + 1, ...filters.map((name) => filter[name] ?? null)]
      const rows = await driver.query<SessionRow>(sql.listSessions(filters), values)
      return pageOf(rows.map(sessionOf), page, (last) => [last.created_at, last.session_id])
    },

    async listSessionClients(session_id) {
      const rows = await driver.query<ClientRow>(sql.LIST_SESSION_CLIENTS, [session_id])
      return rows.map(clientOf)
    },
  }
}

/** The session of an account has to be live still, and stays so until the batch has ended. */
export function liveSessionStep(session_id: string, account_id: string, now: Seconds) {
  const values = [session_id, account_id, now]
  return { sql: sql.HOLD_LIVE_SESSION, values, must_change: 1, otherwise: 'session_ended' } as const
}

/** Disabling an account ends its sessions: which of the two was it? */
export async function whySessionEnded(
  driver: Driver,
  account_id: string,
): Promise<'account_disabled' | 'session_ended'> {
  const rows = await driver.query(SELECT_DISABLED_ACCOUNT, [account_id])
  return rows.length > 0 ? 'account_disabled' : 'session_ended'
}

/** The first step ends the sessions; the others do what hangs on the ends that it has made. */
/** Ends sessions, and what ends with them. */
export function endSteps(
  selector: SessionSelector & { session_id?: string },
  because: SessionEndedBecause,
  now: Seconds,
): [Step, ...Step[]] {
  const conditions = sql.END_CONDITION_NAMES.filter((name) => selector[name] !== undefined)
  if (conditions.length === 0) throw new TypeError('an end of sessions names at least one condition')
  const values = [now, because, ...conditions.map((name) => selector[name] ?? null)]
  return [
    { sql: sql.endSessions(conditions), values },
    { sql: sql.revokeGrantsOfEnded(conditions), values },
    { sql: sql.queueDeliveries(conditions), values },
  ]
}

/** Notes in the interaction that led to a sign-in when it was. */
function signInSteps(interaction_id: string | null, auth_time: Seconds): NamedStep<'interaction_gone'>[] {
  if (interaction_id === null) return []
  return [{ sql: NOTE_SIGN_IN, values: [interaction_id, auth_time], must_change: 1, otherwise: 'interaction_gone' }]
}

function sessionOf(row: SessionRow): Session {
  return {
    session_id: row.session_id,
    handle_digest: row.handle_digest,
    account_id: row.account_id,
    auth_time: row.auth_time,
    amr: JSON.parse(row.amr),
    acr: row.acr,
    remembered: row.remembered === 1,
    idle_expires_at: row.idle_expires_at,
    absolute_expires_at: row.absolute_expires_at,
    last_seen_at: row.last_seen_at,
    ended_at: row.ended_at,
    ended_because: row.ended_because,
    created_at: row.created_at,
    address_prefix: row.address_prefix,
    user_agent: row.user_agent,
  }
}

function valuesOf(session: Session): SqlValue[] {
  return [
    session.session_id,
    session.handle_digest,
    session.account_id,
    session.auth_time,
    JSON.stringify(session.amr),
    session.acr,
    session.remembered ? 1 : 0,
    session.idle_expires_at,
    session.absolute_expires_at,
    session.last_seen_at,
    session.ended_at,
    session.ended_because,
    session.created_at,
    session.address_prefix,
    session.user_agent,
  ]
}
