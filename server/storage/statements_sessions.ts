/** Every SQL text about sessions and what their end sets going. */
import { ACCOUNT, CLIENT, insert, list, OR_NOTHING, prefixed, qualified, REVOKED, sweep } from './columns.ts'

const SESSION = [
  'session_id',
  'handle_digest',
  'account_id',
  'auth_time',
  'amr',
  'acr',
  'remembered',
  'idle_expires_at',
  'absolute_expires_at',
  'last_seen_at',
  'ended_at',
  'ended_because',
  'created_at',
  'address_prefix',
  'user_agent',
] as const
const LOGOUT_DELIVERY = [
  'session_id',
  'client_id',
  'account_id',
  'attempts',
  'next_attempt_at',
  'delivered_at',
  'failed_at',
  'last_error',
  'created_at',
] as const

// Sessions

export const INSERT_SESSION = insert('sessions', SESSION)
export const RENEW_SESSION = `UPDATE sessions SET handle_digest = $4, auth_time = $5, amr = $6, acr = $7, remembered = $8,
    idle_expires_at = $9, absolute_expires_at = $10, last_seen_at = $11, address_prefix = $12, user_agent = $13
  WHERE session_id = $1 AND account_id = $2 AND handle_digest = $3 AND ended_at IS NULL`
const SESSION_CONTEXT = `SELECT ${qualified('sessions', SESSION)}, ${prefixed('account', ACCOUNT)}
  FROM sessions LEFT JOIN accounts AS account ON account.account_id = sessions.account_id`
// IN, not =: see SELECT_ACCOUNT_BY_IDENTIFIER.
export const SELECT_SESSION_BY_HANDLE = `${SESSION_CONTEXT} WHERE sessions.handle_digest IN ($1)`
export const SELECT_SESSION = `${SESSION_CONTEXT} WHERE sessions.session_id IN ($1)`
export const SELECT_SESSION_ID = 'SELECT session_id FROM sessions WHERE session_id = $1'
export const TOUCH_SESSION = `UPDATE sessions SET last_seen_at = $2, idle_expires_at = $3
  WHERE session_id = $1 AND last_seen_at <= $4 AND ended_at IS NULL AND idle_expires_at > $2 AND absolute_expires_at > $2`
/**
 * Changes nothing: whoever ends the session at the same time waits for this batch, or this batch for them. An account
 * that is disabled has no live session, so that this holds the account as well.
 */
export const HOLD_LIVE_SESSION = `UPDATE sessions SET last_seen_at = last_seen_at
  WHERE session_id = $1 AND account_id = $2
    AND ended_at IS NULL AND idle_expires_at > $3 AND absolute_expires_at > $3`
export const INSERT_SESSION_CLIENT = insert('session_clients', ['session_id', 'client_id', 'created_at'], OR_NOTHING)
export const LIST_SESSION_CLIENTS = `SELECT ${qualified('clients', CLIENT)}
  FROM session_clients JOIN clients ON clients.client_id = session_clients.client_id
  WHERE session_clients.session_id IN ($1) ORDER BY session_clients.client_id`
export function listSessions(filters: readonly 'account_id'[]): string {
  return list('sessions', SESSION, ['created_at', 'session_id'], filters)
}

// The end of sessions: `$1` now, `$2` why, then one parameter for each condition, in its order. At least one condition.

const END_CONDITIONS = {
  session_id: (parameter: string) => `sessions.session_id = ${parameter}`,
  account_id: (parameter: string) => `sessions.account_id = ${parameter}`,
  created_before: (parameter: string) => `sessions.created_at < ${parameter}`,
}
export type EndCondition = keyof typeof END_CONDITIONS
export const END_CONDITION_NAMES: readonly EndCondition[] = ['session_id', 'account_id', 'created_before']

function whereEnding(conditions: readonly EndCondition[]): string {
  return conditions.map((name, index) => ` AND ${END_CONDITIONS[name](`$${index + 3}`)}`).join('')
}
/** Those that {@link endSessions} has just ended: it holds them until the commit. */
function justEnded(conditions: readonly EndCondition[]): string {
  return `sessions.ended_at = $1 AND sessions.ended_because = $2${whereEnding(conditions)}`
}
export function endSessions(conditions: readonly EndCondition[]): string {
  return `UPDATE sessions SET ended_at = $1, ended_because = $2 WHERE ended_at IS NULL${whereEnding(conditions)}`
}
/** `replace`, as LIKE knows `_` and SQLite's the case of no letter. */
export function revokeGrantsOfEnded(conditions: readonly EndCondition[]): string {
  return `UPDATE grants SET revoked_at = $1, revoked_because = 'signed_out'
  WHERE revoked_at IS NULL AND replace(' ' || scope || ' ', ' offline_access ', '') = ' ' || scope || ' '
    AND session_id IN (SELECT sessions.session_id FROM sessions WHERE ${justEnded(conditions)}) ${REVOKED}`
}
/**
 * The metadata is what `JSON.stringify` made, where a quote inside a string is escaped: the text can only be a member's
 * name. That of a nested object at worst queues a delivery with nowhere to go, which has to be met anyway: the client may
 * take its address back before it is tried. So it needs no column of its own.
 */
export function queueDeliveries(conditions: readonly EndCondition[]): string {
  return `INSERT INTO logout_deliveries (session_id, client_id, account_id, attempts, next_attempt_at, created_at)
  SELECT sessions.session_id, clients.client_id, sessions.account_id, 0, CAST($1 AS bigint), CAST($1 AS bigint)
  FROM sessions
  JOIN session_clients ON session_clients.session_id = sessions.session_id
  JOIN clients ON clients.client_id = session_clients.client_id
  WHERE ${justEnded(conditions)}
    AND replace(clients.metadata, '"backchannel_logout_uri":', '') <> clients.metadata
  ON CONFLICT DO NOTHING`
}
export const END_SESSIONS_OF_ACCOUNT = endSessions(['account_id'])
export const QUEUE_DELIVERIES_OF_ACCOUNT = queueDeliveries(['account_id'])

// Deliveries

/** What is due is asked again outside, where the other node's claim is seen that this one waited for. */
export const CLAIM_LOGOUT_DELIVERIES = `UPDATE logout_deliveries SET next_attempt_at = $2, attempts = attempts + 1
  WHERE (session_id, client_id) IN (
      SELECT session_id, client_id FROM logout_deliveries
      WHERE delivered_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $3)
    AND delivered_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1
  RETURNING ${LOGOUT_DELIVERY.join(', ')}`
export const SETTLE_LOGOUT_DELIVERY = `UPDATE logout_deliveries
  SET next_attempt_at = $3, delivered_at = $4, failed_at = $5, last_error = $6
  WHERE session_id = $1 AND client_id = $2 AND delivered_at IS NULL AND failed_at IS NULL`
export function listLogoutDeliveries(filters: readonly ('client_id' | 'session_id')[]): string {
  return list('logout_deliveries', LOGOUT_DELIVERY, ['created_at', 'session_id', 'client_id'], filters)
}

// Sweeping

export const SWEEP_SESSIONS = sweep('sessions', 'session_id', 'absolute_expires_at <= $1')
export const SWEEP_ENDED_SESSIONS = sweep('sessions', 'session_id', 'ended_at <= $1')
export const SWEEP_LOGOUT_DELIVERIES = sweep(
  'logout_deliveries',
  '(session_id, client_id)',
  'created_at <= $1 AND (delivered_at IS NOT NULL OR failed_at IS NOT NULL)',
)
