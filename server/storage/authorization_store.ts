import type { AuthorizationCode } from '../protocol/authorization_code.ts'
import type { Interaction } from '../protocol/interaction.ts'
import type { Seconds } from '../protocol/time.ts'
import type { Driver, SqlValue, Step } from './driver.ts'
import { grantStep } from './grant_store.ts'
import type { Audit, CodeExchange, InteractionProgress, PushedRequest } from './records.ts'
import { liveSessionStep, whySessionEnded } from './session_store.ts'
import * as sql from './statements_authorization.ts'
import { INSERT_SESSION_CLIENT } from './statements_sessions.ts'
import { decide, happens, type NamedStep, transition } from './transition.ts'

type InteractionRow = Omit<Interaction, 'request'> & { readonly request: string }
type PushedRequestRow = Omit<PushedRequest, 'parameters'> & { readonly parameters: string }
interface AuthorizationCodeRow
  extends Omit<AuthorizationCode, 'redirect_uri_sent' | 'resources' | 'claims' | 'authorization_details' | 'amr'> {
  readonly redirect_uri_sent: number
  readonly resources: string
  readonly claims: string | null
  readonly authorization_details: string
  readonly amr: string
}

export interface AuthorizationStore {
  createInteraction(interaction: Interaction): Promise<void>
  /** Of this browser, and not expired. */
  findInteraction(interaction_id: string, browser_digest: string, now: Seconds): Promise<Interaction | undefined>
  /** Writes down what the person did. */
  updateInteraction(interaction_id: string, progress: InteractionProgress): Promise<'updated' | 'gone'>
  deleteInteraction(interaction_id: string): Promise<void>
  /**
   * Stores a code for a live session of an account that is not disabled, notes the client in `session_clients`, and takes
   * the interaction away that led to it (once: a second submit of the same page finds it gone).
   */
  createAuthorizationCode(
    code: AuthorizationCode,
    interaction_id: string | null,
    now: Seconds,
    audit: Audit,
  ): Promise<'created' | 'session_ended' | 'account_disabled' | 'interaction_gone'>
  /** A code that was issued, used or not. Reading decides nothing. */
  findAuthorizationCode(code_digest: string): Promise<AuthorizationCode | undefined>
  /**
   * The one use of a code: it is claimed and its grant created in one commit, or neither. `spent`: someone was faster, or
   * it has expired.
   */
  exchangeAuthorizationCode(
    exchange: CodeExchange,
    audit: Audit,
  ): Promise<'exchanged' | 'spent' | 'session_ended' | 'account_disabled'>
  createPushedRequest(request: PushedRequest, audit: Audit): Promise<void>
  /** The one use of a pushed request. Only its client's attempt uses it up. */
  claimPushedRequest(request_uri_digest: string, client_id: string, now: Seconds): Promise<PushedRequest | undefined>
  /** Uses up an id until it expires: the `jti` of an assertion or a proof. */
  claimOnce(id: string, expires_at: Seconds, now: Seconds, audit?: Audit): Promise<'claimed' | 'used'>
  /** Whether an id is used up. Reading decides nothing. */
  isUsed(id: string, now: Seconds): Promise<boolean>
}

