import type { Signal, SignalStream } from '../../server/protocol/shared_signals.ts'
import { fresh, NOW } from './samples.ts'

export function sampleSignalStream(fields: Partial<SignalStream>): SignalStream {
  return {
    stream_id: fresh('stream'),
    client_id: 'receiver',
    audience: 'receiver',
    endpoint_url: 'https://api.example.com/events',
    events_delivered: [],
    description: null,
    status: 'enabled',
    status_reason: null,
    told_from: NOW,
    seen_at: NOW,
    created_at: NOW,
    updated_at: NOW,
    ...fields,
  }
}

export function sampleSignal(stream_id: string, fields: Partial<Signal> = {}): Signal {
  const jti = fresh('jti')
  const claims = { iss: 'https://login.example.com', jti, iat: NOW, aud: 'receiver', sub_id: {}, events: {} }
  const waiting = { attempts: 0, next_attempt_at: NOW, settled_at: null, last_error: null, created_at: NOW }
  return { jti, stream_id, claims, ...waiting, ...fields }
}
