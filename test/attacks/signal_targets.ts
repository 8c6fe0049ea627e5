/** The routes of Shared Signals, and an honest request to each. */
import type { SignalStream } from '../../server/protocol/shared_signals.ts'
import { basic, type TestApp } from '../helpers/app.ts'
import type { Honest, Method, Target } from './targets.ts'

export const RECEIVER = 'receiver'
const SECRET = 'a client secret of some length'

/** What the requests below need: a resource names the receiver already. */
export async function furnishSignals(server: TestApp): Promise<void> {
  await server.createClient({ client_id: RECEIVER, client_secret: SECRET })
}

/** One stream, and no other, so that there is room for a new one. */
async function onlyStream({ deps: { store, clock } }: TestApp): Promise<SignalStream> {
  const { items } = await store.listSignalStreams({ client_id: RECEIVER }, { limit: 100, cursor: null })
  for (const { stream_id } of items) await store.deleteSignalStream(stream_id, [])
  const now = clock.now()
  const stream: SignalStream = {
    stream_id: 'stream',
    client_id: RECEIVER,
    audience: RECEIVER,
    endpoint_url: null,
    events_delivered: [],
    description: null,
    status: 'enabled',
    status_reason: null,
    told_from: now,
    seen_at: now,
    created_at: now,
    updated_at: now,
  }
  await store.createSignalStream(stream, 100, [])
  return stream
}

const target = (method: Method, route: string, members: Honest['members'], url = route): Target => ({
  method,
  route,
  refusal: 'oauth',
  all_optional: true,
  ...(method === 'GET' || method === 'DELETE' ? {} : { body: 'json' }),
  async honest(server) {
    await onlyStream(server)
    return { url, members, headers: basic(RECEIVER, SECRET) }
  },
})

const stream_id = 'stream'

export const signalTargets: readonly Target[] = [
  target('POST', '/ssf/streams', {
    description: 'mine',
    events_requested: [],
    delivery: { method: 'urn:ietf:rfc:8936' },
  }),
  target('GET', '/ssf/streams', { stream_id }),
  { ...target('PATCH', '/ssf/streams', { stream_id, description: 'mine' }), all_optional: false },
  { ...target('PUT', '/ssf/streams', { stream_id, description: 'mine' }), all_optional: false },
  { ...target('DELETE', '/ssf/streams', { stream_id }), all_optional: false },
  { ...target('GET', '/ssf/status', { stream_id }), all_optional: false },
  { ...target('POST', '/ssf/status', { stream_id, status: 'paused', reason: 'moving' }), all_optional: false },
  { ...target('POST', '/ssf/verify', { stream_id, state: 'x' }), all_optional: false },
  target('POST', '/ssf/poll/:stream_id', { maxEvents: 1, returnImmediately: true, ack: ['x'] }, '/ssf/poll/stream'),
]
