import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { invalid, notFound } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Session } from '../protocol/session.ts'
import { requireAccount, withUsernames } from './account_changes.ts'
import { administratorOf } from './guard.ts'
import { closed, Identifier, Instant, NoContent, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

const SessionView = Type.Object({
  session_id: Type.String({ description: 'The `sid` of ID tokens. Names the session, opens nothing.' }),
  account_id: Type.String(),
  created_at: Instant,
  auth_time: Instant,
  amr: Type.Array(Type.String()),
  acr: nullable(Type.String()),
  remembered: Type.Boolean(),
  last_seen_at: Instant,
  idle_expires_at: Instant,
  absolute_expires_at: Instant,
  ended_at: nullable(Instant),
  ended_because: nullable(Type.String()),
  address_prefix: nullable(Type.String()),
  user_agent: nullable(Type.String()),
})
const SessionDetails = Type.Object({
  ...SessionView.properties,
  clients: Type.Array(Type.String(), { description: 'The clients that it has signed somebody in to.' }),
})
const Selector = closed({
  account: Type.Optional(Identifier),
  created_before: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Only sessions begun before this instant.',
    }),
  ),
})
const EndedView = Type.Object({ ended: Type.Integer({ description: 'How many sessions it ended.' }) })

const ListedSession = Type.Object({
  ...SessionView.properties,
  username: nullable(Type.String({ description: "The account's; null: it is gone." })),
})

const tags = ['sessions']
const params = closed({ session_id: Identifier })
const query = closed({ ...pageQuery, account: Type.Optional(Identifier) })
const because = 'revoked_by_admin'

/** The digest of its handle stays here: a response holds what its schema names. */
function describeSession(session: Session) {
  return { ...session, amr: [...session.amr] }
}

/** Signed-in browsers. Whoever ends one also ends what hangs on it: see `docs/sessions.md`. */
export function sessions(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/sessions',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listSessions',
          querystring: query,
          response: { 200: page(ListedSession), ...problems },
        },
      },
      async ({ query: { account, ...asked } }) => {
        const owner = account === undefined ? {} : { account_id: (await requireAccount(deps, account)).account_id }
        const { items, next_cursor } = await deps.store.listSessions(owner, pageRequest(asked))
        return { items: await withUsernames(deps, items.map(describeSession)), next_cursor }
      },
    )

    app.get(
      '/sessions/:session_id',
      {
        config: { scope: 'gatehouse:read' },
        schema: { tags, operationId: 'readSession', params, response: { 200: SessionDetails, ...problems } },
      },
      async ({ params: { session_id } }) => {
        const found = await deps.store.findSession(session_id)
        if (found === undefined) throw notFound('session')
        const clients = await deps.store.listSessionClients(session_id)
        return { ...describeSession(found.session), clients: clients.map(({ client_id }) => client_id) }
      },
    )

    app.delete(
      '/sessions/:session_id',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'endSession', params, response: { 204: NoContent, ...problems } },
      },
      async (request, reply) => {
        const found = await deps.store.findSession(request.params.session_id)
        if (found === undefined) throw notFound('session')
        const { session_id, account_id } = found.session
        const { actor, caller } = administratorOf(request)
        const audit = auditRecord(deps, 'session.ended', { actor, caller, session_id, account_id, detail: { because } })
        await deps.store.endSession(session_id, because, deps.clock.now(), [audit])
        // Ended before, or swept since: either way it signs nobody in any more.
        return reply.code(204).send(null)
      },
    )

    app.post(
      '/sessions/end',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'endSessions', body: Selector, response: { 200: EndedView, ...problems } },
      },
      async (request) => {
        const { account, ...others } = request.body
        if (Object.keys(request.body).length === 0) {
          throw invalid([{ field: '', message: 'needs at least one of account, created_before' }])
        }
        const owner = account === undefined ? {} : { account_id: (await requireAccount(deps, account)).account_id }
        const selector = { ...others, ...owner }
        const { actor, caller } = administratorOf(request)
        const audit = auditRecord(deps, 'admin.sessions_ended', { actor, caller, ...owner, detail: selector })
        return { ended: await deps.store.endSessions(selector, because, deps.clock.now(), [audit]) }
      },
    )
  }
}
