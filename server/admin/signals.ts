import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { type Signal, type SignalStream, STREAM_STATUSES } from '../protocol/shared_signals.ts'
import { closed, Identifier, Instant, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

const STATES = ['waiting', 'delivered', 'failed'] as const

const StreamView = Type.Object({
  stream_id: Type.String(),
  client_id: Type.String(),
  status: Type.Enum([...STREAM_STATUSES]),
  status_reason: nullable(Type.String()),
  endpoint_url: nullable(Type.String({ description: 'Where events are pushed to; null: the receiver polls.' })),
  events_delivered: Type.Array(Type.String()),
  description: nullable(Type.String()),
  waiting: Type.Integer({ description: 'Events that wait, counted up to `shared_signals.max_waiting_events`.' }),
  created_at: Instant,
  updated_at: Instant,
})

const SignalView = Type.Object({
  jti: Type.String(),
  stream_id: Type.String(),
  events: Type.Array(Type.String({ description: 'The type of the event.' })),
  state: Type.Enum([...STATES], { description: '`failed`: refused, given up, or forgotten with its stream disabled.' }),
  attempts: Type.Integer({ description: 'To push it.' }),
  next_attempt_at: nullable(Instant),
  settled_at: nullable(Instant),
  last_error: nullable(Type.String({ description: 'What the last attempt met, or the receiver said.' })),
  created_at: Instant,
})

const streamsQuery = closed({ ...pageQuery, client_id: Type.Optional(Identifier) })
const signalsQuery = closed({ ...pageQuery, stream_id: Type.Optional(Identifier) })

function stateOf({ settled_at, last_error }: Signal): (typeof STATES)[number] {
  if (settled_at === null) return 'waiting'
  return last_error === null ? 'delivered' : 'failed'
}

/** Without whom it is about. */
function describeSignal(signal: Signal) {
  const { claims, ...rest } = signal
  const state = stateOf(signal)
  const next_attempt_at = state === 'waiting' ? signal.next_attempt_at : null
  return { ...rest, events: Object.keys(claims.events), state, next_attempt_at }
}

async function describeStream({ config, store }: Deps, stream: SignalStream) {
  const waiting = await store.countWaitingSignals(stream.stream_id, config.shared_signals.max_waiting_events)
  return { ...stream, events_delivered: [...stream.events_delivered], waiting }
}

/** Who is told of security events, and which events have not been taken yet. */
export function signals(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/signal-streams',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags: ['signals'],
          operationId: 'listSignalStreams',
          querystring: streamsQuery,
          response: { 200: page(StreamView), ...problems },
        },
      },
      async ({ query: { cursor, limit, ...filter } }) => {
        const asked = pageRequest({ ...(cursor !== undefined && { cursor }), ...(limit !== undefined && { limit }) })
        const { items, next_cursor } = await deps.store.listSignalStreams(filter, asked)
        return { items: await Promise.all(items.map((stream) => describeStream(deps, stream))), next_cursor }
      },
    )

    app.get(
      '/signals',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags: ['signals'],
          operationId: 'listSignals',
          querystring: signalsQuery,
          response: { 200: page(SignalView), ...problems },
        },
      },
      async ({ query: { cursor, limit, ...filter } }) => {
        const asked = pageRequest({ ...(cursor !== undefined && { cursor }), ...(limit !== undefined && { limit }) })
        const { items, next_cursor } = await deps.store.listSignals(filter, asked)
        return { items: items.map(describeSignal), next_cursor }
      },
    )
  }
}
