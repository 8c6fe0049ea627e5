import type { Signal, SignalClaims, SignalStream, StreamSettings, StreamStatus } from '../protocol/shared_signals.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, EndedGrant, Page, PageRequest, PasswordChange } from './records.ts'
import * as sql from './statements_signals.ts'
import { decide, happens, transition } from './transition.ts'

type StreamRow = Omit<SignalStream, 'events_delivered'> & { readonly events_delivered: string }
type SignalRow = Omit<Signal, 'claims'> & { readonly claims: string }

export interface SignalStore {
  /** @param most how many a client may have */
  createSignalStream(stream: SignalStream, most: number, audit: Audit): Promise<'created' | 'too_many' | 'no_client'>
  findSignalStream(stream_id: string): Promise<SignalStream | undefined>
  listSignalStreams(filter: { client_id?: string }, page: PageRequest): Promise<Page<SignalStream>>
  updateSignalStream(stream_id: string, settings: StreamSettings, now: Seconds, audit: Audit): Promise<boolean>
  /** What waits in a stream that is disabled is forgotten. */
  setSignalStreamStatus(
    stream_id: string,
    change: { readonly status: StreamStatus; readonly reason: string | null; readonly now: Seconds },
    audit: Audit,
  ): Promise<boolean>
  /** With everything that waits in it. */
  deleteSignalStream(stream_id: string, audit: Audit): Promise<boolean>
  /** Those that are there already stay as they are. `seen_at`: until when nothing has to be looked for again. */
  appendSignals(stream_id: string, signals: readonly Signal[], seen_at: Seconds): Promise<void>
  /** One more, unless there is one of its `jti`. `gone`: the stream, or it has been disabled. */
  appendSignal(signal: Signal): Promise<'appended' | 'exists' | 'gone'>
  /** Takes up to `limit` that are due for a push, and moves them to `retry_at`, so that no other node tries them meanwhile. */
  claimSignals(stream_id: string, now: Seconds, retry_at: Seconds, limit: number): Promise<Signal[]>
  listSignals(filter: { stream_id?: string }, page: PageRequest): Promise<Page<Signal>>
  listWaitingSignals(stream_id: string, limit: number): Promise<Signal[]>
  /** Counts up to `limit`. */
  countWaitingSignals(stream_id: string, limit: number): Promise<number>
  /** Those that have been settled before stay as they are. */
  settleSignals(
    signals: readonly Pick<Signal, 'jti' | 'stream_id' | 'settled_at' | 'next_attempt_at' | 'last_error'>[],
  ): Promise<void>
  /** First to last revoked. */
  listEndedGrants(after: Pick<EndedGrant, 'revoked_at' | 'grant_id'>, limit: number): Promise<EndedGrant[]>
  listPasswordChanges(after_audit_id: string, limit: number): Promise<PasswordChange[]>
}

