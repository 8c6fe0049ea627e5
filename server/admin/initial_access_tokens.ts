import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { newInitialAccessToken } from '../clients/credentials.ts'
import type { Deps } from '../deps.ts'
import { notFound } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import { randomId } from '../protocol/random_id.ts'
import type { InitialAccessToken } from '../storage/records.ts'
import { administratorOf } from './guard.ts'
import {
  closed,
  Identifier,
  Instant,
  NoContent,
  nullable,
  page,
  pageQuery,
  pageRequest,
  problems,
  whole,
} from './schemas.ts'

const DAY = 86_400
const DEFAULT_SECONDS = DAY
const MOST_SECONDS = 365 * DAY

const Wanted = closed({
  uses: Type.Optional(Type.Union([whole(1, 1_000_000), Type.Null()], { default: 1, description: 'null: any number.' })),
  expires_in: Type.Optional(Type.Integer({ minimum: 60, maximum: MOST_SECONDS, default: DEFAULT_SECONDS })),
})
const view = { token_id: Type.String(), uses_left: nullable(Type.Integer()), expires_at: Instant, created_at: Instant }
const IssuedView = Type.Object({
  ...view,
  initial_access_token: Type.String({ description: 'Shown this once.' }),
})

const tags = ['initial access tokens']

function describe(token: InitialAccessToken) {
  const { digest: _, ...described } = token
  return described
}

/**
 * What lets somebody register clients.
 *
 * @see [RFC 7591 §3](https://www.rfc-editor.org/rfc/rfc7591#section-3)
 */
export function initialAccessTokens(deps: Deps): FastifyPluginAsyncTypebox {
  const { store, clock, random } = deps
  return async (app) => {
    app.get(
      '/initial-access-tokens',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listInitialAccessTokens',
          querystring: closed(pageQuery),
          response: { 200: page(Type.Object(view)), ...problems },
        },
      },
      async (request) => {
        const { items, next_cursor } = await store.listInitialAccessTokens(pageRequest(request.query))
        return { items: items.map(describe), next_cursor }
      },
    )

    app.post(
      '/initial-access-tokens',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags,
          operationId: 'createInitialAccessToken',
          body: Wanted,
          response: { 201: IssuedView, ...problems },
        },
      },
      async (request, reply) => {
        const { actor, caller } = administratorOf(request)
        const { uses = 1, expires_in = DEFAULT_SECONDS } = request.body
        const { handle, digest } = newInitialAccessToken(deps)
        const created_at = clock.now()
        const token: InitialAccessToken = {
          token_id: randomId(random),
          digest,
          uses_left: uses,
          expires_at: created_at + expires_in,
          created_at,
        }
        const detail = describe(token)
        const audit = auditRecord(deps, 'admin.initial_access_token_created', { actor, caller, detail })
        await store.createInitialAccessToken(token, [audit])
        return reply.code(201).send({ ...describe(token), initial_access_token: handle })
      },
    )

    app.delete(
      '/initial-access-tokens/:token_id',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags,
          operationId: 'deleteInitialAccessToken',
          params: closed({ token_id: Identifier }),
          response: { 204: NoContent, ...problems },
        },
      },
      async (request, reply) => {
        const { actor, caller } = administratorOf(request)
        const { token_id } = request.params
        const audit = auditRecord(deps, 'admin.initial_access_token_deleted', { actor, caller, detail: { token_id } })
        if ((await store.deleteInitialAccessToken(token_id, [audit])) === 'not_found') {
          throw notFound('initial access token')
        }
        return reply.code(204).send(null)
      },
    )
  }
}
