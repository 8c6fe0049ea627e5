import type { Account } from '../protocol/account.ts'
import type { Client } from '../protocol/client.ts'
import type { Grant } from '../protocol/grant.ts'
import type { Resource } from '../protocol/resource.ts'
import type { Seconds } from '../protocol/time.ts'
import type {
  AuditRecord,
  AuditSeal,
  GrantContext,
  GrantSelector,
  LateReplay,
  OneTimeHandle,
  Page,
  PageRequest,
  Revocation,
  Rotation,
  SigningKeyRecord,
  ThrottleLimit,
  ThrottleOutcome,
  VaultSecretRecord,
} from './records.ts'

/** The audit records of a transition: they are committed with it or not at all. */
export type Audit = readonly AuditRecord[]

/**
 * What the server remembers, as transitions with named outcomes. A lost race is an outcome; only a database that
 * cannot answer is an exception (`StorageUnavailable`). Each method is one batch or one read; nothing is
 * acknowledged before its commit is durable. `audit` is written only when the transition happens.
 */
export interface Store
  extends AccountStore,
    ClientStore,
    ResourceStore,
    GrantStore,
    ThrottleStore,
    KeyStore,
    AuditStore {
  /** Deletes what has expired, at most `limit` rows of each kind. @returns how many rows went. */
  sweep(now: Seconds, limit: number): Promise<number>
  /** Cheap proof that the database answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface AccountStore {
  /** The username and the e-mail address, folded, are identifiers; each belongs to one account. */
  createAccount(account: Account, audit: Audit): Promise<'created' | 'identifier_taken'>
  /** For the first administrator: creates the account and claims the set-up link in one step, once. */
  createFirstAdministrator(
    account: Account,
    setup_link_digest: string,
    now: Seconds,
    audit: Audit,
  ): Promise<'created' | 'identifier_taken' | 'link_spent'>
  findAccount(account_id: string): Promise<Account | undefined>
  /** @param identifier folded by `protocol/identifier.ts` */
  findAccountByIdentifier(identifier: string): Promise<Account | undefined>
  listAccounts(page: PageRequest): Promise<Page<Account>>
  /** Replaces username, email, email_verified_at, name and roles; nothing else. */
  updateAccount(account: Account, audit: Audit): Promise<'updated' | 'not_found' | 'identifier_taken'>
  /** Compare-and-swap, so that a rehash at sign-in never overwrites a new password. */
  replacePasswordHash(
    change: { account_id: string; expected: string | null; password_hash: string; now: Seconds },
    audit: Audit,
  ): Promise<'replaced' | 'stale'>
  /** Disables the account and revokes all its grants in the same commit. */
  disableAccount(account_id: string, now: Seconds, audit: Audit): Promise<'disabled' | 'unchanged' | 'not_found'>
  enableAccount(account_id: string, now: Seconds, audit: Audit): Promise<'enabled' | 'unchanged' | 'not_found'>
  /** Whether anyone holds the role `admin` and is not disabled. */
  hasAdministrator(): Promise<boolean>
}

export interface ClientStore {
  createClient(client: Client, audit: Audit): Promise<'created' | 'exists'>
  findClient(client_id: string): Promise<Client | undefined>
  listClients(page: PageRequest): Promise<Page<Client>>
  /** Replaces the metadata and, when it is given, the secret's digest. */
  updateClient(client: Client, audit: Audit): Promise<'updated' | 'not_found'>
  /** Deletes the client and revokes its grants in the same commit. */
  deleteClient(client_id: string, now: Seconds, audit: Audit): Promise<'deleted' | 'not_found'>
}

export interface ResourceStore {
  createResource(resource: Resource, audit: Audit): Promise<'created' | 'exists'>
  findResources(resources: readonly string[]): Promise<Resource[]>
  listResources(page: PageRequest): Promise<Page<Resource>>
  updateResource(resource: Resource, audit: Audit): Promise<'updated' | 'not_found'>
  /** The distinct signing algorithms that resources ask for. */
  algorithmsInUse(): Promise<string[]>
}

