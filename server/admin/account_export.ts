import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import { AccountView, describeAccount } from './accounts.ts'
import { administratorOf } from './guard.ts'
import { closed, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

const ExportedAccount = Type.Object({ ...AccountView.properties, password_hash: nullable(Type.String()) })

/**
 * `POST /accounts/export`: accounts with their password hashes, for whoever runs this beside the database and could read
 * them there. It is no GET, since it leaves a record.
 */
export function accountExport(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/accounts/export',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags: ['accounts'],
          operationId: 'exportAccounts',
          body: closed(pageQuery),
          response: { 200: page(ExportedAccount), ...problems },
        },
      },
      async (request) => {
        const { actor, caller, local } = administratorOf(request)
        // Over the network a token that has leaked would be worth every password.
        if (!local) throw new Problem(403, 'password hashes are exported beside the database only')
        const { items, next_cursor } = await deps.store.listAccounts(pageRequest(request.body))
        const detail = { accounts: items.length, with_password_hashes: true }
        await deps.store.appendAudit([auditRecord(deps, 'admin.accounts_exported', { actor, caller, detail })])
        const exported = items.map((account) => ({ ...describeAccount(account), password_hash: account.password_hash }))
        return { items: exported, next_cursor }
      },
    )
  }
}
