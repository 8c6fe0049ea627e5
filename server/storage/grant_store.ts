import type { Grant } from '../protocol/grant.ts'
import type { Seconds } from '../protocol/time.ts'
import { type AccountColumns, enabledSteps, joinedAccount } from './account_store.ts'
import { type ClientRow, clientOf } from './client_store.ts'
import type { Driver, SqlValue, Step } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type {
  Audit,
  GrantContext,
  GrantSelector,
  LateReplay,
  Page,
  PageRequest,
  Revocation,
  Rotation,
} from './records.ts'
import * as sql from './statements.ts'
import { CLAIM_ID } from './statements_authorization.ts'
import { giveBackSteps } from './throttle_store.ts'
import { decide, happens, type NamedStep, transition } from './transition.ts'

interface GrantRow extends Omit<Grant, 'resources' | 'amr' | 'cnf' | 'claims' | 'authorization_details'> {
  readonly resources: string
  readonly amr: string
  readonly cnf: string | null
  readonly claims: string | null
  readonly authorization_details: string
}

type ClientColumns = { readonly [K in keyof ClientRow as `client_${K}`]: ClientRow[K] | null }
/** A grant beside its client and account, each of which may be gone. */
type GrantContextRow = GrantRow & ClientColumns & AccountColumns

export interface GrantStore {
  /** Also gives back the throttled attempts that led to it (`give_back`: throttle keys). */
  createGrant(grant: Grant, give_back: readonly string[], audit: Audit): Promise<'created' | 'account_disabled'>
  /** The same, for what may be exchanged for a grant once: uses up an id until it expires, or finds it used up. */
  createGrantOnce(
    grant: Grant,
    use: { readonly id: string; readonly expires_at: Seconds; readonly now: Seconds },
    audit: Audit,
  ): Promise<'created' | 'used' | 'account_disabled'>
  findGrant(grant_id: string): Promise<GrantContext | undefined>
  /** generation → generation + 1, if it is still current and the grant not revoked. */
  rotateRefreshToken(rotation: Rotation, audit: Audit): Promise<'rotated' | 'stale'>
  /** Marks a late replay, if the generation is still current, none was marked for it and the grant is not revoked. */
  recordLateReplay(replay: LateReplay, audit: Audit): Promise<'recorded' | 'stale'>
  /** Moves `idle_expires_at` without rotating (profile `fixed`). */
  touchGrant(rotation: Rotation, audit: Audit): Promise<'touched' | 'stale'>
  revokeGrant(
    grant_id: string,
    revocation: Revocation,
    audit: Audit,
  ): Promise<'revoked' | 'already_revoked' | 'not_found'>
  /** @returns how many grants it ended. */
  revokeGrants(selector: GrantSelector, revocation: Revocation, audit: Audit): Promise<number>
  /** Live grants first to last created; a revoked or expired one is listed until it is swept. */
  listGrants(
    filter: { account_id?: string; client_id?: string; session_id?: string },
    page: PageRequest,
  ): Promise<Page<Grant>>
  /** Makes one access token inactive until it has expired anyway (RFC 7009 §2). */
  revokeAccessToken(
    token: { readonly jti: string; readonly expires_at: Seconds; readonly now: Seconds },
    audit: Audit,
  ): Promise<void>
  isAccessTokenRevoked(jti: string): Promise<boolean>
}

export function grantStore(driver: Driver): GrantStore {
  return {
    async createGrant(grant, give_back, audit) {
      type Outcome = Awaited<ReturnType<GrantStore['createGrant']>>
      const steps: NamedStep<Outcome>[] = [...enabledSteps(grant.account_id), grantStep(grant)]
      return decide(driver, [...steps, ...giveBackSteps(give_back)], audit, 'created')
    },

    async createGrantOnce(grant, { id, expires_at, now }, audit) {
      type Outcome = Awaited<ReturnType<GrantStore['createGrantOnce']>>
      const steps: NamedStep<Outcome>[] = [
        ...enabledSteps(grant.account_id),
        { sql: CLAIM_ID, values: [id, expires_at, now], must_change: 1, otherwise: 'used' },
        grantStep(grant),
      ]
      return decide(driver, steps, audit, 'created')
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

    async revokeAccessToken({ jti, expires_at, now }, audit) {
      await happens(driver, { sql: sql.INSERT_REVOKED_ACCESS_TOKEN, values: [jti, expires_at, now] }, audit)
    },

    async isAccessTokenRevoked(jti) {
      const rows = await driver.query(sql.SELECT_REVOKED_ACCESS_TOKEN, [jti])
      return rows.length > 0
    },
  }
}

/** A grant comes into being, as the last of the steps that decide whether it may. */
export function grantStep(grant: Grant): Step {
  return { sql: sql.INSERT_GRANT, values: valuesOf(grant) }
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
    claims: row.claims === null ? null : JSON.parse(row.claims),
    authorization_details: JSON.parse(row.authorization_details),
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
    status_index: row.status_index,
  }
}

function joinedClient(row: GrantContextRow) {
  const { client_client_id, client_metadata, client_origin, client_created_at, client_updated_at } = row
  if (client_client_id === null || client_metadata === null || client_origin === null) return undefined
  if (client_created_at === null || client_updated_at === null) return undefined
  return clientOf({
    client_id: client_client_id,
    client_secret_digest: row.client_client_secret_digest,
    metadata: client_metadata,
    origin: client_origin,
    registration_access_token_digest: row.client_registration_access_token_digest,
    metadata_expires_at: row.client_metadata_expires_at,
    last_used_at: row.client_last_used_at,
    disabled_at: row.client_disabled_at,
    created_at: client_created_at,
    updated_at: client_updated_at,
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
    grant.claims === null ? null : JSON.stringify(grant.claims),
    JSON.stringify(grant.authorization_details),
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
    grant.status_index,
  ]
}
