import type { Account } from '../protocol/account.ts'
import type { Client } from '../protocol/client.ts'
import type { Consent } from '../protocol/consent.ts'
import type { Grant, RevokedBecause } from '../protocol/grant.ts'
import type { Interaction } from '../protocol/interaction.ts'
import type { SigningAlgorithm } from '../protocol/resource.ts'
import type { Session, SessionEndedBecause } from '../protocol/session.ts'
import type { Seconds } from '../protocol/time.ts'

/** Everything that a decision about one grant needs, read at once. */
export interface GrantContext {
  readonly grant: Grant
  /** undefined: deleted since. */
  readonly client: Client | undefined
  readonly account: Account | undefined
}

export interface SessionContext {
  readonly session: Session
  /** undefined: deleted since. */
  readonly account: Account | undefined
}

/** One password in place of another, or a better hash of the same one. */
export interface PasswordHashChange {
  readonly account_id: string
  /** As it was read, and is to be still. */
  readonly expected: string | null
  readonly password_hash: string
  readonly now: Seconds
  /** It is another password: in the same commit all sessions end and all grants are revoked. null: it is the same one. */
  readonly ends_everything: (SessionEndedBecause & RevokedBecause) | null
}

/** An account that moves in, or what is to become of one that is there. */
export interface AccountImport {
  readonly account: Account
  /** As it was read; undefined: there was none. */
  readonly before: Account | undefined
}

/** Which sessions to end: every member given must match, and at least one is given. */
export interface SessionSelector {
  readonly account_id?: string
  /** Only sessions created before this instant. */
  readonly created_before?: Seconds
}

/** The members that are given replace what the interaction has. */
export type InteractionProgress = Partial<
  Pick<Interaction, 'authenticated_at' | 'selected_at' | 'consented_at' | 'consented_session_id'>
>

/** The parameters of an authorization request that its client has pushed (RFC 9126 §2). */
export interface PushedRequest {
  readonly request_uri_digest: string
  readonly client_id: string
  /** Name and value, as they came; each name once, but for those that may recur. */
  readonly parameters: readonly (readonly [string, string])[]
  /** The key that the push showed a DPoP proof of (RFC 9449 §10.1). */
  readonly dpop_jkt: string | null
  readonly expires_at: Seconds
}

/** The one exchange of a code for the grant that it stands for. */
export interface CodeExchange {
  readonly code_digest: string
  readonly grant: Grant
  readonly now: Seconds
}

/** What an account allows from now on, on top of what it had allowed before. */
export interface ConsentChange {
  readonly consent: Consent
  /** As it was read, and is to be still; undefined: there was none. */
  readonly before: Consent | undefined
}

/** A person lets a device in, and allows its client what it asked for. */
export interface DeviceApproval extends ConsentChange {
  readonly device_code_digest: string
  readonly session_id: string
  readonly account_id: string
  readonly auth_time: Seconds
  readonly amr: readonly string[]
  readonly acr: string | null
  readonly now: Seconds
}

/** What lets somebody register clients (RFC 7591 §3). */
export interface InitialAccessToken {
  readonly token_id: string
  readonly digest: string
  /** null: any number. */
  readonly uses_left: number | null
  readonly expires_at: Seconds
  readonly created_at: Seconds
}

/** One rotation: the compare (`generation`) and what to swap in. */
export interface Rotation {
  readonly grant_id: string
  /** The generation that was presented and is to be current still. */
  readonly generation: number
  readonly now: Seconds
  readonly idle_expires_at: Seconds
}

/** A replay after its window, forgiven once. */
export interface LateReplay {
  readonly grant_id: string
  /** The current generation, as it was read. */
  readonly generation: number
  /** The older one that was presented. */
  readonly late_replay_generation: number
}

/** What to revoke: every member given must match, and at least one is given. */
export interface GrantSelector {
  readonly account_id?: string
  readonly client_id?: string
  readonly session_id?: string
  /** Only grants created before this instant. */
  readonly issued_before?: Seconds
}

export interface Revocation {
  readonly because: RevokedBecause
  readonly now: Seconds
}

/** A grant that has been revoked, as the status lists know it. */
export interface RevokedGrant {
  readonly revoked_at: Seconds
  /** -1: in no list. */
  readonly status_index: number
}

export interface RevokedAccessToken {
  readonly revoked_at: Seconds
  readonly jti: string
  /** Of the token: then nobody takes it anyway. */
  readonly expires_at: Seconds
}

