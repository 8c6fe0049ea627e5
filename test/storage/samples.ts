import type { Account } from '../../server/protocol/account.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../../server/protocol/client.ts'
import type { Grant } from '../../server/protocol/grant.ts'
import type { Resource } from '../../server/protocol/resource.ts'
import type { Driver } from '../../server/storage/driver.ts'
import type { AuditRecord, SigningKeyRecord, ThrottleLimit } from '../../server/storage/records.ts'
import type { Store } from '../../server/storage/store.ts'

export const NOW = 1_800_000_000
let made = 0

/** A name that no other test of this process uses. */
export function fresh(prefix: string): string {
  made += 1
  return `${prefix}_${process.pid}_${made}`
}

export function sampleAccount(change: Partial<Account> = {}): Account {
  const account_id = fresh('account')
  return {
    account_id,
    username: account_id,
    email: null,
    email_verified_at: null,
    name: null,
    roles: [],
    profile: {},
    password_hash: null,
    disabled_at: null,
    created_at: NOW,
    updated_at: NOW,
    legacy_user_id: null,
    ...change,
  }
}

export function sampleClient(change: Partial<Client> = {}): Client {
  return {
    client_id: fresh('client'),
    client_name: 'A client',
    grant_types: ['refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'read write',
    resources: ['https://api.example.com'],
    first_party: true,
    refresh_token_profile: 'standard',
    ...CLIENT_DEFAULTS,
    ...MADE_BY_ADMIN,
    client_secret_digest: 'digest',
    disabled_at: null,
    created_at: NOW,
    updated_at: NOW,
    ...change,
  }
}

export function sampleResource(change: Partial<Resource> = {}): Resource {
  return {
    resource: `https://${fresh('api')}.example.com`,
    scopes: ['read'],
    access_token_seconds: 300,
    signing_alg: 'RS256',
    introspection_clients: ['api'],
    authorization_details_types: [],
    claims: {},
    token_typ: 'at+jwt',
    created_at: NOW,
    updated_at: NOW,
    ...change,
  }
}

export function sampleGrant(change: Partial<Grant> = {}): Grant {
  return {
    grant_id: fresh('grant'),
    client_id: 'nobody',
    account_id: 'nobody',
    session_id: fresh('session'),
    scope: 'read',
    resources: ['https://api.example.com'],
    auth_time: NOW,
    amr: ['pwd'],
    acr: null,
    cnf: null,
    claims: null,
    authorization_details: [],
    generation: 0,
    rotated_at: NOW,
    late_replay_generation: null,
    idle_expires_at: NOW + 1_000,
    absolute_expires_at: NOW + 10_000,
    revoked_at: null,
    revoked_because: null,
    created_at: NOW,
    address_prefix: '192.0.2.1',
    user_agent: 'a browser',
    status_index: -1,
    ...change,
  }
}

export function sampleKey(change: Partial<SigningKeyRecord> = {}): SigningKeyRecord {
  return {
    kid: fresh('kid'),
    alg: 'RS256',
    public_jwk: '{"kty":"RSA"}',
    private_key_sealed: 'sealed',
    created_at: NOW,
    activated_at: null,
    retired_at: null,
    removed_at: null,
    ...change,
  }
}

export function sampleLimit(change: Partial<ThrottleLimit> = {}): ThrottleLimit {
  return {
    key: fresh('throttle'),
    limit: 5,
    window_seconds: 60,
    lock_base_seconds: 0,
    lock_max_seconds: 0,
    max_consecutive: null,
    ...change,
  }
}

/** One audit record, marked so that {@link AuditRecord.event} finds it again. */
export function sampleAudit(event: string, change: Partial<AuditRecord> = {}): AuditRecord {
  made += 1
  return {
    audit_id: (made + process.pid * 1_000_000).toString(16).padStart(28, '0'),
    at: NOW,
    event,
    actor: 'cli',
    account_id: null,
    client_id: null,
    grant_id: null,
    session_id: null,
    address_prefix: null,
    request_id: null,
    detail: null,
    ...change,
  }
}

export interface Opened {
  readonly store: Store
  readonly driver: Driver
}

/** How many records of an event there are. */
export async function countAudit(store: Store, event: string): Promise<number> {
  const { items } = await store.listAudit({ event }, { limit: 100, cursor: null })
  return items.length
}

/** How often each answer came. */
export function tally(answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1
  return counts
}
