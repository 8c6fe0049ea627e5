import type { Config } from '../config/schema.ts'
import type { FetchLedger } from '../keys/fetch_ledger.ts'
import type { SigningKeys } from '../keys/signing_keys.ts'
import type { Vault } from '../keys/vault.ts'
import type { PasswordHasher } from './accounts/password.ts'
import type { MetadataDocuments } from './clients/metadata_documents.ts'
import type { Log } from './observe/log.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { RemoteKeys } from './outbound/remote_keys.ts'
import type { Clock } from './protocol/time.ts'
import type { Store } from './storage/store.ts'
import type { Revocations } from './tokens/revocations.ts'
import type { StatusLists } from './tokens/status_lists.ts'

/** Where randomness comes from: made once, in `main.ts`, and passed. */
export interface Random {
  /** Fresh unpredictable bytes. */
  bytes(length: number): Uint8Array
}

/** Everything the server works with. It is passed, never looked up. */
export interface Deps {
  readonly config: Config
  readonly store: Store
  readonly keys: SigningKeys
  /** Who fetches the JWK Set. */
  readonly fetchLedger: FetchLedger
  readonly vault: Vault
  readonly revocations: Revocations
  readonly statusLists: StatusLists
  readonly passwords: PasswordHasher
  /** The way out to addresses that others choose. */
  readonly outbound: Outbound
  /** The key of a site whose tokens are honoured until it has moved in; undefined: there is none. */
  readonly legacySecret: Uint8Array | undefined
  readonly remoteKeys: RemoteKeys
  readonly metadataDocuments: MetadataDocuments
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Who is on the other end of a request, as far as the audit trail and the throttle need to know. */
export interface Caller {
  /** IPv4 /32 or IPv6 /64: an address without the part that a person's devices change daily. */
  readonly address_prefix: string
  readonly user_agent: string | null
  readonly request_id: string
}
