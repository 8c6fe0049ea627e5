import type { Config } from '../../config/schema.ts'
import type { Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../protocol/client.ts'

export const DEMO_CLIENT_ID = 'gatehouse-demo'
export const DEMO_SCOPE = 'openid profile email offline_access'

/** Whether `/demo` is there. A client without a credential has no place under the FAPI 2.0 profile. */
export function isDemoOn({ demo, issuer, profile }: Pick<Config, 'demo' | 'issuer' | 'profile'>): boolean {
  if (profile === 'fapi2' || demo === 'off') return false
  // An http issuer is on loopback, or the server would not have started.
  return demo === 'on' || issuer.startsWith('http:')
}

/** Makes the demo's client when the demo is there, and takes it away when it is not. */
export async function ensureDemoClient(deps: Pick<Deps, 'config' | 'store' | 'clock' | 'random'>): Promise<void> {
  const { config, store, clock } = deps
  const existing = await store.findClient(DEMO_CLIENT_ID)
  const told = (event: 'admin.client_created' | 'admin.client_updated' | 'admin.client_deleted') => [
    auditRecord(deps, event, { actor: 'system', client_id: DEMO_CLIENT_ID }),
  ]
  if (!isDemoOn(config)) {
    if (existing !== undefined) await store.deleteClient(DEMO_CLIENT_ID, clock.now(), told('admin.client_deleted'))
    return
  }
  const wanted = demoClient(config.issuer, clock.now())
  if (existing === undefined) await store.createClient(wanted, told('admin.client_created'))
  else if (existing.redirect_uris[0] !== wanted.redirect_uris[0]) {
    await store.updateClient(wanted, told('admin.client_updated'))
  }
}

function demoClient(issuer: string, now: number): Client {
  return {
    ...CLIENT_DEFAULTS,
    ...MADE_BY_ADMIN,
    client_id: DEMO_CLIENT_ID,
    client_name: 'Gatehouse demo',
    client_secret_digest: null,
    redirect_uris: [`${issuer}/demo/callback`],
    post_logout_redirect_uris: [`${issuer}/demo`],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    scope: DEMO_SCOPE,
    resources: [],
    // So that the page that asks for consent is seen, too.
    first_party: false,
    refresh_token_profile: 'standard',
    disabled_at: null,
    created_at: now,
    updated_at: now,
  }
}
