import type { Test } from 'tap'
import { fresh, NOW, type Opened, sampleGrant } from './samples.ts'
import { sampleConsent, sampleDeviceCode, signedIn } from './samples_signing_in.ts'

/** RFC 8628 */
export async function deviceConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('a device code comes back whole, and its user code is taken', async (t) => {
    const device = await created()
    t.same(await store.findDeviceCode(device.device_code_digest), device)
    t.same(await store.findDeviceCodeByUserCode(device.user_code_digest, NOW), device)
    t.equal(await store.findDeviceCodeByUserCode(device.user_code_digest, device.expires_at), undefined)
    t.equal(await store.findDeviceCode(fresh('none')), undefined)
    const { user_code_digest } = device
    t.equal(await store.createDeviceCode(sampleDeviceCode({ user_code_digest }), []), 'taken')
  })

  t.test('the first session to enter the user code has it', async (t) => {
    const { device_code_digest, expires_at } = await created()
    t.equal(await store.claimDeviceCode(device_code_digest, 'first', expires_at), 'taken', 'expired')
    t.equal(await store.claimDeviceCode(device_code_digest, 'first', NOW), 'claimed')
    t.equal(await store.claimDeviceCode(device_code_digest, 'first', NOW), 'claimed')
    t.equal(await store.claimDeviceCode(device_code_digest, 'second', NOW), 'taken')
  })

  t.test('the session that claimed it approves it, once, and the device redeems it, once', async (t) => {
    const { device, approval, grant } = await claimed()
    const { device_code_digest } = device
    t.equal(await store.redeemDeviceCode(device_code_digest, grant, NOW, []), 'spent', 'not approved yet')
    t.equal(await store.approveDeviceCode({ ...approval, session_id: 'another' }, []), 'spent')
    t.equal(await store.approveDeviceCode({ ...approval, now: device.expires_at }, []), 'spent', 'expired')
    t.equal(await store.approveDeviceCode(approval, []), 'approved')
    t.equal(await store.approveDeviceCode(approval, []), 'spent')
    t.equal(await store.denyDeviceCode(device_code_digest, approval.session_id, NOW, []), 'spent')
    t.not((await store.findDeviceCodeByUserCode(device.user_code_digest, NOW))?.approved_at, null, 'decided')
    const { account_id, session_id, auth_time, amr, acr } = approval
    const decided = { account_id, auth_time, amr, acr, approved_at: NOW, claimed_session_id: session_id }
    t.same(await store.findDeviceCode(device_code_digest), { ...device, ...decided })

    t.equal(await store.redeemDeviceCode(device_code_digest, grant, device.expires_at, []), 'spent', 'expired')
    t.equal(await store.redeemDeviceCode(device_code_digest, grant, NOW + 1, []), 'redeemed')
    t.equal(await store.redeemDeviceCode(device_code_digest, grant, NOW + 1, []), 'spent')
    t.same((await store.findGrant(grant.grant_id))?.grant, grant)
  })

  t.test('the consent is saved with the approval, or neither is', async (t) => {
    const { device, approval } = await claimed()
    const { account_id, client_id } = approval.consent
    const { device_code_digest } = device
    t.equal(await store.approveDeviceCode({ ...approval, session_id: 'another' }, []), 'spent')
    t.equal(await store.findConsent(account_id, client_id), undefined)
    const before = { ...approval.consent, scope: 'withdrawn meanwhile' }
    t.equal(await store.approveDeviceCode({ ...approval, before }, []), 'consent_changed')
    t.match(await store.findDeviceCode(device_code_digest), { approved_at: null })
    t.equal(await store.approveDeviceCode(approval, []), 'approved')
    t.same(await store.findConsent(account_id, client_id), approval.consent)
  })

  t.test('a device that was denied gets nothing', async (t) => {
    const { device, approval, grant } = await claimed()
    const { device_code_digest } = device
    t.equal(await store.denyDeviceCode(device_code_digest, 'another', NOW, []), 'spent')
    t.equal(await store.denyDeviceCode(device_code_digest, approval.session_id, NOW, []), 'denied')
    t.equal(await store.approveDeviceCode(approval, []), 'spent')
    t.equal(await store.redeemDeviceCode(device_code_digest, grant, NOW, []), 'spent')
  })

  t.test('neither a session that has ended nor a disabled account lets a device in', async (t) => {
    const ended = await claimed()
    await store.endSession(ended.approval.session_id, 'signed_out', NOW, [])
    t.equal(await store.approveDeviceCode(ended.approval, []), 'session_ended')
    t.match(await store.findDeviceCode(ended.device.device_code_digest), { approved_at: null })
    const disabled = await claimed()
    await store.disableAccount(disabled.approval.account_id, NOW, [])
    t.equal(await store.approveDeviceCode(disabled.approval, []), 'account_disabled')
    const { device, approval, grant } = await claimed()
    await store.approveDeviceCode(approval, [])
    await store.disableAccount(approval.account_id, NOW, [])
    t.equal(await store.redeemDeviceCode(device.device_code_digest, grant, NOW, []), 'account_disabled')
    t.match(await store.findDeviceCode(device.device_code_digest), { redeemed_at: null })
  })

  t.test('another password takes back what was approved before it, and not what somebody else approved', async (t) => {
    const { device, approval, grant } = await claimed()
    await store.approveDeviceCode(approval, [])
    const other = await claimed()
    await store.approveDeviceCode(other.approval, [])
    const { account_id } = approval
    const expected = (await store.findAccount(account_id))?.password_hash ?? null
    const replacement = { account_id, expected, password_hash: 'another', now: NOW }
    await store.replacePasswordHash({ ...replacement, ends_everything: 'revoked_by_admin' }, [])
    t.match(await store.findDeviceCode(device.device_code_digest), { denied_at: NOW })
    t.equal(await store.redeemDeviceCode(device.device_code_digest, grant, NOW, []), 'spent')
    t.equal(await store.redeemDeviceCode(other.device.device_code_digest, other.grant, NOW, []), 'redeemed')
  })

  t.test('RFC 8628 §3.5: who polls sooner than the interval waits 5 seconds longer from then on', async (t) => {
    const { device_code_digest } = await created()
    t.equal(await store.pollDeviceCode(device_code_digest, NOW), 'on_time', 'the first')
    t.equal(await store.pollDeviceCode(device_code_digest, NOW + 5), 'on_time')
    t.equal(await store.pollDeviceCode(device_code_digest, NOW + 9), 'too_fast')
    t.match(await store.findDeviceCode(device_code_digest), { interval_seconds: 10, last_polled_at: NOW + 9 })
    t.equal(await store.pollDeviceCode(device_code_digest, NOW + 18), 'too_fast')
    t.equal(await store.pollDeviceCode(device_code_digest, NOW + 33), 'on_time')
  })

  async function created() {
    const device = sampleDeviceCode()
    await store.createDeviceCode(device, [])
    return device
  }

  async function claimed() {
    const device = await created()
    const { session } = await signedIn(store)
    const { session_id, account_id, auth_time, amr, acr } = session
    const { device_code_digest, grant_id, client_id } = device
    await store.claimDeviceCode(device_code_digest, session_id, NOW)
    const allowed = { consent: sampleConsent({ account_id, client_id }), before: undefined }
    const approval = { device_code_digest, session_id, account_id, auth_time, amr, acr, ...allowed, now: NOW }
    return { device, approval, grant: sampleGrant({ grant_id, client_id, account_id, session_id }) }
  }
}