export function signalStore(driver: Driver): SignalStore {
  return {
    async createSignalStream(stream, most, audit) {
      const { stream_id, client_id, audience, endpoint_url, events_delivered, description, status } = stream
      const said = [stream_id, client_id, audience, endpoint_url, JSON.stringify(events_delivered), description, status]
      const values = [
        ...said,
        stream.status_reason,
        stream.told_from,
        stream.seen_at,
        stream.created_at,
        stream.updated_at,
        most,
      ]
      const steps = [
        { sql: sql.HOLD_RECEIVER, values: [client_id], must_change: 1, otherwise: 'no_client' },
        { sql: sql.INSERT_SIGNAL_STREAM, values, must_change: 1, otherwise: 'too_many' },
      ] as const
      return decide<'created' | 'too_many' | 'no_client'>(driver, steps, audit, 'created')
    },

    async findSignalStream(stream_id) {
      const [row] = await driver.query<StreamRow>(sql.SELECT_SIGNAL_STREAM, [stream_id])
      return row && streamOf(row)
    },

    async listSignalStreams({ client_id }, page) {
      const after = readCursor(page.cursor, [''] as const)
      const text = client_id === undefined ? sql.LIST_SIGNAL_STREAMS : sql.LIST_SIGNAL_STREAMS_OF_CLIENT
      const filter = client_id === undefined ? [] : [client_id]
      const rows = await driver.query<StreamRow>(text, [...after, page.limit + 1, ...filter])
      return pageOf(rows.map(streamOf), page, (last) => [last.stream_id])
    },

    updateSignalStream(stream_id, { endpoint_url, events_delivered, description }, now, audit) {
      const values = [stream_id, endpoint_url, JSON.stringify(events_delivered), description, now]
      return happens(driver, { sql: sql.UPDATE_SIGNAL_STREAM, values }, audit)
    },

    async setSignalStreamStatus(stream_id, { status, reason, now }, audit) {
      const steps = [
        { sql: sql.SET_SIGNAL_STREAM_STATUS, values: [stream_id, status, reason, now], must_change: 1 },
        { sql: sql.FORGET_SIGNALS, values: [stream_id, now] },
      ]
      return (await transition(driver, steps, audit)).committed
    },

    deleteSignalStream(stream_id, audit) {
      return happens(driver, { sql: sql.DELETE_SIGNAL_STREAM, values: [stream_id] }, audit)
    },

    async appendSignals(stream_id, signals, seen_at) {
      await driver.batch([
        { sql: sql.HOLD_SIGNAL_STREAM, values: [stream_id], must_change: 1 },
        ...signals.map((signal) => ({ sql: sql.INSERT_SIGNAL, values: valuesOf(signal) })),
        { sql: sql.NOTE_SIGNALS_SEEN, values: [stream_id, seen_at] },
      ])
    },

    appendSignal(signal) {
      const steps = [
        { sql: sql.HOLD_SIGNAL_STREAM, values: [signal.stream_id], must_change: 1, otherwise: 'gone' },
        { sql: sql.INSERT_SIGNAL, values: valuesOf(signal), must_change: 1, otherwise: 'exists' },
      ] as const
      return decide<'appended' | 'exists' | 'gone'>(driver, steps, [], 'appended')
    },

    async claimSignals(stream_id, now, retry_at, limit) {
      const outcome = await driver.batch([{ sql: sql.CLAIM_SIGNALS, values: [now, retry_at, limit, stream_id] }])
      const rows = outcome.committed ? (outcome.results[0]?.rows ?? []) : []
      return (rows as unknown as SignalRow[]).map(signalOf)
    },

    async listSignals({ stream_id }, page) {
      const after = readCursor(page.cursor, [''] as const)
      const text = stream_id === undefined ? sql.LIST_SIGNALS : sql.LIST_SIGNALS_OF_STREAM
      const filter = stream_id === undefined ? [] : [stream_id]
      const rows = await driver.query<SignalRow>(text, [...after, page.limit + 1, ...filter])
      return pageOf(rows.map(signalOf), page, (last) => [last.jti])
    },

    async listWaitingSignals(stream_id, limit) {
      return (await driver.query<SignalRow>(sql.LIST_WAITING_SIGNALS, [stream_id, limit])).map(signalOf)
    },

    async countWaitingSignals(stream_id, limit) {
      const [row] = await driver.query<{ waiting: number }>(sql.COUNT_WAITING_SIGNALS, [stream_id, limit])
      return row?.waiting ?? 0
    },

    async settleSignals(signals) {
      if (signals.length === 0) return
      await driver.batch(
        signals.map(({ jti, stream_id, settled_at, next_attempt_at, last_error }) => {
          return { sql: sql.SETTLE_SIGNAL, values: [jti, stream_id, settled_at, next_attempt_at, last_error] }
        }),
      )
    },

    async listEndedGrants({ revoked_at, grant_id }, limit) {
      const values = [revoked_at, grant_id, limit]
      const rows = await driver.query<Omit<EndedGrant, 'resources'> & { resources: string }>(
        sql.LIST_ENDED_GRANTS,
        values,
      )
      return rows.map((row) => ({ ...row, resources: JSON.parse(row.resources) as string[] }))
    },

    listPasswordChanges(after_audit_id, limit) {
      return driver.query<PasswordChange>(sql.LIST_PASSWORD_CHANGES, [after_audit_id, limit])
    },
  }
}

function streamOf(row: StreamRow): SignalStream {
  return { ...row, events_delivered: JSON.parse(row.events_delivered) as string[] }
}

function signalOf(row: SignalRow): Signal {
  return { ...row, claims: JSON.parse(row.claims) as SignalClaims }
}

function valuesOf({ jti, stream_id, claims, attempts, next_attempt_at, settled_at, last_error, created_at }: Signal) {
  return [jti, stream_id, JSON.stringify(claims), attempts, next_attempt_at, settled_at, last_error, created_at]
}
