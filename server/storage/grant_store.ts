import type { Grant } from '../protocol/grant.ts'
import { type AccountRow, accountOf } from './account_store.ts'
import { type ClientRow, clientOf } from './client_store.ts'
import type { Driver, SqlValue, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import * as sql from './statements.ts'
import type { GrantStore } from './store.ts'
import { giveBackSteps } from './throttle_store.ts'
import { happens, transition } from './transition.ts'

interface GrantRow extends Omit<Grant, 'resources' | 'amr' | 'cnf'> {
  readonly resources: string
  readonly amr: string
  readonly cnf: string | null
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | null }
/** A grant beside its client and account, each of which may be gone. */
type GrantContextRow = GrantRow &
  Nullable<{ [K in keyof ClientRow as `client_${K}`]: ClientRow[K] }> &
  Nullable<{ [K in keyof AccountRow as `account_${K}`]: AccountRow[K] }>

export function grantStore(driver: Driver): GrantStore {
  return {
    async createGrant(grant, give_back, audit) {
      const steps: Step[] = [
        // Checking a password takes longer than disabling an account: the commit decides which came first.
        { sql: sql.HOLD_ACCOUNT, values: [grant.account_id] },
        { sql: sql.SELECT_DISABLED_ACCOUNT, values: [grant.account_id], must_change: 0 },
        { sql: sql.INSERT_GRANT, values: valuesOf(grant) },
      ]
      const outcome = await transition(driver, [...steps, ...giveBackSteps(give_back)], audit)
      return outcome.committed ? 'created' : 'account_disabled'
    },

    async findGrant(grant_id) {
      const [row] = await driver.query<GrantContextRow>(sql.SELECT_GRANT_CONTEXT, [grant_id])
      if (row === undefined) return undefined
      return { grant: grantOf(row), client: joinedClient(row), account: joinedAccount(row) }
    },

    async rotateRefreshToken({ grant_id, generation, now, idle_expires_at }, audit) {
      // The compare-and-swap of every refresh: of all who present this generation, one moves it on.
      const step = { sql: sql.ROTATE_GRANT, values: [grant_id, generation, now, idle_expires_at] }
      return (await happens(driver, step, audit)) ? 'rotated' : 'stale'
    },

    async recordLateReplay({ grant_id, generation, late_replay_generation }, audit) {
      const step = { sql: sql.RECORD_LATE_REPLAY, values: [grant_id, generation, late_replay_generation] }
      return (await happens(driver, step, audit)) ? 'recorded' : 'stale'
    },

    async touchGrant({ grant_id, generation, idle_expires_at }, audit) {
      const step = { sql: sql.TOUCH_GRANT, values: [grant_id, generation, idle_expires_at] }
      return (await happens(driver, step, audit)) ? 'touched' : 'stale'
    },

    async revokeGrant(grant_id, { because, now }, audit) {
      const step = { sql: sql.REVOKE_GRANT, values: [grant_id, now, because] }
      if (await happens(driver, step, audit)) return 'revoked'
      const rows = await driver.query(sql.SELECT_GRANT_ID, [grant_id])
      return rows.length === 0 ? 'not_found' : 'already_revoked'
    },

    async revokeGrants(selector, { because, now }, audit) {
      const conditions = sql.REVOKE_CONDITION_NAMES.filter((name) => selector[name] !== undefined)
      if (conditions.length === 0) throw new TypeError('a revocation of grants names at least one condition')
      const values = conditions.map((name) => selector[name] ?? null)
      const step: Step = { sql: sql.revokeGrants(conditions), values: [now, because, ...values] }
      const outcome = await transition(driver, [step], audit)
      return outcome.committed ? (outcome.results[0]?.changes ?? 0) : 0
    },

    async listGrants(filter, page) {
      const columns = (['account_id', 'client_id', 'session_id'] as const).filter((name) => filter[name] !== undefined)
      const after = readCursor(page.cursor, [-1, ''] as const)
      const values = columns.map((name) => filter[name] ?? null)
      const rows = await driver.query<GrantRow>(sql.listGrants(columns), [...after, page.limit + 1, ...values])
      return pageOf(rows.map(grantOf), page, (last) => [last.created_at, last.grant_id])
    },

    async revokeAccessToken(jti, expires_at, audit) {
      await happens(driver, { sql: sql.INSERT_REVOKED_ACCESS_TOKEN, values: [jti, expires_at] }, audit)
    },

    async isAccessTokenRevoked(jti) {
      const rows = await driver.query(sql.SELECT_REVOKED_ACCESS_TOKEN, [jti])
      return rows.length > 0
    },
  }
}

function grantOf(row: GrantRow): Grant {
  return {
    grant_id: row.grant_id,
    client_id: row.client_id,
    account_id: row.account_id,
    session_id: row.session_id,
    scope: row.scope,
    resources: JSON.parse(row.resources),
    auth_time: row.auth_time,
    amr: JSON.parse(row.amr),
    acr: row.acr,
    cnf: row.cnf === null ? null : JSON.parse(row.cnf),
    generation: row.generation,
    rotated_at: row.rotated_at,
    late_replay_generation: row.late_replay_generation,
    idle_expires_at: row.idle_expires_at,
    absolute_expires_at: row.absolute_expires_at,
    revoked_at: row.revoked_at,
    revoked_because: row.revoked_because,
    created_at: row.created_at,
    address_prefix: row.address_prefix,
    user_agent: row.user_agent,
  }
}

function joinedClient(row: GrantContextRow) {
  const { client_client_id, client_metadata, client_created_at, client_updated_at } = row
  if (client_client_id === null || client_metadata === null) return undefined
  if (client_created_at === null || client_updated_at === null) return undefined
  return clientOf({
    client_id: client_client_id,
    client_secret_digest: row.client_client_secret_digest,
    metadata: client_metadata,
    disabled_at: row.client_disabled_at,
    created_at: client_created_at,
    updated_at: client_updated_at,
  })
}

function joinedAccount(row: GrantContextRow) {
  const { account_account_id, account_username, account_roles, account_created_at, account_updated_at } = row
  if (account_account_id === null || account_username === null || account_roles === null) return undefined
  if (account_created_at === null || account_updated_at === null) return undefined
  return accountOf({
    account_id: account_account_id,
    username: account_username,
    email: row.account_email,
    email_verified_at: row.account_email_verified_at,
    name: row.account_name,
    roles: account_roles,
    password_hash: row.account_password_hash,
    disabled_at: row.account_disabled_at,
    created_at: account_created_at,
    updated_at: account_updated_at,
  })
}

function valuesOf(grant: Grant): SqlValue[] {
  return [
    grant.grant_id,
    grant.client_id,
    grant.account_id,
    grant.session_id,
    grant.scope,
    JSON.stringify(grant.resources),
    grant.auth_time,
    JSON.stringify(grant.amr),
    grant.acr,
    grant.cnf === null ? null : JSON.stringify(grant.cnf),
    grant.generation,
    grant.rotated_at,
    grant.late_replay_generation,
    grant.idle_expires_at,
    grant.absolute_expires_at,
    grant.revoked_at,
    grant.revoked_because,
    grant.created_at,
    grant.address_prefix,
    grant.user_agent,
  ]
}
