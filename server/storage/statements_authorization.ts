/** Every SQL text about requests for authorization: paused and pushed ones, codes, devices, consents, registration. */
import { insert, insertSelect, list, OR_NOTHING, sweep } from './columns.ts'

const INTERACTION = [
  'interaction_id',
  'browser_digest',
  'request',
  'authenticated_at',
  'selected_at',
  'consented_at',
  'consented_session_id',
  'expires_at',
  'created_at',
] as const
const PUSHED_REQUEST = ['request_uri_digest', 'client_id', 'parameters', 'dpop_jkt', 'expires_at'] as const
const AUTHORIZATION_CODE = [
  'code_digest',
  'grant_id',
  'client_id',
  'account_id',
  'session_id',
  'redirect_uri',
  'redirect_uri_sent',
  'code_challenge',
  'dpop_jkt',
  'nonce',
  'scope',
  'resources',
  'claims',
  'authorization_details',
  'auth_time',
  'amr',
  'acr',
  'expires_at',
  'claimed_at',
] as const
const CONSENT = [
  'account_id',
  'client_id',
  'scope',
  'resources',
  'redirect_hosts',
  'claims',
  'granted_at',
  'updated_at',
] as const
const DEVICE_CODE = [
  'device_code_digest',
  'user_code_digest',
  'client_id',
  'grant_id',
  'scope',
  'resources',
  'authorization_details',
  'dpop_jkt',
  'interval_seconds',
  'last_polled_at',
  'claimed_session_id',
  'approved_at',
  'denied_at',
  'account_id',
  'auth_time',
  'amr',
  'acr',
  'redeemed_at',
  'expires_at',
  'created_at',
  'address_prefix',
  'user_agent',
] as const
const INITIAL_ACCESS_TOKEN = ['token_id', 'digest', 'uses_left', 'expires_at', 'created_at'] as const

// Interactions

export const INSERT_INTERACTION = insert('interactions', INTERACTION)
export const SELECT_INTERACTION = `SELECT ${INTERACTION.join(', ')} FROM interactions
  WHERE interaction_id = $1 AND browser_digest = $2 AND expires_at > $3`
export const PROGRESS_NAMES = ['authenticated_at', 'selected_at', 'consented_at', 'consented_session_id'] as const
/** `$1` which, then one parameter for each column, in its order. At least one column. */
export function updateInteraction(columns: readonly (typeof PROGRESS_NAMES)[number][]): string {
  const set = columns.map((column, index) => `${column} = $${index + 2}`)
  return `UPDATE interactions SET ${set.join(', ')} WHERE interaction_id = $1`
}
export const NOTE_SIGN_IN = updateInteraction(['authenticated_at'])
export const DELETE_INTERACTION = 'DELETE FROM interactions WHERE interaction_id = $1'
export const CLAIM_INTERACTION = 'DELETE FROM interactions WHERE interaction_id = $1 AND expires_at > $2'

// Pushed requests, codes and ids that are used once

export const INSERT_PUSHED_REQUEST = insert('pushed_requests', PUSHED_REQUEST)
export const CLAIM_PUSHED_REQUEST = `DELETE FROM pushed_requests
  WHERE request_uri_digest = $1 AND client_id = $2 AND expires_at > $3 RETURNING ${PUSHED_REQUEST.join(', ')}`

/**
 * `$20` now. Takes no lock: a code whose session ends at the same time may be there, but its exchange holds the session
 * and finds it ended.
 */
export const INSERT_AUTHORIZATION_CODE = `${insertSelect('authorization_codes', AUTHORIZATION_CODE, [
  'redirect_uri_sent',
  'auth_time',
  'expires_at',
  'claimed_at',
])}
  FROM sessions WHERE session_id = $5 AND account_id = $4
    AND ended_at IS NULL AND idle_expires_at > $20 AND absolute_expires_at > $20`
export const SELECT_AUTHORIZATION_CODE = `SELECT ${AUTHORIZATION_CODE.join(', ')} FROM authorization_codes
  WHERE code_digest = $1`
export const CLAIM_AUTHORIZATION_CODE = `UPDATE authorization_codes SET claimed_at = $2
  WHERE code_digest = $1 AND claimed_at IS NULL AND expires_at > $2`
/** Codes that rest on a consent that is withdrawn: they expire at once. */
export const EXPIRE_CODES_OF_CONSENT = `UPDATE authorization_codes SET expires_at = $3
  WHERE account_id = $1 AND client_id = $2 AND claimed_at IS NULL AND expires_at > $3`

export const CLAIM_ID = `INSERT INTO used_ids (id, expires_at) VALUES ($1, $2)
  ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at WHERE used_ids.expires_at <= $3`

export const SELECT_USED_ID = 'SELECT id FROM used_ids WHERE id = $1 AND expires_at > $2'

// Consents

export const SELECT_CONSENT = `SELECT ${CONSENT.join(', ')} FROM consents WHERE account_id = $1 AND client_id = $2`
export const INSERT_CONSENT = insert('consents', CONSENT, OR_NOTHING)
/** `$9` to `$14` what it is to be still: instants alone would not tell two changes within a second apart. */
export const REPLACE_CONSENT = `UPDATE consents SET scope = $3, resources = $4, redirect_hosts = $5, claims = $6,
    granted_at = $7, updated_at = $8
  WHERE account_id = $1 AND client_id = $2 AND scope = $9 AND resources = $10 AND redirect_hosts = $11 AND claims = $12
    AND granted_at = $13 AND updated_at = $14`
