import type { Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../protocol/client.ts'
import { offersLoginApi } from '../protocol/profile.ts'
import { ADMIN_SCOPES, ANY, formatScope } from '../protocol/scope.ts'

/**
 * The one client behind the login API: the operator's own applications. It is a row like any other, made at start; its
 * scope and resources may be narrowed there, and its lifetimes and profile follow the configuration.
 */
export async function ensureLoginClient(deps: Pick<Deps, 'config' | 'store' | 'clock' | 'random'>): Promise<void> {
  const { token_api, profile } = deps.config
  if (!token_api.enabled || !offersLoginApi(profile)) return
  const existing = await deps.store.findClient(token_api.client_id)
  const wanted = loginClient(existing, token_api, deps.clock.now())
  if (existing === undefined) {
    const audit = auditRecord(deps, 'admin.client_created', { actor: 'system', client_id: wanted.client_id })
    await deps.store.createClient(wanted, [audit])
  } else if (differs(existing, wanted)) {
    const audit = auditRecord(deps, 'admin.client_updated', { actor: 'system', client_id: wanted.client_id })
    await deps.store.updateClient(wanted, [audit])
  }
}

const FOLLOWS_CONFIGURATION = [
  'refresh_token_profile',
  'refresh_token_idle_seconds',
  'refresh_token_absolute_seconds',
] as const

function loginClient(existing: Client | undefined, config: Deps['config']['token_api'], now: number): Client {
  const bare: Client = {
    ...CLIENT_DEFAULTS,
    ...MADE_BY_ADMIN,
    client_id: config.client_id,
    client_name: 'Login API',
    client_secret_digest: null,
    grant_types: ['refresh_token'],
    token_endpoint_auth_method: 'none',
    // Every resource and what it knows; the admin API's scopes only to those who hold the role.
    scope: formatScope(['openid', 'profile', 'email', ...ADMIN_SCOPES, ANY]),
    resources: [ANY],
    first_party: true,
    refresh_token_profile: config.refresh_token_profile,
    disabled_at: null,
    created_at: now,
    updated_at: now,
  }
  return {
    ...(existing ?? bare),
    refresh_token_profile: config.refresh_token_profile,
    refresh_token_idle_seconds: config.refresh_idle_seconds,
    refresh_token_absolute_seconds: config.refresh_absolute_seconds,
    updated_at: now,
  }
}

function differs(existing: Client, wanted: Client): boolean {
  return FOLLOWS_CONFIGURATION.some((member) => existing[member] !== wanted[member])
}

/** The client that every grant of this API belongs to. */
export async function findLoginClient(deps: Pick<Deps, 'config' | 'store'>): Promise<Client> {
  const client = await deps.store.findClient(deps.config.token_api.client_id)
  if (client === undefined) throw new Error('the login client has been deleted; a restart makes it anew')
  return client
}
