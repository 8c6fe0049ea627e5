import type { Seconds } from '../protocol/time.ts'
import type { AccountStore } from './account_store.ts'
import type { AuditStore } from './audit_store.ts'
import type { AuthorizationStore } from './authorization_store.ts'
import type { ClientStore } from './client_store.ts'
import type { ConsentStore } from './consent_store.ts'
import type { DeviceCodeStore } from './device_code_store.ts'
import type { GrantStore } from './grant_store.ts'
import type { KeyStore } from './key_store.ts'
import type { LogoutStore } from './logout_store.ts'
import type { RegistrationStore } from './registration_store.ts'
import type { ResourceStore } from './resource_store.ts'
import type { RestoreStore } from './restore_store.ts'
import type { SessionStore } from './session_store.ts'
import type { SignalStore } from './signal_store.ts'
import type { StatusStore } from './status_store.ts'
import type { ThrottleStore } from './throttle_store.ts'

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
    StatusStore,
    SignalStore,
    ThrottleStore,
    RestoreStore,
    KeyStore,
    AuditStore {
  /** Deletes what has expired, at most `limit` rows of each kind. @returns how many rows went. */
  sweep(now: Seconds, limit: number): Promise<number>
  /** Cheap proof that the database answers. */
  ping(): Promise<void>
  close(): Promise<void>
}