export function listConsents(filters: readonly ('account_id' | 'client_id')[]): string {
  return list('consents', CONSENT, ['account_id', 'client_id'], filters)
}
export const DELETE_CONSENT = 'DELETE FROM consents WHERE account_id = $1 AND client_id = $2'
export const DELETE_CONSENTS_OF_CLIENT = 'DELETE FROM consents WHERE client_id = $1'
/** For a client that may have come back to life before it could be deleted. */
export const DELETE_CONSENTS_OF_DELETED_CLIENT = `DELETE FROM consents WHERE client_id = $1
  AND NOT EXISTS (SELECT 1 FROM clients WHERE clients.client_id = $1)`

// Device codes

export const INSERT_DEVICE_CODE = insert('device_codes', DEVICE_CODE, OR_NOTHING)
export const SELECT_DEVICE_CODE = `SELECT ${DEVICE_CODE.join(', ')} FROM device_codes WHERE device_code_digest = $1`
export const SELECT_DEVICE_CODE_BY_USER_CODE = `SELECT ${DEVICE_CODE.join(', ')} FROM device_codes
  WHERE user_code_digest = $1 AND expires_at > $2`
export const CLAIM_DEVICE_CODE = `UPDATE device_codes SET claimed_session_id = $2
  WHERE device_code_digest = $1 AND (claimed_session_id IS NULL OR claimed_session_id = $2)
    AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $3`
const DECIDE = `WHERE device_code_digest = $1 AND claimed_session_id = $2
    AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $3`
export const APPROVE_DEVICE_CODE = `UPDATE device_codes
  SET approved_at = $3, account_id = $4, auth_time = $5, amr = $6, acr = $7 ${DECIDE}`
export const DENY_DEVICE_CODE = `UPDATE device_codes SET denied_at = $3 ${DECIDE}`
/** Devices that were let in on a consent that is withdrawn, and have not come for their tokens. */
export const DENY_DEVICES_OF_CONSENT = `UPDATE device_codes SET denied_at = $3
  WHERE account_id = $1 AND client_id = $2 AND denied_at IS NULL AND redeemed_at IS NULL AND expires_at > $3`
/** The same for everything that an account has let in: `$1` now. */
export const DENY_DEVICES_OF_ACCOUNT = `UPDATE device_codes SET denied_at = $1
  WHERE account_id = $2 AND denied_at IS NULL AND redeemed_at IS NULL AND expires_at > $1`
export const POLL_DEVICE_CODE = `UPDATE device_codes SET last_polled_at = $2
  WHERE device_code_digest = $1 AND (last_polled_at IS NULL OR last_polled_at + interval_seconds <= $2)`
/** RFC 8628 §3.5: the interval grows by 5 seconds for this and all later requests. */
export const SLOW_DEVICE_CODE_DOWN = `UPDATE device_codes
  SET last_polled_at = $2, interval_seconds = interval_seconds + 5 WHERE device_code_digest = $1`
export const REDEEM_DEVICE_CODE = `UPDATE device_codes SET redeemed_at = $2
  WHERE device_code_digest = $1 AND approved_at IS NOT NULL AND denied_at IS NULL AND redeemed_at IS NULL
    AND expires_at > $2`

// Initial access tokens

export const INSERT_INITIAL_ACCESS_TOKEN = insert('initial_access_tokens', INITIAL_ACCESS_TOKEN)
export const SELECT_LIVE_INITIAL_ACCESS_TOKEN = `SELECT token_id FROM initial_access_tokens
  WHERE digest = $1 AND expires_at > $2 AND (uses_left IS NULL OR uses_left > 0)`
/** One that may be used any number of times has NULL left, and NULL - 1 is NULL. */
export const USE_INITIAL_ACCESS_TOKEN = `UPDATE initial_access_tokens SET uses_left = uses_left - 1
  WHERE digest = $1 AND expires_at > $2 AND (uses_left IS NULL OR uses_left > 0)`
export const LIST_INITIAL_ACCESS_TOKENS = list('initial_access_tokens', INITIAL_ACCESS_TOKEN, [
  'created_at',
  'token_id',
])
export const DELETE_INITIAL_ACCESS_TOKEN = 'DELETE FROM initial_access_tokens WHERE token_id = $1'

// Sweeping

export const SWEEP_INTERACTIONS = sweep('interactions', 'interaction_id', 'expires_at <= $1')
export const SWEEP_PUSHED_REQUESTS = sweep('pushed_requests', 'request_uri_digest', 'expires_at <= $1')
export const SWEEP_AUTHORIZATION_CODES = sweep('authorization_codes', 'code_digest', 'expires_at <= $1')
export const SWEEP_DEVICE_CODES = sweep('device_codes', 'device_code_digest', 'expires_at <= $1')
export const SWEEP_USED_IDS = sweep('used_ids', 'id', 'expires_at <= $1')
export const SWEEP_INITIAL_ACCESS_TOKENS = sweep('initial_access_tokens', 'token_id', 'expires_at <= $1')
