import type { Account } from '../protocol/account.ts'
import type { AuthorizationCode } from '../protocol/authorization_code.ts'
import type { Client } from '../protocol/client.ts'
import type { Consent } from '../protocol/consent.ts'
import type { DeviceCode } from '../protocol/device_code.ts'
import type { Grant } from '../protocol/grant.ts'
import type { Interaction } from '../protocol/interaction.ts'
import type { LogoutDelivery } from '../protocol/logout.ts'
import type { Resource } from '../protocol/resource.ts'
import type { Session, SessionEndedBecause } from '../protocol/session.ts'
import type { Seconds } from '../protocol/time.ts'
import type {
  AuditRecord,
  AuditSeal,
  CodeExchange,
  DeviceApproval,
  GrantContext,
  GrantSelector,
  InitialAccessToken,
  InteractionProgress,
  LateReplay,
  OneTimeHandle,
  Page,
  PageRequest,
  PasswordHashChange,
  PushedRequest,
  Revocation,
  Rotation,
  SessionContext,
  SessionSelector,
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
    SessionStore,
    AuthorizationStore,
    ConsentStore,
    DeviceCodeStore,
    RegistrationStore,
    LogoutStore,
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
  /** Replaces username, email, email_verified_at, name, profile and roles; nothing else. */
  updateAccount(account: Account, audit: Audit): Promise<'updated' | 'not_found' | 'identifier_taken'>
  /** Compare-and-swap, so that a rehash at sign-in never overwrites a new password. */
  replacePasswordHash(change: PasswordHashChange, audit: Audit): Promise<'replaced' | 'stale'>
  /** Disables the account, revokes all its grants and ends all its sessions in the same commit. */
  disableAccount(account_id: string, now: Seconds, audit: Audit): Promise<'disabled' | 'unchanged' | 'not_found'>
  enableAccount(account_id: string, now: Seconds, audit: Audit): Promise<'enabled' | 'unchanged' | 'not_found'>
  /** Whether anyone holds the role `admin` and is not disabled. */
  hasAdministrator(): Promise<boolean>
}

