import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { invalid } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import { requireAccount } from './account_changes.ts'
import { administratorOf } from './guard.ts'
import { closed, Identifier, problems } from './schemas.ts'

const Selector = closed({
  account: Type.Optional(Identifier),
  client_id: Type.Optional(Identifier),
  session_id: Type.Optional(Identifier),
  issued_before: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Only grants made before this instant.',
    }),
  ),
})
const RevocationView = Type.Object({ revoked: Type.Integer({ description: 'How many grants it ended.' }) })

/** Many grants at once: of an account, a client, a session, or all from before an instant. Every member given must match. */
export function revocations(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/revocations',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags: ['grants'],
          operationId: 'revokeGrants',
          body: Selector,
          response: { 200: RevocationView, ...problems },
        },
      },
      async (request) => {
        const { account, ...others } = request.body
        if (Object.keys(request.body).length === 0) {
          throw invalid([{ field: '', message: 'needs at least one of account, client_id, session_id, issued_before' }])
        }
        const owner = account === undefined ? {} : { account_id: (await requireAccount(deps, account)).account_id }
        const selector = { ...others, ...owner }
        const { actor, caller } = administratorOf(request)
        const audit = auditRecord(deps, 'admin.grants_revoked', { actor, caller, ...owner, detail: selector })
        const revocation = { because: 'revoked_by_admin', now: deps.clock.now() } as const
        return { revoked: await deps.store.revokeGrants(selector, revocation, [audit]) }
      },
    )
  }
}
