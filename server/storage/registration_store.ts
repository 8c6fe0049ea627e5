import type { Client } from '../protocol/client.ts'
import type { Seconds } from '../protocol/time.ts'
import { clientStep } from './client_store.ts'
import type { Driver } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, InitialAccessToken, Page, PageRequest } from './records.ts'
import { INSERT_CLIENT, SAVE_METADATA_DOCUMENT } from './statements.ts'
import * as sql from './statements_authorization.ts'
import { decide, happens, type NamedStep, transition } from './transition.ts'

export interface RegistrationStore {
  createInitialAccessToken(token: InitialAccessToken, audit: Audit): Promise<void>
  /** Whether an initial access token could still be used. Only `registerClient` decides. */
  isInitialAccessTokenLive(digest: string, now: Seconds): Promise<boolean>
  /** Creates the client and uses up one use of the initial access token, in one commit. null: open registration. */
  registerClient(
    client: Client,
    initial_access_token_digest: string | null,
    now: Seconds,
    audit: Audit,
  ): Promise<'registered' | 'exists' | 'token_spent'>
  listInitialAccessTokens(page: PageRequest): Promise<Page<InitialAccessToken>>
  deleteInitialAccessToken(token_id: string, audit: Audit): Promise<'deleted' | 'not_found'>
  /** Puts a fetched metadata document in place of the one before, whatever was there for this `client_id` of that origin. */
  saveMetadataDocument(client: Client, audit: Audit): Promise<'saved' | 'taken'>
}

export function registrationStore(driver: Driver): RegistrationStore {
  return {
    async createInitialAccessToken({ token_id, digest, uses_left, expires_at, created_at }, audit) {
      const values = [token_id, digest, uses_left, expires_at, created_at]
      await transition(driver, [{ sql: sql.INSERT_INITIAL_ACCESS_TOKEN, values }], audit)
    },

    async isInitialAccessTokenLive(digest, now) {
      const rows = await driver.query(sql.SELECT_LIVE_INITIAL_ACCESS_TOKEN, [digest, now])
      return rows.length > 0
    },

    async registerClient(client, initial_access_token_digest, now, audit) {
      type Outcome = Awaited<ReturnType<RegistrationStore['registerClient']>>
      const steps: NamedStep<Outcome>[] = [
        { ...clientStep(INSERT_CLIENT, client), must_change: 1, otherwise: 'exists' },
      ]
      if (initial_access_token_digest !== null) {
        const use = { sql: sql.USE_INITIAL_ACCESS_TOKEN, values: [initial_access_token_digest, now], must_change: 1 }
        steps.unshift({ ...use, otherwise: 'token_spent' })
      }
      return decide(driver, steps, audit, 'registered')
    },

    async listInitialAccessTokens(page) {
      const after = readCursor(page.cursor, [-1, ''] as const)
      const values = [...after, page.limit + 1]
      const rows = await driver.query<InitialAccessToken>(sql.LIST_INITIAL_ACCESS_TOKENS, values)
      return pageOf(rows, page, (last) => [last.created_at, last.token_id])
    },

    async deleteInitialAccessToken(token_id, audit) {
      const step = { sql: sql.DELETE_INITIAL_ACCESS_TOKEN, values: [token_id] }
      return (await happens(driver, step, audit)) ? 'deleted' : 'not_found'
    },

    async saveMetadataDocument(client, audit) {
      return (await happens(driver, clientStep(SAVE_METADATA_DOCUMENT, client), audit)) ? 'saved' : 'taken'
    },
  }
}