/** What one commit has revoked. */
export interface Revoked {
  readonly grants: readonly RevokedGrant[]
  readonly access_tokens: readonly RevokedAccessToken[]
}

/** A grant that has ended, as far as a receiver may hear of it. */
export interface EndedGrant {
  readonly revoked_at: Seconds
  readonly grant_id: string
  readonly account_id: string
  readonly client_id: string
  readonly session_id: string
  readonly resources: readonly string[]
  readonly revoked_because: string
}

export interface PasswordChange {
  readonly audit_id: string
  readonly at: Seconds
  readonly account_id: string
}

/** Keyset pagination: `cursor` is opaque to callers and comes from the previous page. */
export interface PageRequest {
  readonly limit: number
  readonly cursor: string | null
}
export interface Page<T> {
  readonly items: readonly T[]
  readonly next_cursor: string | null
}

/**
 * A signing key as it is stored; its state follows from its instants:
 * next (not yet activated) → active → retiring (retired, still published) → removed.
 */
export interface SigningKeyRecord {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  readonly alg: SigningAlgorithm
  /** The public JWK, as JSON. */
  readonly public_jwk: string
  /** The private key in PKCS #8, sealed by the vault; empty once the key is removed. */
  readonly private_key_sealed: string
  readonly created_at: Seconds
  readonly activated_at: Seconds | null
  readonly retired_at: Seconds | null
  readonly removed_at: Seconds | null
}

/** The last fetch of the JWK Set by one fetcher. */
export interface KeyFetch {
  /** The resource that it named; null: none. */
  readonly resource: string | null
  readonly address_prefix: string
  readonly agent: string
  /** The keys of the set that was fetched. */
  readonly kids: readonly string[]
  readonly fetched_at: Seconds
}

/** Somebody who fetches the JWK Set, as far as one fetcher can be told from another. */
export interface KeyFetcher extends KeyFetch {
  readonly first_fetched_at: Seconds
  /** What the tokens of its resource are signed with. */
  readonly signing_alg: SigningAlgorithm
}

/** A key that never leaves the vault in the clear: MAC and digest keys, and the check value. */
export interface VaultSecretRecord {
  readonly name: string
  readonly key_id: number
  readonly sealed: string
  readonly created_at: Seconds
}

/** Something handed out once (a set-up link): stored as its digest, claimed by one statement. */
export interface OneTimeHandle {
  readonly digest: string
  readonly purpose: 'setup_link'
  readonly subject: string | null
  readonly expires_at: Seconds
}

/** One counter of attempts; see `protocol/throttle.ts` for the limits. */
export interface ThrottleLimit {
  /** Digest of what is counted: (kind, account, address prefix) … */
  readonly key: string
  /** Attempts allowed in one window. */
  readonly limit: number
  readonly window_seconds: Seconds
  /** Soft lock after the limit is passed: `lock_base_seconds` doubled each time up to `lock_max_seconds`; 0: none. */
  readonly lock_base_seconds: Seconds
  readonly lock_max_seconds: Seconds
  /** Failures in a row after which nothing but a reset helps; null: never. */
  readonly max_consecutive: number | null
}
export type ThrottleOutcome =
  | { readonly outcome: 'allowed' }
  | { readonly outcome: 'refused'; readonly key: string; readonly retry_after: Seconds; readonly newly_locked: boolean }

/** One line of the audit trail. Nothing in it is a secret. */
export interface AuditRecord {
  readonly audit_id: string
  readonly at: Seconds
  /** `sign_in.succeeded`, `refresh.reused`, `admin.client_created` …: see `observe/audit.ts`. */
  readonly event: string
  /** Who did it: an account, a client, `cli` or `system`. */
  readonly actor: string | null
  readonly account_id: string | null
  readonly client_id: string | null
  readonly grant_id: string | null
  readonly session_id: string | null
  readonly address_prefix: string | null
  readonly request_id: string | null
  /** Anything else, as JSON. */
  readonly detail: string | null
}

/** The audit records of a transition: they are committed with it or not at all. */
export type Audit = readonly AuditRecord[]

/** A link of the chain over the audit trail: `hash` covers `previous_hash` and the records that carry this `seal`. */
export interface AuditSeal {
  readonly seal: number
  readonly previous_hash: string
  readonly hash: string
  readonly created_at: Seconds
}
