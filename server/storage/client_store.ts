import { CLIENT_DEFAULTS, type Client, type ClientMetadata, hasSecret } from '../protocol/client.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, Page, PageRequest } from './records.ts'
import * as sql from './statements.ts'
import { DELETE_CONSENTS_OF_CLIENT, DELETE_CONSENTS_OF_DELETED_CLIENT } from './statements_authorization.ts'
import { DELETE_SIGNAL_STREAMS_OF_DELETED_CLIENT } from './statements_signals.ts'
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

/**
 * The same text means the same metadata, so it is parsed once: every request of a client comes here. Rows that were
 * written before a member was thought of have its default.
 */
function metadataOf(text: string): ClientMetadata {
  let metadata = parsed.get(text)
  if (metadata === undefined) {
    metadata = { ...CLIENT_DEFAULTS, ...(JSON.parse(text) as ClientMetadata) }
    if (parsed.size >= MAX_PARSED) parsed.clear()
    parsed.set(text, metadata)
  }
  return metadata
}

/** Everything about a client that is not a column. */
function metadataText(client: Client): string {
  const { client_id: _1, client_secret_digest: _2, origin: _3, registration_access_token_digest: _4, ...rest } = client
  const {
    metadata_expires_at: _5,
    last_used_at: _6,
    disabled_at: _7,
    created_at: _8,
    updated_at: _9,
    ...metadata
  } = rest
  return JSON.stringify(metadata)
}

/** @param text with one parameter for each column of a client */
export function clientStep(text: string, client: Client): Step {
  const { client_id, client_secret_digest, origin, registration_access_token_digest } = client
  const { metadata_expires_at, last_used_at, disabled_at, created_at, updated_at } = client
  const credentials = [client_id, client_secret_digest, metadataText(client), origin, registration_access_token_digest]
  return {
    sql: text,
    values: [...credentials, metadata_expires_at, last_used_at, disabled_at, created_at, updated_at],
  }
}

export interface ClientStore {
  createClient(client: Client, audit: Audit): Promise<'created' | 'exists'>
  findClient(client_id: string): Promise<Client | undefined>
  listClients(filter: { origin?: Client['origin'] }, page: PageRequest): Promise<Page<Client>>
  /**
   * Replaces the metadata and, when they are given, the digests of the secret and of the registration access token.
   * Whether it is disabled stays as it is.
   *
   * @param before what was read of it: any other version is left alone (`stale`); left out: whatever is there
   */
  updateClient(client: Client, audit: Audit, before?: Client): Promise<'updated' | 'not_found' | 'stale'>
  /** Its grants stay, and are good for nothing until it is enabled. */
  disableClient(client_id: string, now: Seconds, audit: Audit): Promise<'disabled' | 'unchanged' | 'not_found'>
  enableClient(client_id: string, now: Seconds, audit: Audit): Promise<'enabled' | 'unchanged' | 'not_found'>
  /** Deletes the client with its consents and streams of signals, and revokes its grants in the same commit. */
  deleteClient(client_id: string, now: Seconds, audit: Audit): Promise<'deleted' | 'not_found'>
  /** Notes that a self-registered client is in use. Costs a write once a day at most: `not_before` is a day ago. */
  touchClient(client_id: string, now: Seconds, not_before: Seconds): Promise<void>
  /**
   * Deletes self-registered clients that nobody uses, with their consents: created before and never used, or used last
   * before, and nobody holds a refresh token that was good after `idle_since`.
   */
  reapClients(never_used_before: Seconds, idle_since: Seconds, limit: number): Promise<number>
  countClients(origin: Client['origin'], created_since: Seconds): Promise<number>
}

export function clientStore(driver: Driver): ClientStore {
  async function whyNot(client_id: string): Promise<'unchanged' | 'not_found'> {
    const [row] = await driver.query(sql.SELECT_CLIENT, [client_id])
    return row === undefined ? 'not_found' : 'unchanged'
  }

  return {
    async createClient(client, audit) {
      return (await happens(driver, clientStep(sql.INSERT_CLIENT, client), audit)) ? 'created' : 'exists'
    },

    async findClient(client_id) {
      const [row] = await driver.query<ClientRow>(sql.SELECT_CLIENT, [client_id])
      return row && clientOf(row)
    },

    async listClients({ origin }, page) {
      const after = readCursor(page.cursor, [''] as const)
      const [columns, values] = origin === undefined ? [[], []] : [['origin'] as const, [origin]]
      const rows = await driver.query<ClientRow>(sql.listClients(columns), [...after, page.limit + 1, ...values])
      return pageOf(rows.map(clientOf), page, (last) => [last.client_id])
    },

    async updateClient(client, audit, before) {
      const { client_id, updated_at, client_secret_digest, registration_access_token_digest } = client
      const credentials = [client_secret_digest, hasSecret(client) ? 1 : 0, registration_access_token_digest]
      const values = [client_id, metadataText(client), updated_at, ...credentials]
      const update =
        before === undefined
          ? { sql: sql.UPDATE_CLIENT, values }
          : { sql: sql.UPDATE_CLIENT_AS_READ, values: [...values, before.updated_at] }
      if (await happens(driver, update, audit)) return 'updated'
      return (await whyNot(client_id)) === 'not_found' ? 'not_found' : 'stale'
    },

    async disableClient(client_id, now, audit) {
      const step = { sql: sql.DISABLE_CLIENT, values: [client_id, now] }
      return (await happens(driver, step, audit)) ? 'disabled' : whyNot(client_id)
    },

    async enableClient(client_id, now, audit) {
      const step = { sql: sql.ENABLE_CLIENT, values: [client_id, now] }
      return (await happens(driver, step, audit)) ? 'enabled' : whyNot(client_id)
    },

    async deleteClient(client_id, now, audit) {
      const steps: Step[] = [
        { sql: sql.DELETE_CLIENT, values: [client_id], must_change: 1 },
        { sql: DELETE_CONSENTS_OF_CLIENT, values: [client_id] },
        { sql: DELETE_SIGNAL_STREAMS_OF_DELETED_CLIENT, values: [client_id] },
        { sql: sql.REVOKE_GRANTS_OF_CLIENT, values: [now, 'client_deleted', client_id] },
      ]
      const outcome = await transition(driver, steps, audit)
      return outcome.committed ? 'deleted' : 'not_found'
    },

    async touchClient(client_id, now, not_before) {
      await driver.batch([{ sql: sql.TOUCH_CLIENT, values: [client_id, now, not_before] }])
    },

    async reapClients(never_used_before, idle_since, limit) {
      const unused = [never_used_before, idle_since]
      const rows = await driver.query<{ client_id: string }>(sql.LIST_UNUSED_CLIENTS, [...unused, limit])
      const reap = rows.map(({ client_id }) => ({ sql: sql.REAP_CLIENT, values: [...unused, client_id] }))
      const forget = rows.flatMap(({ client_id }) => [
        { sql: DELETE_CONSENTS_OF_DELETED_CLIENT, values: [client_id] },
        { sql: DELETE_SIGNAL_STREAMS_OF_DELETED_CLIENT, values: [client_id] },
      ])
      const outcome = await driver.batch([...reap, ...forget])
      if (!outcome.committed) return 0
      return outcome.results.slice(0, reap.length).reduce((sum, result) => sum + result.changes, 0)
    },

    async countClients(origin, created_since) {
      const [row] = await driver.query<{ clients: number }>(sql.COUNT_CLIENTS, [origin, created_since])
      return row?.clients ?? 0
    },
  }
}
