import type { Caller } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { GrantDeps } from './grant_type.ts'

/**
 * Ends what a code gave, when the code comes back: who has its tokens is no longer certain.
 *
 * @see [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2): all tokens issued by it SHOULD be revoked
 */
export async function endReplayed(
  deps: GrantDeps,
  kind: 'authorization code' | 'device code',
  of: {
    readonly account_id: string | null
    readonly client_id: string
    readonly grant_id: string
    readonly session_id?: string
  },
  caller: Caller,
): Promise<void> {
  const { grant_id, client_id } = of
  const audit = auditRecord(deps, 'code.replayed', { ...of, caller })
  await deps.store.revokeGrant(grant_id, { because: 'code_replayed', now: deps.clock.now() }, [audit])
  deps.log.warn({ grant_id, client_id }, `${kind} used twice, grant revoked`)
}
