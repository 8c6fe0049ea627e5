import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import type { LogoutDelivery } from '../protocol/logout.ts'
import { closed, Identifier, Instant, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

const STATES = ['waiting', 'delivered', 'failed'] as const

const DeliveryView = Type.Object({
  session_id: Type.String(),
  client_id: Type.String(),
  account_id: Type.String(),
  state: Type.Enum([...STATES], { description: '`failed`: given up.' }),
  attempts: Type.Integer(),
  next_attempt_at: nullable(Instant),
  delivered_at: nullable(Instant),
  failed_at: nullable(Instant),
  last_error: nullable(Type.String({ description: 'What the last attempt met.' })),
  created_at: Instant,
})

const query = closed({ ...pageQuery, client_id: Type.Optional(Identifier), session_id: Type.Optional(Identifier) })

function stateOf({ delivered_at, failed_at }: LogoutDelivery): (typeof STATES)[number] {
  if (delivered_at !== null) return 'delivered'
  return failed_at === null ? 'waiting' : 'failed'
}

function describeDelivery(delivery: LogoutDelivery) {
  const state = stateOf(delivery)
  return { ...delivery, state, next_attempt_at: state === 'waiting' ? delivery.next_attempt_at : null }
}

/** Which clients have been told that a session ended, and which have not answered yet. */
export function logoutDeliveries(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/logout-deliveries',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags: ['sessions'],
          operationId: 'listLogoutDeliveries',
          querystring: query,
          response: { 200: page(DeliveryView), ...problems },
        },
      },
      async ({ query: { cursor, limit, ...filter } }) => {
        const asked = pageRequest({ ...(cursor !== undefined && { cursor }), ...(limit !== undefined && { limit }) })
        const { items, next_cursor } = await deps.store.listLogoutDeliveries(filter, asked)
        return { items: items.map(describeDelivery), next_cursor }
      },
    )
  }
}