export interface ClientStore {
  createClient(client: Client, audit: Audit): Promise<'created' | 'exists'>
  findClient(client_id: string): Promise<Client | undefined>
  listClients(filter: { origin?: Client['origin'] }, page: PageRequest): Promise<Page<Client>>
  /** Replaces the metadata and, when they are given, the digests of the secret and of the registration access token. */
  updateClient(client: Client, audit: Audit): Promise<'updated' | 'not_found'>
  /** Deletes the client with its consents and revokes its grants in the same commit. */
  deleteClient(client_id: string, now: Seconds, audit: Audit): Promise<'deleted' | 'not_found'>
  /** Notes that a self-registered client is in use. Costs a write once a day at most: `not_before` is a day ago. */
  touchClient(client_id: string, now: Seconds, not_before: Seconds): Promise<void>
  /**
   * Deletes self-registered clients that nobody uses, with their consents: created before and never used, or used last
   * before, and nobody holds a refresh token that was good after `idle_since`.
   */
  reapClients(never_used_before: Seconds, idle_since: Seconds, limit: number): Promise<number>
  countClients(origin: Client['origin'], created_since: Seconds): Promise<number>
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

export interface SessionStore {
  /**
   * A sign-in: creates the session, ends the one that this browser had (`replaces`, with what hangs on it), gives back
   * the throttled attempts, and notes in the interaction that led here when the person signed in.
   */
  startSession(
    session: Session,
    context: {
      readonly replaces: string | null
      readonly give_back: readonly string[]
      readonly interaction_id: string | null
    },
    audit: Audit,
  ): Promise<'started' | 'account_disabled' | 'interaction_gone'>
  /**
   * Who signs in again in the session they have: a new handle and `auth_time`, if the old handle is still current; and the
   * note in the interaction, as with {@link SessionStore.startSession}.
   */
  renewSession(
    session: Session,
    context: {
      readonly expected_handle_digest: string
      readonly give_back: readonly string[]
      readonly interaction_id: string | null
    },
    audit: Audit,
  ): Promise<'renewed' | 'stale' | 'account_disabled' | 'interaction_gone'>
  /** A session and its account, read at once. */
  findSessionByHandle(handle_digest: string): Promise<SessionContext | undefined>
  findSession(session_id: string): Promise<SessionContext | undefined>
  /** Moves the idle lifetime. At most once a minute for each session: `not_before` is a minute ago. */
  touchSession(session_id: string, now: Seconds, idle_expires_at: Seconds, not_before: Seconds): Promise<void>
  /**
   * Ends one session: its grants without `offline_access` are revoked (`signed_out`), and a delivery is queued for each
   * client that it signed in to and whose metadata has a `backchannel_logout_uri`. All in one commit.
   */
  endSession(
    session_id: string,
    because: SessionEndedBecause,
    now: Seconds,
    audit: Audit,
  ): Promise<'ended' | 'already_ended' | 'not_found'>
  /** The same for many. @returns how many it ended. */
  endSessions(selector: SessionSelector, because: SessionEndedBecause, now: Seconds, audit: Audit): Promise<number>
  /** Sessions first to last created, ended ones until they are swept. */
  listSessions(filter: { account_id?: string }, page: PageRequest): Promise<Page<Session>>
  /** The clients that a session has signed somebody in to. */
  listSessionClients(session_id: string): Promise<Client[]>
}

export interface AuthorizationStore {
  createInteraction(interaction: Interaction): Promise<void>
  /** Of this browser, and not expired. */
  findInteraction(interaction_id: string, browser_digest: string, now: Seconds): Promise<Interaction | undefined>
  /** Writes down what the person did. */
  updateInteraction(interaction_id: string, progress: InteractionProgress): Promise<'updated' | 'gone'>
  deleteInteraction(interaction_id: string): Promise<void>
  /**
   * Stores a code for a live session of an account that is not disabled, notes the client in `session_clients`, and takes
   * the interaction away that led to it (once: a second submit of the same page finds it gone).
   */
  createAuthorizationCode(
    code: AuthorizationCode,
    interaction_id: string | null,
    now: Seconds,
    audit: Audit,
  ): Promise<'created' | 'session_ended' | 'account_disabled' | 'interaction_gone'>
  /** A code that was issued, used or not. Reading decides nothing. */
  findAuthorizationCode(code_digest: string): Promise<AuthorizationCode | undefined>
  /**
   * The one use of a code: it is claimed and its grant created in one commit, or neither. `spent`: someone was faster, or
   * it has expired.
   */
  exchangeAuthorizationCode(
    exchange: CodeExchange,
    audit: Audit,
  ): Promise<'exchanged' | 'spent' | 'session_ended' | 'account_disabled'>
  createPushedRequest(request: PushedRequest, audit: Audit): Promise<void>
  /** The one use of a pushed request. Only its client's attempt uses it up. */
  claimPushedRequest(request_uri_digest: string, client_id: string, now: Seconds): Promise<PushedRequest | undefined>
  /** Uses up an id until it expires: the `jti` of an assertion or a proof. */
  claimOnce(id: string, expires_at: Seconds, now: Seconds): Promise<'claimed' | 'used'>
}

export interface ConsentStore {
  findConsent(account_id: string, client_id: string): Promise<Consent | undefined>
  /** Replaces what was there. */
  saveConsent(consent: Consent, audit: Audit): Promise<void>
  listConsents(filter: { account_id?: string; client_id?: string }, page: PageRequest): Promise<Page<Consent>>
  /** Takes it away and revokes all grants of this client by this account (`consent_withdrawn`) in the same commit. */
  withdrawConsent(account_id: string, client_id: string, now: Seconds, audit: Audit): Promise<'withdrawn' | 'not_found'>
}

export interface DeviceCodeStore {
  /** `taken`: another live one has this user code; make a new one. */
  createDeviceCode(device_code: DeviceCode, audit: Audit): Promise<'created' | 'taken'>
  findDeviceCode(device_code_digest: string): Promise<DeviceCode | undefined>
  /** Not expired; decided about or not. */
  findDeviceCodeByUserCode(user_code_digest: string, now: Seconds): Promise<DeviceCode | undefined>
  /** The first session to enter the user code has it; the same session may enter it again. */
  claimDeviceCode(device_code_digest: string, session_id: string, now: Seconds): Promise<'claimed' | 'taken'>
  /** By the session that claimed it, live, once. */
  approveDeviceCode(
    approval: DeviceApproval,
    audit: Audit,
  ): Promise<'approved' | 'spent' | 'account_disabled' | 'session_ended'>
  denyDeviceCode(
    device_code_digest: string,
    session_id: string,
    now: Seconds,
    audit: Audit,
  ): Promise<'denied' | 'spent'>
  /** Notes a poll; who polls sooner than the interval makes it 5 seconds longer (RFC 8628 §3.5). */
  pollDeviceCode(device_code_digest: string, now: Seconds): Promise<'on_time' | 'too_fast'>
  /** The one use of an approved device code: it is redeemed and its grant created in one commit. */
  redeemDeviceCode(
    device_code_digest: string,
    grant: Grant,
    now: Seconds,
    audit: Audit,
  ): Promise<'redeemed' | 'spent' | 'account_disabled'>
}

export interface RegistrationStore {
  createInitialAccessToken(token: InitialAccessToken, audit: Audit): Promise<void>
  /** Whether an initial access token could still be used. Only `registerClient` decides. */
  isInitialAccessTokenLive(digest: string, now: Seconds): Promise<boolean>
  /** Creates the client and uses up one use of the initial access token, in one commit. null: open registration. */
  registerClient(
    client: Client,
    initial_access_token_digest: string | null,
    now: Seconds,
    audit: Audit,
  ): Promise<'registered' | 'exists' | 'token_spent'>
  listInitialAccessTokens(page: PageRequest): Promise<Page<InitialAccessToken>>
  deleteInitialAccessToken(token_id: string, audit: Audit): Promise<'deleted' | 'not_found'>
  /** Puts a fetched metadata document in place of the one before, whatever was there for this `client_id` of that origin. */
  saveMetadataDocument(client: Client, audit: Audit): Promise<'saved' | 'taken'>
}

export interface LogoutStore {
  /** Takes up to `limit` deliveries that are due and moves them to `retry_at`, so that no other node tries them meanwhile. */
  claimLogoutDeliveries(now: Seconds, retry_at: Seconds, limit: number): Promise<LogoutDelivery[]>
  settleLogoutDelivery(
    delivery: Pick<
      LogoutDelivery,
      'session_id' | 'client_id' | 'next_attempt_at' | 'delivered_at' | 'failed_at' | 'last_error'
    >,
    audit: Audit,
  ): Promise<void>
  listLogoutDeliveries(
    filter: { client_id?: string; session_id?: string },
    page: PageRequest,
  ): Promise<Page<LogoutDelivery>>
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
