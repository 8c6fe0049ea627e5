import type { Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../protocol/client.ts'

export const FORWARD_AUTH_CLIENT_ID = 'gatehouse-forward-auth'

/**
 * Makes the client by which people sign in for applications behind a proxy, or brings it up to date, or takes it away when
 * there are none. What an administrator has disabled stays so.
 */
export async function ensureForwardAuthClient(
  deps: Pick<Deps, 'config' | 'store' | 'clock' | 'random'>,
): Promise<void> {
  const { store, clock } = deps
  const { enabled, origins } = deps.config.forward_auth
  const existing = await store.findClient(FORWARD_AUTH_CLIENT_ID)
  const told = (event: 'admin.client_created' | 'admin.client_updated' | 'admin.client_deleted') => [
    auditRecord(deps, event, { actor: 'system', client_id: FORWARD_AUTH_CLIENT_ID }),
  ]
  if (!enabled || origins.length === 0) {
    if (existing === undefined) return
    await store.deleteClient(FORWARD_AUTH_CLIENT_ID, clock.now(), told('admin.client_deleted'))
    return
  }
  const wanted = forwardAuthClient(origins, clock.now())
  if (existing === undefined) await store.createClient(wanted, told('admin.client_created'))
  else if (existing.redirect_uris.join(' ') !== wanted.redirect_uris.join(' ')) {
    await store.updateClient({ ...existing, ...wanted, created_at: existing.created_at }, told('admin.client_updated'))
  }
}

/** Where the proxy of an application brings its people back to us. */
export function forwardAuthCallback(origin: string): string {
  return `${origin}/forward-auth/callback`
}

/** Without a credential: PKCE with a verifier that only this server can make says who exchanges its codes. */
function forwardAuthClient(origins: readonly string[], now: number): Client {
  return {
    ...CLIENT_DEFAULTS,
    ...MADE_BY_ADMIN,
    client_id: FORWARD_AUTH_CLIENT_ID,
    client_name: 'Applications behind a proxy',
    client_secret_digest: null,
    redirect_uris: origins.map(forwardAuthCallback),
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'none',
    scope: 'openid',
    resources: [],
    first_party: true,
    refresh_token_profile: 'standard',
    disabled_at: null,
    created_at: now,
    updated_at: now,
  }
}
