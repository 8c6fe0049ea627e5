import { clientSecret, newClientSecret } from '../clients/credentials.ts'
import { registrationProblems } from '../clients/registration.ts'
import type { Deps } from '../deps.ts'
import { type FieldProblem, notFound, Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Client, type ClientMetadata, hasSecret, MADE_BY_ADMIN, nextVersion, partsOf } from '../protocol/client.ts'
import { CLI_CLIENT_ID, type ClientRegistration, registeredMetadata } from '../protocol/client_registration.ts'
import { randomId } from '../protocol/random_id.ts'
import { parseScope } from '../protocol/scope.ts'
import { refuseToGrant } from './authority.ts'
import type { Administrator } from './guard.ts'

/** What is asked of a client: its metadata, and what else can be chosen. */
export interface AskedClient extends ClientRegistration {
  readonly client_id?: string
  readonly client_secret?: string
}

export interface PlannedClient {
  readonly client: Client
  /** The secret made here. Shown once, and stored as a digest. */
  readonly issued_secret: string | null
}

/**
 * The client that is asked for. Nothing is stored yet.
 *
 * @param existing what is to change; undefined for a new client
 * @param resources those that may be named besides the registered ones
 */
export async function planClient(
  deps: Deps,
  by: Administrator,
  existing: Client | undefined,
  asked: AskedClient,
  resources: readonly string[] = [],
): Promise<{ readonly value: PlannedClient } | { readonly problems: readonly FieldProblem[] }> {
  const { client_id, client_secret, ...wanted } = asked
  const parts = existing && partsOf(existing)
  const metadata = registeredMetadata(parts?.metadata, wanted)
  const problems: FieldProblem[] = await registrationProblems(deps, metadata, existing, resources)
  if (client_id === CLI_CLIENT_ID) problems.push({ field: 'client_id', message: 'is reserved' })
  if (!hasSecret(metadata) && client_secret !== undefined) {
    const message = `a client with the method ${metadata.token_endpoint_auth_method} has no secret`
    problems.push({ field: 'client_secret', message })
  }
  if (metadata.first_party && existing !== undefined && existing.origin !== 'admin') {
    problems.push({ field: 'first_party', message: 'is for clients that an administrator made' })
  }
  if (problems.length > 0) return { problems }
  refuseToGrant(by, scopesOf(metadata))
  const kept = existing?.client_secret_digest ?? null
  const { client_secret_digest, issued_secret } = clientSecret(deps, metadata, kept, client_secret)
  const now = deps.clock.now()
  const identity = parts?.identity ?? {
    ...MADE_BY_ADMIN,
    client_id: client_id ?? randomId(deps.random),
    disabled_at: null,
    created_at: now,
  }
  const updated_at = existing === undefined ? now : nextVersion(existing, now)
  return { value: { client: { ...identity, ...metadata, client_secret_digest, updated_at }, issued_secret } }
}

/** The client with a new secret. The old one ends with it. */
export function planSecret(deps: Deps, by: Administrator, existing: Client): PlannedClient {
  if (!hasSecret(existing)) {
    throw new Problem(409, `a client with the method ${existing.token_endpoint_auth_method} has no secret`)
  }
  refuseToGrant(by, scopesOf(existing))
  const { handle, digest } = newClientSecret(deps)
  const client = { ...existing, client_secret_digest: digest, updated_at: nextVersion(existing, deps.clock.now()) }
  return { client, issued_secret: handle }
}

export async function createClient(deps: Deps, by: Administrator, client: Client): Promise<void> {
  const audit = tell(deps, by, 'admin.client_created', client.client_id, partsOf(client).metadata)
  if ((await deps.store.createClient(client, [audit])) === 'exists') {
    throw new Problem(409, 'a client with this client_id exists already')
  }
}

/** @returns `stale` when somebody else has changed it since `before` was read; nothing is changed then */
export async function updateClient(
  deps: Deps,
  by: Administrator,
  client: Client,
  before: Client,
  event: 'admin.client_updated' | 'admin.client_secret_rotated' = 'admin.client_updated',
): Promise<'updated' | 'stale'> {
  const audit = tell(deps, by, event, client.client_id, partsOf(client).metadata)
  const outcome = await deps.store.updateClient(client, [audit], before)
  if (outcome === 'not_found') throw notFound('client')
  return outcome
}

export async function deleteClient(deps: Deps, by: Administrator, client_id: string): Promise<void> {
  const audit = tell(deps, by, 'admin.client_deleted', client_id)
  if ((await deps.store.deleteClient(client_id, deps.clock.now(), [audit])) === 'not_found') throw notFound('client')
}

/** Its grants stay, and are good for nothing until it is enabled. */
export async function setClientDisabled(
  deps: Deps,
  by: Administrator,
  client_id: string,
  disabled: boolean,
): Promise<void> {
  const now = deps.clock.now()
  const audit = [tell(deps, by, disabled ? 'admin.client_disabled' : 'admin.client_enabled', client_id)]
  const outcome = disabled
    ? await deps.store.disableClient(client_id, now, audit)
    : await deps.store.enableClient(client_id, now, audit)
  if (outcome === 'not_found') throw notFound('client')
}

export async function requireClient(deps: Pick<Deps, 'store'>, client_id: string): Promise<Client> {
  const client = await deps.store.findClient(client_id)
  if (client === undefined) throw notFound('client')
  return client
}

function tell(deps: Deps, { actor, caller }: Administrator, event: `admin.${string}`, client_id: string, detail = {}) {
  return auditRecord(deps, event, { actor, client_id, caller, detail: { ...detail } })
}

function scopesOf(metadata: ClientMetadata): readonly string[] {
  return parseScope(metadata.scope) ?? []
}