export interface GrantStore {
  /** Also gives back the throttled attempts that led to it (`give_back`: throttle keys). */
  createGrant(grant: Grant, give_back: readonly string[], audit: Audit): Promise<'created' | 'account_disabled'>
  findGrant(grant_id: string): Promise<GrantContext | undefined>
  /** generation → generation + 1, if it is still current and the grant not revoked. */
  rotateRefreshToken(rotation: Rotation, audit: Audit): Promise<'rotated' | 'stale'>
  /** Marks a late replay, if the generation is still current, none was marked for it and the grant is not revoked. */
  recordLateReplay(replay: LateReplay, audit: Audit): Promise<'recorded' | 'stale'>
  /** Moves `idle_expires_at` without rotating (profile `fixed`). */
  touchGrant(rotation: Rotation, audit: Audit): Promise<'touched' | 'stale'>
  revokeGrant(
    grant_id: string,
    revocation: Revocation,
    audit: Audit,
  ): Promise<'revoked' | 'already_revoked' | 'not_found'>
  /** @returns how many grants it ended. */
  revokeGrants(selector: GrantSelector, revocation: Revocation, audit: Audit): Promise<number>
  /** Live grants first to last created; a revoked or expired one is listed until it is swept. */
  listGrants(
    filter: { account_id?: string; client_id?: string; session_id?: string },
    page: PageRequest,
  ): Promise<Page<Grant>>
  /** Makes one access token inactive until it has expired anyway (RFC 7009 §2). */
  revokeAccessToken(jti: string, expires_at: Seconds, audit: Audit): Promise<void>
  isAccessTokenRevoked(jti: string): Promise<boolean>
}

export interface ThrottleStore {
  /** Counts an attempt against every limit, before the check that it guards; all or none are counted. */
  consumeAttempt(limits: readonly ThrottleLimit[], now: Seconds): Promise<ThrottleOutcome>
  /** A success: the attempt is given back and the failures in a row forgotten. */
  giveBackAttempt(keys: readonly string[]): Promise<void>
  /** The check could not be made: this attempt is as if it had never been, and earlier failures still count. */
  withdrawAttempt(keys: readonly string[]): Promise<void>
  /** An administrator's or a password reset's: the counters start anew. */
  resetThrottle(keys: readonly string[]): Promise<void>
}

export interface KeyStore {
  listSigningKeys(): Promise<SigningKeyRecord[]>
  /** Inserts keys; a second `next` or `active` key of one algorithm loses, and nothing is inserted. */
  insertSigningKeys(keys: readonly SigningKeyRecord[], audit: Audit): Promise<'inserted' | 'lost_race'>
  /**
   * The active key retires and the next one becomes active, in one commit, with a new next key.
   */
  activateSigningKey(
    change: { kid: string; retire: string | null; next: SigningKeyRecord | null; now: Seconds },
    audit: Audit,
  ): Promise<'activated' | 'lost_race'>
  /** Removes every key of an algorithm and inserts these in their place. The private halves of the removed are erased. */
  replaceSigningKeys(
    change: { alg: string; keys: readonly SigningKeyRecord[]; now: Seconds },
    audit: Audit,
  ): Promise<'replaced' | 'lost_race'>
  /** Its private half is erased. */
  removeSigningKey(kid: string, now: Seconds, audit: Audit): Promise<'removed' | 'lost_race'>
  /** Re-wraps under another key-encryption key. */
  replaceSealedSigningKey(kid: string, expected: string, sealed: string): Promise<'replaced' | 'stale'>
  listVaultSecrets(): Promise<VaultSecretRecord[]>
  insertVaultSecret(secret: VaultSecretRecord): Promise<'inserted' | 'exists'>
  replaceSealedVaultSecret(
    name: string,
    key_id: number,
    expected: string,
    sealed: string,
  ): Promise<'replaced' | 'stale'>
  /** Supersedes every earlier handle of the same purpose and subject. */
  createOneTimeHandle(handle: OneTimeHandle, audit: Audit): Promise<void>
  /** Whether a handle could still be claimed. A page may say so; only a claim decides. */
  isOneTimeHandleLive(digest: string, purpose: OneTimeHandle['purpose'], now: Seconds): Promise<boolean>
}

export interface AuditStore {
  appendAudit(audit: Audit): Promise<void>
  listAudit(filter: { event?: string; account_id?: string }, page: PageRequest): Promise<Page<AuditRecord>>
  /** Gives up to `limit` unsealed records the next seal; `hash` computes the link from the previous hash and the records. */
  sealAudit(
    hash: (previous_hash: string, records: readonly AuditRecord[]) => string,
    now: Seconds,
    limit: number,
  ): Promise<'sealed' | 'nothing_to_seal' | 'lost_race'>
  /** Seals after `after`, each with its records, oldest first. */
  readSeals(after: number, limit: number): Promise<{ seal: AuditSeal; records: AuditRecord[] }[]>
}
