import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { notFound } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Consent } from '../protocol/consent.ts'
import { requireAccount, withUsernames } from './account_changes.ts'
import { administratorOf } from './guard.ts'
import { closed, Identifier, Instant, NoContent, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

const ConsentView = Type.Object({
  account_id: Type.String(),
  client_id: Type.String(),
  scope: Type.String(),
  resources: Type.Array(Type.String()),
  redirect_hosts: Type.Array(Type.String()),
  claims: Type.Array(Type.String()),
  granted_at: Instant,
  updated_at: Instant,
})

const ListedConsent = Type.Object({
  ...ConsentView.properties,
  username: nullable(Type.String({ description: "The account's; null: it is gone." })),
})

const tags = ['consents']
const query = closed({ ...pageQuery, account: Type.Optional(Identifier), client_id: Type.Optional(Identifier) })
const one = closed({ account: Identifier, client_id: Identifier })

function describeConsent(consent: Consent) {
  const { resources, redirect_hosts, claims } = consent
  return { ...consent, resources: [...resources], redirect_hosts: [...redirect_hosts], claims: [...claims] }
}

/** What accounts have allowed clients to ask for. */
export function consents(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/consents',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listConsents',
          querystring: query,
          response: { 200: page(ListedConsent), ...problems },
        },
      },
      async ({ query: { account, client_id, ...asked } }) => {
        const owner = account === undefined ? {} : { account_id: (await requireAccount(deps, account)).account_id }
        const filter = { ...owner, ...(client_id === undefined ? {} : { client_id }) }
        const { items, next_cursor } = await deps.store.listConsents(filter, pageRequest(asked))
        return { items: await withUsernames(deps, items.map(describeConsent)), next_cursor }
      },
    )

    // In the query, since the id of a client may be an address.
    app.delete(
      '/consents',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'withdrawConsent', querystring: one, response: { 204: NoContent, ...problems } },
      },
      async (request, reply) => {
        const { client_id } = request.query
        const { account_id } = await requireAccount(deps, request.query.account)
        const { actor, caller } = administratorOf(request)
        const audit = auditRecord(deps, 'consent.withdrawn', { actor, caller, account_id, client_id })
        const outcome = await deps.store.withdrawConsent(account_id, client_id, deps.clock.now(), [audit])
        if (outcome === 'not_found') throw notFound('consent')
        return reply.code(204).send(null)
      },
    )
  }
}
