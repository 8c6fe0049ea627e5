import type { Grant } from '../../server/protocol/grant.ts'

const DAY = 86_400

/** A grant made at an instant, alive and never refreshed. */
export function makeGrant(changes: Partial<Grant> = {}): Grant {
  const created_at = changes.created_at ?? 1_800_000_000
  return {
    grant_id: Buffer.alloc(16, 7).toString('base64url'),
    client_id: 'app',
    account_id: 'alice',
    session_id: 'session',
    scope: 'read',
    resources: ['https://api.example.com'],
    auth_time: created_at,
    amr: ['pwd'],
    acr: null,
    cnf: null,
    claims: null,
    authorization_details: [],
    generation: 0,
    rotated_at: created_at,
    late_replay_generation: null,
    idle_expires_at: created_at + DAY,
    absolute_expires_at: created_at + 90 * DAY,
    revoked_at: null,
    revoked_because: null,
    created_at,
    address_prefix: null,
    user_agent: null,
    status_index: -1,
    ...changes,
  }
}
