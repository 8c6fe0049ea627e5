import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import { legacyGrantId, legacyUse } from '../tokens/legacy_token.ts'
import { administratorOf } from './guard.ts'
import { closed, problems, text } from './schemas.ts'

const MAX_TOKENS = 500
/** The year 5138. */
const MAX_INSTANT = 100_000_000_000
const BODY_LIMIT_BYTES = 512 * 1024

const BlockDocument = closed({
  tokens: Type.Array(
    closed({
      jti: text(255),
      expires_at: Type.Integer({ minimum: 0, maximum: MAX_INSTANT, description: 'Its `exp`.' }),
    }),
    { minItems: 1, maxItems: MAX_TOKENS },
  ),
})
const BlockReport = Type.Object({
  blocked: Type.Integer({ description: 'How many cannot be exchanged any more.' }),
  revoked: Type.Integer({ description: 'How many had been exchanged: their grants have ended.' }),
  unchanged: Type.Integer({ description: 'How many were blocked or had expired before.' }),
})

/** `POST /legacy-tokens/block`: the blacklist of a simplejwt site that moves in. */
export function legacyTokens(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/legacy-tokens/block',
      {
        config: { scope: 'gatehouse:write' },
        bodyLimit: BODY_LIMIT_BYTES,
        schema: {
          tags: ['grants'],
          operationId: 'blockLegacyTokens',
          body: BlockDocument,
          response: { 200: BlockReport, ...problems },
        },
      },
      async (request) => {
        const { actor, caller } = administratorOf(request)
        const now = deps.clock.now()
        const report = { blocked: 0, revoked: 0, unchanged: 0 }
        const block = async ({ jti, expires_at }: { jti: string; expires_at: number }) => {
          if (expires_at <= now) return 'unchanged'
          const use = legacyUse(deps, { jti, exp: expires_at })
          if ((await deps.store.claimOnce(use.id, use.expires_at, now)) === 'claimed') return 'blocked'
          const grant_id = legacyGrantId(deps, jti)
          const audit = auditRecord(deps, 'admin.grant_revoked', { actor, caller, grant_id })
          const outcome = await deps.store.revokeGrant(grant_id, { because: 'revoked_by_admin', now }, [audit])
          return outcome === 'revoked' ? 'revoked' : 'unchanged'
        }
        for (const outcome of await Promise.all(request.body.tokens.map(block))) report[outcome] += 1
        const fields = { actor, caller, detail: report }
        await deps.store.appendAudit([auditRecord(deps, 'admin.legacy_tokens_blocked', fields)])
        return report
      },
    )
  }
}
