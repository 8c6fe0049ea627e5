import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import { isMetadataDocumentUrl } from '../protocol/client_self_registration.ts'
import { isFetchable } from '../protocol/client_uris_registration.ts'

/** What looking up a client needs: whoever narrows Deps names this type, so that it may grow. */
export type FindClientDeps = Pick<Deps, 'config' | 'store' | 'clock' | 'metadataDocuments'>

const DAY = 86_400

/**
 * The client that a request names. One whose `client_id` is the address of a metadata document is fetched, and that a
 * client which registered itself is in use is noted once a day.
 *
 * @returns undefined when there is none
 * @throws {OAuthError} `invalid_client` when a metadata document registers nothing
 */
export async function findClient(deps: FindClientDeps, client_id: string): Promise<Client | undefined> {
  const stored = await deps.store.findClient(client_id)
  const client = stored?.origin === 'admin' ? stored : await current(deps, client_id, stored)
  if (client !== undefined && client.origin !== 'admin') await noteUse(deps, client)
  return client
}

async function current(
  deps: FindClientDeps,
  client_id: string,
  stored: Client | undefined,
): Promise<Client | undefined> {
  const { registration, outbound } = deps.config
  const names_document = isMetadataDocumentUrl(client_id, (url) => isFetchable(url, outbound.allow))
  if (registration.metadata_documents && names_document) return await deps.metadataDocuments.find(client_id, stored)
  // Once documents are not taken any more, those that were fetched count for nothing.
  return stored?.origin === 'metadata_document' ? undefined : stored
}

async function noteUse({ store, clock }: FindClientDeps, { client_id, last_used_at }: Client): Promise<void> {
  const now = clock.now()
  if (last_used_at === null || last_used_at <= now - DAY) await store.touchClient(client_id, now, now - DAY)
}
