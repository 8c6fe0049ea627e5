import type { Account } from '../../server/protocol/account.ts'
import type { AuthorizationCode } from '../../server/protocol/authorization_code.ts'
import type { Client } from '../../server/protocol/client.ts'
import type { Consent } from '../../server/protocol/consent.ts'
import type { DeviceCode } from '../../server/protocol/device_code.ts'
import type { Grant } from '../../server/protocol/grant.ts'
import type { Interaction } from '../../server/protocol/interaction.ts'
import type { Session } from '../../server/protocol/session.ts'
import type { Store } from '../../server/storage/store.ts'
import { fresh, NOW, sampleAccount, sampleClient, sampleGrant } from './samples.ts'

/** What a sign-in without anything to note or give back comes with. */
export const PLAIN = { replaces: null, give_back: [], interaction_id: null } as const

export function sampleSession(change: Partial<Session> = {}): Session {
  return {
    session_id: fresh('session'),
    handle_digest: fresh('handle'),
    account_id: 'nobody',
    auth_time: NOW,
    amr: ['pwd'],
    acr: '1',
    remembered: false,
    idle_expires_at: NOW + 1_000,
    absolute_expires_at: NOW + 10_000,
    last_seen_at: NOW,
    ended_at: null,
    ended_because: null,
    created_at: NOW,
    address_prefix: '192.0.2.1',
    user_agent: 'a browser',
    ...change,
  }
}

export function sampleInteraction(change: Partial<Interaction> = {}): Interaction {
  return {
    interaction_id: fresh('interaction'),
    browser_digest: fresh('browser'),
    request: {
      client_id: 'nobody',
      redirect_uri: 'https://client.example/callback',
      redirect_uri_sent: true,
      response_mode: 'query',
      state: 'a state',
      scope: 'openid',
      resources: [],
      nonce: null,
      code_challenge: null,
      prompt: ['login'],
      max_age: null,
      acr_values: [],
      login_hint: null,
      hinted_subject: null,
      ui_locales: [],
      claims: { id_token: { acr: { essential: true } } },
      authorization_details: [],
      dpop_jkt: null,
    },
    authenticated_at: null,
    selected_at: null,
    consented_at: null,
    consented_session_id: null,
    expires_at: NOW + 600,
    created_at: NOW,
    ...change,
  }
}

export function sampleCode(session: Session, change: Partial<AuthorizationCode> = {}): AuthorizationCode {
  return {
    code_digest: fresh('code'),
    grant_id: fresh('grant'),
    client_id: fresh('client'),
    account_id: session.account_id,
    session_id: session.session_id,
    redirect_uri: 'https://client.example/callback',
    redirect_uri_sent: true,
    code_challenge: 'a challenge',
    dpop_jkt: null,
    nonce: 'a nonce',
    scope: 'openid',
    resources: ['https://api.example.com'],
    claims: { userinfo: { email: null } },
    authorization_details: [{ type: 'payment', amount: 5 }],
    auth_time: session.auth_time,
    amr: session.amr,
    acr: session.acr,
    expires_at: NOW + 60,
    claimed_at: null,
    ...change,
  }
}

/** The grant that a code becomes. */
export function grantOfCode(code: AuthorizationCode, change: Partial<Grant> = {}): Grant {
  const { grant_id, client_id, account_id, session_id, scope, claims, authorization_details } = code
  return sampleGrant({ grant_id, client_id, account_id, session_id, scope, claims, authorization_details, ...change })
}

export function sampleDeviceCode(change: Partial<DeviceCode> = {}): DeviceCode {
  return {
    device_code_digest: fresh('device'),
    user_code_digest: fresh('user_code'),
    client_id: 'nobody',
    grant_id: fresh('grant'),
    scope: 'read',
    resources: ['https://api.example.com'],
    authorization_details: [{ type: 'payment' }],
    dpop_jkt: null,
    interval_seconds: 5,
    last_polled_at: null,
    claimed_session_id: null,
    approved_at: null,
    denied_at: null,
    account_id: null,
    auth_time: null,
    amr: null,
    acr: null,
    redeemed_at: null,
    expires_at: NOW + 600,
    created_at: NOW,
    address_prefix: '192.0.2.1',
    user_agent: 'a television',
    ...change,
  }
}

export function sampleConsent(change: Partial<Consent> = {}): Consent {
  return {
    account_id: 'nobody',
    client_id: 'nobody',
    scope: 'read',
    resources: ['https://api.example.com'],
    redirect_hosts: ['client.example'],
    claims: ['email'],
    granted_at: NOW,
    updated_at: NOW,
    ...change,
  }
}

/** An account that has just signed in, in a live session. */
export async function signedIn(
  store: Store,
  change: Partial<Session> = {},
): Promise<{ account: Account; session: Session }> {
  const account = sampleAccount()
  const session = sampleSession({ account_id: account.account_id, ...change })
  await store.createAccount(account, [])
  await store.startSession(session, PLAIN, [])
  return { account, session }
}

/** A client that is told of the end of a session in `session` that it has signed in to. */
export async function toldClient(store: Store, session: Session, change: Partial<Client> = {}): Promise<Client> {
  const client = sampleClient({ backchannel_logout_uri: 'https://client.example/logout', ...change })
  await store.createClient(client, [])
  await store.createAuthorizationCode(sampleCode(session, { client_id: client.client_id }), null, NOW, [])
  return client
}
