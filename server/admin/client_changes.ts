import { CLIENT_SECRET_LABEL } from '../client_auth/index.ts'
import type { Deps } from '../deps.ts'
import { grantTypes } from '../grant_types/index.ts'
import { type FieldProblem, notFound, Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Client, type ClientMetadata, isConfidential } from '../protocol/client.ts'
import {
  CLI_CLIENT_ID,
  type ClientRegistration,
  metadataProblems,
  registeredMetadata,
} from '../protocol/client_registration.ts'
import { randomId } from '../protocol/random_id.ts'
import { normalizedResource } from '../protocol/resource_registration.ts'
import { parseScope } from '../protocol/scope.ts'
import { builtInResources } from '../tokens/resources.ts'
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

const SECRET_BYTES = 32

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
  const metadata = registeredMetadata(existing && metadataOf(existing), asked)
  const offered = {
    grant_types: grantTypes.map(({ grant_type }) => grant_type),
    resources: await knownResources(deps, metadata.resources, resources),
  }
  const problems: FieldProblem[] = [...metadataProblems(metadata, offered)]
  if (asked.client_id === CLI_CLIENT_ID) problems.push({ field: 'client_id', message: 'is reserved' })
  if (!isConfidential(metadata) && asked.client_secret !== undefined) {
    problems.push({ field: 'client_secret', message: 'a client with the method none has no secret' })
  }
  if (problems.length > 0) return { problems }
  refuseToGrant(by, scopesOf(metadata))
  const { client_secret_digest, issued_secret } = secretOf(deps, existing, metadata, asked.client_secret)
  const now = deps.clock.now()
  const client: Client = {
    ...metadata,
    client_id: existing?.client_id ?? asked.client_id ?? randomId(deps.random),
    client_secret_digest,
    origin: existing?.origin ?? 'admin',
    registration_access_token_digest: existing?.registration_access_token_digest ?? null,
    metadata_expires_at: existing?.metadata_expires_at ?? null,
    last_used_at: existing?.last_used_at ?? null,
    disabled_at: existing?.disabled_at ?? null,
    created_at: existing?.created_at ?? now,
    updated_at: now,
  }
  return { value: { client, issued_secret } }
}

/** The client with a new secret. The old one ends with it. */
export function planSecret(deps: Deps, by: Administrator, existing: Client): PlannedClient {
  if (!isConfidential(existing)) throw new Problem(409, 'a client with the method none has no secret')
  refuseToGrant(by, scopesOf(existing))
  const issued_secret = newSecret(deps)
  const client_secret_digest = deps.vault.digest(CLIENT_SECRET_LABEL, issued_secret)
  return { client: { ...existing, client_secret_digest, updated_at: deps.clock.now() }, issued_secret }
}

export async function createClient(deps: Deps, by: Administrator, client: Client): Promise<void> {
  const audit = tell(deps, by, 'admin.client_created', client.client_id, metadataOf(client))
  if ((await deps.store.createClient(client, [audit])) === 'exists') {
    throw new Problem(409, 'a client with this client_id exists already')
  }
}

export async function updateClient(
  deps: Deps,
  by: Administrator,
  client: Client,
  event: 'admin.client_updated' | 'admin.client_secret_rotated' = 'admin.client_updated',
): Promise<void> {
  const audit = tell(deps, by, event, client.client_id, metadataOf(client))
  if ((await deps.store.updateClient(client, [audit])) === 'not_found') throw notFound('client')
}

export async function deleteClient(deps: Deps, by: Administrator, client_id: string): Promise<void> {
  const audit = tell(deps, by, 'admin.client_deleted', client_id)
  if ((await deps.store.deleteClient(client_id, deps.clock.now(), [audit])) === 'not_found') throw notFound('client')
}

export async function requireClient(deps: Pick<Deps, 'store'>, client_id: string): Promise<Client> {
  const client = await deps.store.findClient(client_id)
  if (client === undefined) throw notFound('client')
  return client
}

/** A client without its identity and its secret. */
export function metadataOf(client: Client): ClientMetadata {
  const {
    client_id: _,
    client_secret_digest: _1,
    disabled_at: _2,
    created_at: _3,
    updated_at: _4,
    origin: _5,
    registration_access_token_digest: _6,
    metadata_expires_at: _7,
    last_used_at: _8,
    ...metadata
  } = client
  return metadata
}

function tell(deps: Deps, { actor, caller }: Administrator, event: `admin.${string}`, client_id: string, detail = {}) {
  return auditRecord(deps, event, { actor, client_id, caller, detail: { ...detail } })
}

function scopesOf(metadata: ClientMetadata): readonly string[] {
  return parseScope(metadata.scope) ?? []
}

async function knownResources(
  deps: Pick<Deps, 'config' | 'store'>,
  asked: readonly string[],
  others: readonly string[],
): Promise<ReadonlySet<string>> {
  const { default_resource, admin_resource } = builtInResources(deps.config)
  const registered = await deps.store.findResources(asked.filter((name) => normalizedResource(name) !== undefined))
  return new Set([default_resource, admin_resource, ...others, ...registered.map(({ resource }) => resource)])
}

function secretOf(
  deps: Pick<Deps, 'vault' | 'random'>,
  existing: Client | undefined,
  metadata: ClientMetadata,
  chosen: string | undefined,
): { client_secret_digest: string | null; issued_secret: string | null } {
  if (!isConfidential(metadata)) return { client_secret_digest: null, issued_secret: null }
  const digest = (secret: string) => deps.vault.digest(CLIENT_SECRET_LABEL, secret)
  if (chosen !== undefined) return { client_secret_digest: digest(chosen), issued_secret: null }
  const kept = existing?.client_secret_digest ?? null
  if (kept !== null) return { client_secret_digest: kept, issued_secret: null }
  const issued_secret = newSecret(deps)
  return { client_secret_digest: digest(issued_secret), issued_secret }
}

function newSecret(deps: Pick<Deps, 'random'>): string {
  return `gth_cs_${Buffer.from(deps.random.bytes(SECRET_BYTES)).toString('base64url')}`
}
