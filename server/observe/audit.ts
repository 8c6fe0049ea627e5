import type { Caller, Random } from '../deps.ts'
import type { Clock } from '../protocol/time.ts'
import type { AuditRecord } from '../storage/records.ts'
import { redact } from './redact.ts'

/** Everything the audit trail tells of. */
export type AuditEvent =
  | 'sign_in.succeeded'
  | 'sign_in.refused'
  | 'sign_in.locked'
  | 'session.started'
  | 'session.renewed'
  | 'session.ended'
  | 'logout.delivered'
  | 'logout.undeliverable'
  | 'consent.granted'
  | 'consent.denied'
  | 'consent.withdrawn'
  | 'authorization.code_issued'
  | 'token.issued'
  | 'device.approved'
  | 'device.denied'
  | 'code.replayed'
  | 'token.exchanged'
  | 'token.revoked'
  | 'refresh.rotated'
  | 'refresh.resent'
  | 'refresh.resent_late'
  | 'refresh.refused'
  | 'refresh.reused'
  | 'refresh.impossible_generation'
  | 'grant.revoked'
  | 'legacy_token.exchanged'
  | 'legacy_token.revoked'
  | 'client_auth.refused'
  | 'client.registered'
  | 'client.updated'
  | 'client.deleted'
  | 'client.document_fetched'
  | 'keys.rotated'
  | 'keys.rotation_waits'
  | 'keys.removed'
  | 'keys.created'
  | 'keys.rewrapped'
  | 'database.restored'
  | 'signals.stream_created'
  | 'signals.stream_updated'
  | 'signals.stream_deleted'
  | `admin.${string}`

export interface AuditFields {
  /** Left out: the account, else the client. */
  readonly actor?: string | null
  readonly account_id?: string | null
  readonly client_id?: string | null
  readonly grant_id?: string | null
  readonly session_id?: string | null
  readonly caller?: Caller | null
  /** Serialised as JSON. Never a secret, a token or a password. */
  readonly detail?: Readonly<Record<string, unknown>>
}

let sequence = 0

/**
 * One audit record, to be handed to the transition that it tells of. Its id sorts by time, and within a second by the
 * order in which this process made it.
 */
export function auditRecord(
  deps: { clock: Clock; random: Random },
  event: AuditEvent,
  fields: AuditFields = {},
): AuditRecord {
  const at = deps.clock.now()
  sequence = (sequence + 1) % 0x1_0000_0000
  const unique = Buffer.from(deps.random.bytes(6)).toString('hex')
  return {
    audit_id: `${hex8(at)}${hex8(sequence)}${unique}`,
    at,
    event,
    actor: fields.actor === undefined ? (fields.account_id ?? fields.client_id ?? null) : fields.actor,
    account_id: fields.account_id ?? null,
    client_id: fields.client_id ?? null,
    grant_id: fields.grant_id ?? null,
    session_id: fields.session_id ?? null,
    address_prefix: fields.caller?.address_prefix ?? null,
    request_id: fields.caller?.request_id ?? null,
    detail: fields.detail === undefined ? null : JSON.stringify(fields.detail),
  }
}

const LONGEST_NAME = 200

/** A name of nobody that a stranger sent, as a record may have it: short, and without what has the shape of a secret. */
export function nameAsSent(name: string): string {
  const shown = redact(name.slice(0, LONGEST_NAME))
  return name.length > LONGEST_NAME ? `${shown}…` : shown
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0')
}
