/** Every SQL text about Shared Signals: streams, what is told in them, and where it comes from. */
import { insert, list, OR_NOTHING, sweep } from './columns.ts'

const STREAM = [
  'stream_id',
  'client_id',
  'audience',
  'endpoint_url',
  'events_delivered',
  'description',
  'status',
  'status_reason',
  'told_from',
  'seen_at',
  'created_at',
  'updated_at',
] as const
const SIGNAL = [
  'jti',
  'stream_id',
  'claims',
  'attempts',
  'next_attempt_at',
  'settled_at',
  'last_error',
  'created_at',
] as const

/** Holds the client until the batch has ended: of two streams at once each counts the other. */
export const HOLD_RECEIVER = 'UPDATE clients SET updated_at = updated_at WHERE client_id = $1'
/** `$13` how many a client may have. */
export const INSERT_SIGNAL_STREAM = `INSERT INTO signal_streams (${STREAM.join(', ')})
  SELECT CAST($1 AS text), CAST($2 AS text), CAST($3 AS text), CAST($4 AS text), CAST($5 AS text), CAST($6 AS text),
    CAST($7 AS text), CAST($8 AS text), CAST($9 AS bigint), CAST($10 AS bigint), CAST($11 AS bigint),
    CAST($12 AS bigint)
  WHERE (SELECT count(*) FROM signal_streams WHERE client_id = $2) < $13`
export const SELECT_SIGNAL_STREAM = `SELECT ${STREAM.join(', ')} FROM signal_streams WHERE stream_id = $1`
export const LIST_SIGNAL_STREAMS = list('signal_streams', STREAM, ['stream_id'])
export const LIST_SIGNAL_STREAMS_OF_CLIENT = list('signal_streams', STREAM, ['stream_id'], ['client_id'])
export const UPDATE_SIGNAL_STREAM = `UPDATE signal_streams
  SET endpoint_url = $2, events_delivered = $3, description = $4, updated_at = $5 WHERE stream_id = $1`
export const SET_SIGNAL_STREAM_STATUS = `UPDATE signal_streams
  SET status = $2, status_reason = $3, updated_at = $4, told_from = CASE WHEN status = 'disabled' THEN $4 ELSE told_from END
  WHERE stream_id = $1`
export const DELETE_SIGNAL_STREAM = 'DELETE FROM signal_streams WHERE stream_id = $1'
export const DELETE_SIGNAL_STREAMS_OF_DELETED_CLIENT = `DELETE FROM signal_streams WHERE client_id = $1
  AND NOT EXISTS (SELECT 1 FROM clients WHERE client_id = $1)`
/** Holds it until the batch has ended: nothing is told in a stream that is gone or disabled. */
export const HOLD_SIGNAL_STREAM = `UPDATE signal_streams SET seen_at = seen_at
  WHERE stream_id = $1 AND status <> 'disabled'`
export const NOTE_SIGNALS_SEEN = `UPDATE signal_streams SET seen_at = $2 WHERE stream_id = $1 AND seen_at < $2`

export const INSERT_SIGNAL = insert('signals', SIGNAL, OR_NOTHING)
/** `$4` of which stream. What is due is asked again outside, where another node's claim is seen. */
export const CLAIM_SIGNALS = `UPDATE signals SET next_attempt_at = $2, attempts = attempts + 1
  WHERE jti IN (SELECT jti FROM signals WHERE stream_id = $4 AND settled_at IS NULL AND next_attempt_at <= $1
      AND stream_id IN (SELECT stream_id FROM signal_streams WHERE status = 'enabled' AND endpoint_url IS NOT NULL)
      ORDER BY created_at, jti LIMIT $3)
    AND settled_at IS NULL AND next_attempt_at <= $1
  RETURNING ${SIGNAL.join(', ')}`
export const LIST_SIGNALS = list('signals', SIGNAL, ['jti'])
export const LIST_SIGNALS_OF_STREAM = list('signals', SIGNAL, ['jti'], ['stream_id'])
export const LIST_WAITING_SIGNALS = `SELECT ${SIGNAL.join(', ')} FROM signals
  WHERE stream_id = $1 AND settled_at IS NULL ORDER BY created_at, jti LIMIT $2`
/** `$2` how far to count. */
export const COUNT_WAITING_SIGNALS = `SELECT count(*) AS waiting FROM (
  SELECT jti FROM signals WHERE stream_id = $1 AND settled_at IS NULL LIMIT $2) AS first_waiting`
export const SETTLE_SIGNAL = `UPDATE signals SET settled_at = $3, next_attempt_at = $4, last_error = $5
  WHERE jti = $1 AND stream_id = $2 AND settled_at IS NULL`
/** What waits in a stream that has just been disabled. */
export const FORGET_SIGNALS = `UPDATE signals SET settled_at = $2, last_error = 'the stream was disabled'
  WHERE stream_id = $1 AND settled_at IS NULL
    AND stream_id IN (SELECT stream_id FROM signal_streams WHERE status = 'disabled')`

/** What has ended, with whom it is about: as `LIST_REVOKED_GRANTS`. */
export const LIST_ENDED_GRANTS = `SELECT revoked_at, grant_id, account_id, client_id, session_id, resources, revoked_because
  FROM grants WHERE revoked_at IS NOT NULL AND (revoked_at, grant_id) > ($1, $2)
  ORDER BY revoked_at, grant_id LIMIT $3`
/** The ids of audit records begin with their instant. */
export const LIST_PASSWORD_CHANGES = `SELECT audit_id, at, account_id FROM audit_records
  WHERE event = 'admin.password_hash_replaced' AND audit_id > $1 ORDER BY audit_id LIMIT $2`

export const SWEEP_SIGNALS = sweep('signals', 'jti', 'created_at <= $1')
