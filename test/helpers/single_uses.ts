/** One of everything that may be used once, under names that two processes know, and the attempts to use each. */
import type { Store } from '../../server/storage/store.ts'
import { NOW, sampleClient, sampleGrant } from '../storage/samples.ts'
import {
  grantOfCode,
  sampleCode,
  sampleConsent,
  sampleDeviceCode,
  sampleInteraction,
  signedIn,
} from '../storage/samples_signing_in.ts'

const ATTEMPTS = 32

export async function prepareSingleUses(store: Store, name: string): Promise<void> {
  const { session } = await signedIn(store, { session_id: name })
  await store.createAuthorizationCode(sampleCode(session, { code_digest: name }), null, NOW, [])
  const interaction = { interaction_id: name, browser_digest: name }
  await store.createInteraction(sampleInteraction(interaction))
  const pushed = { request_uri_digest: name, client_id: name, parameters: [], dpop_jkt: null, expires_at: NOW + 60 }
  await store.createPushedRequest(pushed, [])
  const approved = { claimed_session_id: name, account_id: session.account_id, approved_at: NOW }
  await store.createDeviceCode(sampleDeviceCode({ device_code_digest: `${name}_approved`, ...approved }), [])
  await store.createDeviceCode(sampleDeviceCode({ device_code_digest: name, claimed_session_id: name }), [])
  const token = { token_id: name, digest: name, uses_left: 1, expires_at: NOW + 60, created_at: NOW }
  await store.createInitialAccessToken(token, [])
}

/** @returns how many of this process's attempts at each won. */
export async function raceSingleUses(store: Store, name: string): Promise<Record<string, number>> {
  const code = await store.findAuthorizationCode(name)
  const session = (await store.findSession(name))?.session
  if (code === undefined || session === undefined) throw new Error('prepareSingleUses has not run')
  const { session_id, account_id, auth_time, amr, acr } = session
  const exchange = { code_digest: name, grant: grantOfCode(code), now: NOW }
  const allowed = { consent: sampleConsent({ account_id, client_id: name }), before: undefined }
  const approval = { device_code_digest: name, session_id, account_id, auth_time, amr, acr, ...allowed, now: NOW }
  const device_grant = sampleGrant({ account_id })
  const uses: Record<string, () => Promise<unknown>> = {
    created: () => store.createAuthorizationCode(sampleCode(session), name, NOW, []),
    exchanged: () => store.exchangeAuthorizationCode(exchange, []),
    pushed: async () => (await store.claimPushedRequest(name, name, NOW)) && 'pushed',
    approved: () => store.approveDeviceCode(approval, []),
    redeemed: () => store.redeemDeviceCode(`${name}_approved`, device_grant, NOW, []),
    claimed: () => store.claimOnce(name, NOW + 60, NOW),
    registered: () => store.registerClient(sampleClient(), name, NOW, []),
  }
  const attempts = Object.entries(uses).map(async ([win, use]) => {
    const answers = await Promise.all(Array.from({ length: ATTEMPTS }, use))
    return [win, answers.filter((answer) => answer === win).length] as const
  })
  return Object.fromEntries(await Promise.all(attempts))
}
