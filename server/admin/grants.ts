import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { notFound } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Grant } from '../protocol/grant.ts'
import { requireAccount, withUsernames } from './account_changes.ts'
import { administratorOf } from './guard.ts'
import { closed, Identifier, Instant, NoContent, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

const GrantView = Type.Object({
  grant_id: Type.String(),
  client_id: Type.String(),
  account_id: Type.String(),
  session_id: Type.String(),
  scope: Type.String(),
  resources: Type.Array(Type.String()),
  created_at: Instant,
  auth_time: Instant,
  idle_expires_at: Instant,
  absolute_expires_at: Instant,
  generation: Type.Integer({ description: 'How often its refresh token has been rotated.' }),
  rotated_at: Instant,
  revoked_at: nullable(Instant),
  revoked_because: nullable(Type.String()),
  address_prefix: nullable(Type.String()),
  user_agent: nullable(Type.String()),
})

const ListedGrant = Type.Object({
  ...GrantView.properties,
  username: nullable(Type.String({ description: "The account's; null: it is gone." })),
})

const tags = ['grants']
const params = closed({ grant_id: Identifier })
const query = closed({
  ...pageQuery,
  account: Type.Optional(Identifier),
  client_id: Type.Optional(Identifier),
  session_id: Type.Optional(Identifier),
})

function describeGrant(grant: Grant) {
  return { ...grant, resources: [...grant.resources] }
}

/** Who is signed in where: each grant is what an account has allowed a client on one device. */
export function grants(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/grants',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listGrants',
          querystring: query,
          response: { 200: page(ListedGrant), ...problems },
        },
      },
      async (request) => {
        const { account, cursor, limit, ...filter } = request.query
        const owner = account === undefined ? {} : { account_id: (await requireAccount(deps, account)).account_id }
        const asked = pageRequest({
          ...(cursor === undefined ? {} : { cursor }),
          ...(limit === undefined ? {} : { limit }),
        })
        const { items, next_cursor } = await deps.store.listGrants({ ...filter, ...owner }, asked)
        return { items: await withUsernames(deps, items.map(describeGrant)), next_cursor }
      },
    )

    app.get(
      '/grants/:grant_id',
      {
        config: { scope: 'gatehouse:read' },
        schema: { tags, operationId: 'readGrant', params, response: { 200: GrantView, ...problems } },
      },
      async (request) => {
        const found = await deps.store.findGrant(request.params.grant_id)
        if (found === undefined) throw notFound('grant')
        return describeGrant(found.grant)
      },
    )

    app.delete(
      '/grants/:grant_id',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'revokeGrant', params, response: { 204: NoContent, ...problems } },
      },
      async (request, reply) => {
        const found = await deps.store.findGrant(request.params.grant_id)
        if (found === undefined) throw notFound('grant')
        const { actor, caller } = administratorOf(request)
        const { grant_id, account_id, client_id, session_id } = found.grant
        const because = 'revoked_by_admin'
        const fields = { actor, caller, grant_id, account_id, client_id, session_id, detail: { because } }
        const audit = auditRecord(deps, 'grant.revoked', fields)
        await deps.store.revokeGrant(grant_id, { because, now: deps.clock.now() }, [audit])
        // Revoked before, or swept since: either way it opens nothing any more.
        return reply.code(204).send(null)
      },
    )
  }
}