export function authorizationStore(driver: Driver): AuthorizationStore {
  return {
    async createInteraction(interaction) {
      const { interaction_id, browser_digest, request, expires_at, created_at } = interaction
      const { authenticated_at, selected_at, consented_at, consented_session_id } = interaction
      const progress = [authenticated_at, selected_at, consented_at, consented_session_id]
      const values = [interaction_id, browser_digest, JSON.stringify(request), ...progress, expires_at, created_at]
      await driver.batch([{ sql: sql.INSERT_INTERACTION, values }])
    },

    async findInteraction(interaction_id, browser_digest, now) {
      const values = [interaction_id, browser_digest, now]
      const [row] = await driver.query<InteractionRow>(sql.SELECT_INTERACTION, values)
      return row && { ...row, request: JSON.parse(row.request) }
    },

    async updateInteraction(interaction_id, progress) {
      const columns = sql.PROGRESS_NAMES.filter((name) => progress[name] !== undefined)
      if (columns.length === 0) throw new TypeError('an update of an interaction names what was done')
      const values = [interaction_id, ...columns.map((name) => progress[name] ?? null)]
      return (await happens(driver, { sql: sql.updateInteraction(columns), values })) ? 'updated' : 'gone'
    },

    async deleteInteraction(interaction_id) {
      await driver.batch([{ sql: sql.DELETE_INTERACTION, values: [interaction_id] }])
    },

    async createAuthorizationCode(code, interaction_id, now, audit) {
      type Outcome = Awaited<ReturnType<AuthorizationStore['createAuthorizationCode']>>
      const insert = { sql: sql.INSERT_AUTHORIZATION_CODE, values: [...valuesOf(code), now], must_change: 1 }
      const steps: NamedStep<Outcome>[] = [
        { ...insert, otherwise: 'session_ended' },
        { sql: INSERT_SESSION_CLIENT, values: [code.session_id, code.client_id, now] },
      ]
      if (interaction_id !== null) {
        const claim = { sql: sql.CLAIM_INTERACTION, values: [interaction_id, now], must_change: 1 }
        steps.unshift({ ...claim, otherwise: 'interaction_gone' })
      }
      const outcome = await decide(driver, steps, audit, 'created')
      return outcome === 'session_ended' ? whySessionEnded(driver, code.account_id) : outcome
    },

    async findAuthorizationCode(code_digest) {
      const [row] = await driver.query<AuthorizationCodeRow>(sql.SELECT_AUTHORIZATION_CODE, [code_digest])
      return row && codeOf(row)
    },

    async exchangeAuthorizationCode({ code_digest, grant, now }, audit) {
      type Outcome = Awaited<ReturnType<AuthorizationStore['exchangeAuthorizationCode']>>
      const steps: NamedStep<Outcome>[] = [
        // RFC 6749 §4.1.2: a code MUST NOT be used more than once.
        { sql: sql.CLAIM_AUTHORIZATION_CODE, values: [code_digest, now], must_change: 1, otherwise: 'spent' },
        liveSessionStep(grant.session_id, grant.account_id, now),
        grantStep(grant),
      ]
      const outcome = await decide(driver, steps, audit, 'exchanged')
      return outcome === 'session_ended' ? whySessionEnded(driver, grant.account_id) : outcome
    },

    async createPushedRequest({ request_uri_digest, client_id, parameters, dpop_jkt, expires_at }, audit) {
      const values = [request_uri_digest, client_id, JSON.stringify(parameters), dpop_jkt, expires_at]
      await transition(driver, [{ sql: sql.INSERT_PUSHED_REQUEST, values }], audit)
    },

    async claimPushedRequest(request_uri_digest, client_id, now) {
      const step: Step = { sql: sql.CLAIM_PUSHED_REQUEST, values: [request_uri_digest, client_id, now] }
      const outcome = await driver.batch([step])
      const row = outcome.committed ? (outcome.results[0]?.rows[0] as PushedRequestRow | undefined) : undefined
      return row && { ...row, parameters: JSON.parse(row.parameters) }
    },

    async claimOnce(id, expires_at, now, audit = []) {
      const step = { sql: sql.CLAIM_ID, values: [id, expires_at, now] }
      return (await happens(driver, step, audit)) ? 'claimed' : 'used'
    },

    async isUsed(id, now) {
      return (await driver.query(sql.SELECT_USED_ID, [id, now])).length > 0
    },
  }
}

function codeOf(row: AuthorizationCodeRow): AuthorizationCode {
  return {
    ...row,
    redirect_uri_sent: row.redirect_uri_sent === 1,
    resources: JSON.parse(row.resources),
    claims: row.claims === null ? null : JSON.parse(row.claims),
    authorization_details: JSON.parse(row.authorization_details),
    amr: JSON.parse(row.amr),
  }
}

function valuesOf(code: AuthorizationCode): SqlValue[] {
  return [
    code.code_digest,
    code.grant_id,
    code.client_id,
    code.account_id,
    code.session_id,
    code.redirect_uri,
    code.redirect_uri_sent ? 1 : 0,
    code.code_challenge,
    code.dpop_jkt,
    code.nonce,
    code.scope,
    JSON.stringify(code.resources),
    code.claims === null ? null : JSON.stringify(code.claims),
    JSON.stringify(code.authorization_details),
    code.auth_time,
    JSON.stringify(code.amr),
    code.acr,
    code.expires_at,
    code.claimed_at,
  ]
}
