import { type Client, type ClientMetadata, isConfidential } from '../protocol/client.ts'
import type { Driver, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import * as sql from './statements.ts'
import type { ClientStore } from './store.ts'
import { happens, transition } from './transition.ts'

/** A row of `clients`. */
export interface ClientRow extends Omit<Client, keyof ClientMetadata> {
  readonly metadata: string
}

const MAX_PARSED = 1000
const parsed = new Map<string, ClientMetadata>()

export function clientOf({ metadata, ...columns }: ClientRow): Client {
  return { ...metadataOf(metadata), ...columns }
}

/** The same text means the same metadata, so it is parsed once: every request of a client comes here. */
function metadataOf(text: string): ClientMetadata {
  let metadata = parsed.get(text)
  if (metadata === undefined) {
    metadata = JSON.parse(text) as ClientMetadata
    if (parsed.size >= MAX_PARSED) parsed.clear()
    parsed.set(text, metadata)
  }
  return metadata
}

export function clientStore(driver: Driver): ClientStore {
  return {
    async createClient(client, audit) {
      const { client_id, client_secret_digest, disabled_at, created_at, updated_at, ...metadata } = client
      const values = [client_id, client_secret_digest, JSON.stringify(metadata), disabled_at, created_at, updated_at]
      return (await happens(driver, { sql: sql.INSERT_CLIENT, values }, audit)) ? 'created' : 'exists'
    },

    async findClient(client_id) {
      const [row] = await driver.query<ClientRow>(sql.SELECT_CLIENT, [client_id])
      return row && clientOf(row)
    },

    async listClients(page) {
      const after = readCursor(page.cursor, [''] as const)
      const rows = await driver.query<ClientRow>(sql.LIST_CLIENTS, [...after, page.limit + 1])
      return pageOf(rows.map(clientOf), page, (last) => [last.client_id])
    },

    async updateClient(client, audit) {
      const { client_id, client_secret_digest, disabled_at, created_at: _, updated_at, ...metadata } = client
      const confidential = isConfidential(client) ? 1 : 0
      const values = [client_id, JSON.stringify(metadata), disabled_at, updated_at, client_secret_digest, confidential]
      return (await happens(driver, { sql: sql.UPDATE_CLIENT, values }, audit)) ? 'updated' : 'not_found'
    },

    async deleteClient(client_id, now, audit) {
      const steps: Step[] = [
        { sql: sql.DELETE_CLIENT, values: [client_id], must_change: 1 },
        { sql: sql.REVOKE_GRANTS_OF_CLIENT, values: [now, 'client_deleted', client_id] },
      ]
      const outcome = await transition(driver, steps, audit)
      return outcome.committed ? 'deleted' : 'not_found'
    },
  }
}
