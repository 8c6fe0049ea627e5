import type { DeviceCode } from '../protocol/device_code.ts'
import type { Grant } from '../protocol/grant.ts'
import type { Seconds } from '../protocol/time.ts'
import { enabledSteps } from './account_store.ts'
import { consentStep } from './consent_store.ts'
import type { Driver, SqlValue } from './driver.ts'
import { grantStep } from './grant_store.ts'
import type { Audit, DeviceApproval } from './records.ts'
import { liveSessionStep, whySessionEnded } from './session_store.ts'
import * as sql from './statements_authorization.ts'
import { decide, happens, type NamedStep } from './transition.ts'

interface DeviceCodeRow extends Omit<DeviceCode, 'resources' | 'authorization_details' | 'amr'> {
  readonly resources: string
  readonly authorization_details: string
  readonly amr: string | null
}

export interface DeviceCodeStore {
  /** `taken`: another live one has this user code; make a new one. */
  createDeviceCode(device_code: DeviceCode, audit: Audit): Promise<'created' | 'taken'>
  findDeviceCode(device_code_digest: string): Promise<DeviceCode | undefined>
  /** Not expired; decided about or not. */
  findDeviceCodeByUserCode(user_code_digest: string, now: Seconds): Promise<DeviceCode | undefined>
  /** The first session to enter the user code has it; the same session may enter it again. */
  claimDeviceCode(device_code_digest: string, session_id: string, now: Seconds): Promise<'claimed' | 'taken'>
  /** By the session that claimed it, live, once; the consent is saved in the same commit. */
  approveDeviceCode(
    approval: DeviceApproval,
    audit: Audit,
  ): Promise<'approved' | 'spent' | 'consent_changed' | 'account_disabled' | 'session_ended'>
  denyDeviceCode(
    device_code_digest: string,
    session_id: string,
    now: Seconds,
    audit: Audit,
  ): Promise<'denied' | 'spent'>
  /** Notes a poll; who polls sooner than the interval makes it 5 seconds longer (RFC 8628 §3.5). */
  pollDeviceCode(device_code_digest: string, now: Seconds): Promise<'on_time' | 'too_fast'>
  /** The one use of an approved device code: it is redeemed and its grant created in one commit. */
  redeemDeviceCode(
    device_code_digest: string,
    grant: Grant,
    now: Seconds,
    audit: Audit,
  ): Promise<'redeemed' | 'spent' | 'account_disabled'>
}

export function deviceCodeStore(driver: Driver): DeviceCodeStore {
  return {
    async createDeviceCode(device_code, audit) {
      const step = { sql: sql.INSERT_DEVICE_CODE, values: valuesOf(device_code) }
      return (await happens(driver, step, audit)) ? 'created' : 'taken'
    },

    async findDeviceCode(device_code_digest) {
      const [row] = await driver.query<DeviceCodeRow>(sql.SELECT_DEVICE_CODE, [device_code_digest])
      return row && deviceCodeOf(row)
    },

    async findDeviceCodeByUserCode(user_code_digest, now) {
      const values = [user_code_digest, now]
      const [row] = await driver.query<DeviceCodeRow>(sql.SELECT_DEVICE_CODE_BY_USER_CODE, values)
      return row && deviceCodeOf(row)
    },

    async claimDeviceCode(device_code_digest, session_id, now) {
      const step = { sql: sql.CLAIM_DEVICE_CODE, values: [device_code_digest, session_id, now] }
      return (await happens(driver, step)) ? 'claimed' : 'taken'
    },

    async approveDeviceCode(approval, audit) {
      type Outcome = Awaited<ReturnType<DeviceCodeStore['approveDeviceCode']>>
      const { device_code_digest, session_id, account_id, auth_time, amr, acr, now } = approval
      const values = [device_code_digest, session_id, now, account_id, auth_time, JSON.stringify(amr), acr]
      const steps: NamedStep<Outcome>[] = [
        { sql: sql.APPROVE_DEVICE_CODE, values, must_change: 1, otherwise: 'spent' },
        // Who withdraws it at the same time finds the device let in, or this finds it withdrawn.
        consentStep(approval),
        liveSessionStep(session_id, account_id, now),
      ]
      const outcome = await decide(driver, steps, audit, 'approved')
      return outcome === 'session_ended' ? whySessionEnded(driver, account_id) : outcome
    },

    async denyDeviceCode(device_code_digest, session_id, now, audit) {
      const step = { sql: sql.DENY_DEVICE_CODE, values: [device_code_digest, session_id, now] }
      return (await happens(driver, step, audit)) ? 'denied' : 'spent'
    },

    async pollDeviceCode(device_code_digest, now) {
      const values = [device_code_digest, now]
      if (await happens(driver, { sql: sql.POLL_DEVICE_CODE, values })) return 'on_time'
      await driver.batch([{ sql: sql.SLOW_DEVICE_CODE_DOWN, values }])
      return 'too_fast'
    },

    async redeemDeviceCode(device_code_digest, grant, now, audit) {
      type Outcome = Awaited<ReturnType<DeviceCodeStore['redeemDeviceCode']>>
      const steps: NamedStep<Outcome>[] = [
        // The account first, as wherever everything of an account ends: nobody deadlocks.
        ...enabledSteps(grant.account_id),
        { sql: sql.REDEEM_DEVICE_CODE, values: [device_code_digest, now], must_change: 1, otherwise: 'spent' },
        grantStep(grant),
      ]
      return decide(driver, steps, audit, 'redeemed')
    },
  }
}

function deviceCodeOf(row: DeviceCodeRow): DeviceCode {
  return {
    ...row,
    resources: JSON.parse(row.resources),
    authorization_details: JSON.parse(row.authorization_details),
    amr: row.amr === null ? null : JSON.parse(row.amr),
  }
}

function valuesOf(device_code: DeviceCode): SqlValue[] {
  return [
    device_code.device_code_digest,
    device_code.user_code_digest,
    device_code.client_id,
    device_code.grant_id,
    device_code.scope,
    JSON.stringify(device_code.resources),
    JSON.stringify(device_code.authorization_details),
    device_code.dpop_jkt,
    device_code.interval_seconds,
    device_code.last_polled_at,
    device_code.claimed_session_id,
    device_code.approved_at,
    device_code.denied_at,
    device_code.account_id,
    device_code.auth_time,
    device_code.amr === null ? null : JSON.stringify(device_code.amr),
    device_code.acr,
    device_code.redeemed_at,
    device_code.expires_at,
    device_code.created_at,
    device_code.address_prefix,
    device_code.user_agent,
  ]
}
