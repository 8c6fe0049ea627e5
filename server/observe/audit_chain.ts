/**
 * The chain over the audit trail: each seal covers the one before it and the records that came since, so that nothing
 * in the middle can be changed or taken out unnoticed.
 */
import { createHash } from 'node:crypto'
import type { Deps } from '../deps.ts'
import type { AuditRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'

const RECORDS_A_SEAL = 500
const SEALS_A_READ = 100

/** Seals what has been recorded since the last time. Any number of nodes may run it at once. */
export async function sealAudit(deps: Pick<Deps, 'store' | 'clock'>): Promise<void> {
  // Another node that is faster does the same work: what is left waits for the next time.
  while ((await deps.store.sealAudit(hashOf, deps.clock.now(), RECORDS_A_SEAL)) === 'sealed');
}

export type ChainVerdict =
  | { readonly outcome: 'intact'; readonly seals: number; readonly records: number; readonly hash: string }
  /** `seal` is the first link that does not fit. */
  | { readonly outcome: 'broken'; readonly seal: number }

/** Walks the chain from its beginning. Who keeps the last `hash` elsewhere can also tell that its end was cut off. */
export async function verifyAuditChain(store: Pick<Store, 'readSeals'>): Promise<ChainVerdict> {
  let at = 0
  let hash = ''
  let records = 0
  for (;;) {
    const links = await store.readSeals(at, SEALS_A_READ)
    if (links.length === 0) return { outcome: 'intact', seals: at, records, hash }
    for (const link of links) {
      const { seal, previous_hash } = link.seal
      const fits = seal === at + 1 && previous_hash === hash && link.seal.hash === hashOf(hash, link.records)
      if (!fits) return { outcome: 'broken', seal: at + 1 }
      at = seal
      hash = link.seal.hash
      records += link.records.length
    }
  }
}

/** SHA-256 over the hash before and the records, each as a JSON array with its members in this order. */
function hashOf(previous_hash: string, records: readonly AuditRecord[]): string {
  const hash = createHash('sha256').update(`${previous_hash}\n`)
  for (const record of records) {
    const { audit_id, at, event, actor, account_id, client_id, grant_id, session_id } = record
    const { address_prefix, request_id, detail } = record
    const who = [actor, account_id, client_id, grant_id, session_id, address_prefix, request_id]
    hash.update(`${JSON.stringify([audit_id, at, event, ...who, detail])}\n`)
  }
  return hash.digest('base64url')
}
