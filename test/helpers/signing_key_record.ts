import type { SigningAlgorithm } from '../../server/protocol/resource.ts'
import type { SigningKeyRecord } from '../../server/storage/records.ts'

/** A record for rules that never look into the key. */
export function record(kid: string, instants: Partial<SigningKeyRecord> = {}): SigningKeyRecord {
  const alg: SigningAlgorithm = 'RS256'
  const unset = { activated_at: null, retired_at: null, removed_at: null }
  return { kid, alg, public_jwk: '{}', private_key_sealed: '', created_at: 0, ...unset, ...instants }
}
