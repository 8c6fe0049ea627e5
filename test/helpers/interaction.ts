/** Records for the rules of authorization requests; every call can change what it is about. */
import type { Account } from '../../server/protocol/account.ts'
import type { AuthorizationRequest } from '../../server/protocol/authorization_request.ts'
import type { Consent } from '../../server/protocol/consent.ts'
import type { Session } from '../../server/protocol/session.ts'
import type { Store } from '../../server/storage/store.ts'
import { NOW } from './app.ts'

export function makeAccount(changes: Partial<Account> = {}): Account {
  return {
    account_id: 'alice-id',
    username: 'alice',
    email: null,
    email_verified_at: null,
    name: null,
    profile: {},
    roles: [],
    password_hash: null,
    disabled_at: null,
    created_at: NOW,
    updated_at: NOW,
    legacy_user_id: null,
    ...changes,
  }
}

export function makeSession(changes: Partial<Session> = {}): Session {
  return {
    session_id: 'session-id',
    handle_digest: 'digest',
    account_id: 'alice-id',
    auth_time: NOW,
    amr: ['pwd'],
    acr: 'urn:gatehouse:pwd',
    remembered: false,
    idle_expires_at: NOW + 28_800,
    absolute_expires_at: NOW + 86_400,
    last_seen_at: NOW,
    ended_at: null,
    ended_because: null,
    created_at: NOW,
    address_prefix: '127.0.0.1',
    user_agent: null,
    ...changes,
  }
}

export function makeRequest(changes: Partial<AuthorizationRequest> = {}): AuthorizationRequest {
  return {
    client_id: 'web',
    redirect_uri: 'https://app.example/callback',
    redirect_uri_sent: true,
    response_mode: 'query',
    state: null,
    scope: 'openid profile',
    resources: ['https://api.example'],
    nonce: null,
    code_challenge: null,
    prompt: [],
    max_age: null,
    acr_values: [],
    login_hint: null,
    hinted_subject: null,
    ui_locales: [],
    claims: null,
    authorization_details: [],
    dpop_jkt: null,
    ...changes,
  }
}

/** To everything that {@link makeRequest} asks for. */
export function makeConsent(changes: Partial<Consent> = {}): Consent {
  return {
    account_id: 'alice-id',
    client_id: 'web',
    scope: 'openid profile',
    resources: ['https://api.example'],
    redirect_hosts: ['app.example'],
    claims: [],
    granted_at: NOW,
    updated_at: NOW,
    ...changes,
  }
}

/** Does something right after a consent has been read `times` times, before whoever read it last goes on. */
export function onceRead(store: Store, times: number, act: () => Promise<unknown>): void {
  const findConsent = store.findConsent.bind(store)
  let reads = 0
  store.findConsent = async (account_id, client_id) => {
    const found = await findConsent(account_id, client_id)
    reads += 1
    if (reads === times) await act()
    return found
  }
}
