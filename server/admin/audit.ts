import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { verifyAuditChain } from '../observe/audit_chain.ts'
import { findAccount } from './account_changes.ts'
import { closed, Identifier, Instant, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

const Text = nullable(Type.String())
const AuditView = Type.Object({
  audit_id: Type.String(),
  at: Instant,
  event: Type.String(),
  actor: Text,
  account_id: Text,
  client_id: Text,
  grant_id: Text,
  session_id: Text,
  address_prefix: Text,
  request_id: Text,
  detail: Type.Unknown(),
})
const ChainView = Type.Object({
  outcome: Type.Enum(['intact', 'broken']),
  seals: Type.Optional(Type.Integer()),
  records: Type.Optional(Type.Integer()),
  hash: Type.Optional(
    Type.String({ description: 'Of the last seal. Kept elsewhere, it shows whether the end was cut off.' }),
  ),
  seal: Type.Optional(Type.Integer({ description: 'The first link that does not fit.' })),
})

const tags = ['audit']
const query = closed({ ...pageQuery, event: Type.Optional(Identifier), account: Type.Optional(Identifier) })

/** What has happened, newest first. */
export function audit(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/audit',
      {
        config: { scope: 'gatehouse:read' },
        schema: { tags, operationId: 'listAudit', querystring: query, response: { 200: page(AuditView), ...problems } },
      },
      async (request) => {
        const { event, account, ...asked } = request.query
        // The trail also speaks of accounts that are gone, by their account_id.
        const account_id = account && ((await findAccount(deps, account))?.account_id ?? account)
        const filter = {
          ...(event === undefined ? {} : { event }),
          ...(account_id === undefined ? {} : { account_id }),
        }
        const { items, next_cursor } = await deps.store.listAudit(filter, pageRequest(asked))
        return {
          items: items.map(({ detail, ...record }) => ({
            ...record,
            detail: detail === null ? null : JSON.parse(detail),
          })),
          next_cursor,
        }
      },
    )

    app.get(
      '/audit/verify',
      {
        config: { scope: 'gatehouse:read' },
        schema: { tags, operationId: 'verifyAudit', response: { 200: ChainView, ...problems } },
      },
      async () => verifyAuditChain(deps.store),
    )
  }
}
