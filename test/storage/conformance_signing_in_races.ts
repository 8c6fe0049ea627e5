import type { Test } from 'tap'
import { RACERS, race } from './conformance_races.ts'
import { sampleToken } from './conformance_registration.ts'
import { fresh, NOW, type Opened, sampleClient, sampleGrant } from './samples.ts'
import {
  grantOfCode,
  PLAIN,
  sampleCode,
  sampleConsent,
  sampleDeviceCode,
  sampleInteraction,
  sampleSession,
  signedIn,
  toldClient,
} from './samples_signing_in.ts'

const ROUNDS = 20
const ALL = { limit: 100, cursor: null } as const

/** Whatever may be used once is used by one of 64; and nothing slips past an end. */
export async function signingInRaceConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('of 64 who submit one interaction, one gets a code', async (t) => {
    const { session } = await signedIn(store)
    const interaction = sampleInteraction()
    await store.createInteraction(interaction)
    const { interaction_id } = interaction
    const answers = await race(() => store.createAuthorizationCode(sampleCode(session), interaction_id, NOW, []))
    t.same(answers, { created: 1, interaction_gone: RACERS - 1 })
  })

  t.test('of 64 who exchange one code, one gets a grant', async (t) => {
    const { session } = await signedIn(store)
    const code = sampleCode(session)
    await store.createAuthorizationCode(code, null, NOW, [])
    const { code_digest } = code
    const grant = grantOfCode(code)
    const answers = await race(() => store.exchangeAuthorizationCode({ code_digest, grant, now: NOW }, []))
    t.same(answers, { exchanged: 1, spent: RACERS - 1 })
  })

  t.test('of 64 who present one pushed request, one has it', async (t) => {
    const request_uri_digest = fresh('request_uri')
    const pushed = { request_uri_digest, client_id: 'a', parameters: [], dpop_jkt: null, expires_at: NOW + 60 }
    await store.createPushedRequest(pushed, [])
    const claim = () => store.claimPushedRequest(request_uri_digest, 'a', NOW)
    t.same(await race(async () => ((await claim()) === undefined ? 'gone' : 'claimed')), {
      claimed: 1,
      gone: RACERS - 1,
    })
  })

  t.test('of 64 who use one id, one does, the first time and after it has expired', async (t) => {
    const id = fresh('jti')
    t.same(await race(() => store.claimOnce(id, NOW + 60, NOW)), { claimed: 1, used: RACERS - 1 })
    const use = { id: fresh('legacy'), expires_at: NOW + 60, now: NOW }
    // All of them come to the same name for it.
    const grant = sampleGrant()
    t.same(await race(() => store.createGrantOnce(grant, use, [])), { created: 1, used: RACERS - 1 })
    t.same(await race(() => store.claimOnce(id, NOW + 120, NOW + 60)), { claimed: 1, used: RACERS - 1 })
  })

  t.test('of 64 who enter one user code, one has it; of 64 who approve, and who redeem, one does', async (t) => {
    const device = sampleDeviceCode()
    const { device_code_digest, grant_id, client_id } = device
    const { session } = await signedIn(store)
    const { session_id, account_id, auth_time, amr, acr } = session
    await store.createDeviceCode(device, [])
    const contested = sampleDeviceCode()
    await store.createDeviceCode(contested, [])
    const enter = (racer: number) => store.claimDeviceCode(contested.device_code_digest, `session_${racer}`, NOW)
    t.same(await race(enter), { claimed: 1, taken: RACERS - 1 })

    await store.claimDeviceCode(device_code_digest, session_id, NOW)
    const allowed = { consent: sampleConsent({ account_id, client_id }), before: undefined }
    const approval = { device_code_digest, session_id, account_id, auth_time, amr, acr, ...allowed, now: NOW }
    t.same(await race(() => store.approveDeviceCode(approval, [])), { approved: 1, spent: RACERS - 1 })
    const grant = sampleGrant({ grant_id, client_id, account_id, session_id })
    const redeem = () => store.redeemDeviceCode(device_code_digest, grant, NOW, [])
    t.same(await race(redeem), { redeemed: 1, spent: RACERS - 1 })
  })

  t.test('of 64 who register with an initial access token for one, one does', async (t) => {
    const token = sampleToken()
    await store.createInitialAccessToken(token, [])
    const answers = await race(() => store.registerClient(sampleClient(), token.digest, NOW, []))
    t.same(answers, { registered: 1, token_spent: RACERS - 1 })
  })

  t.test('of 64 who end one session, one does; of 64 who renew one handle, one does', async (t) => {
    const { session } = await signedIn(store)
    const context = { expected_handle_digest: session.handle_digest, give_back: [], interaction_id: null }
    const renew = () => store.renewSession({ ...session, handle_digest: fresh('handle') }, context, [])
    t.same(await race(renew), { renewed: 1, stale: RACERS - 1 })
    const end = () => store.endSession(session.session_id, 'signed_out', NOW, [])
    t.same(await race(end), { ended: 1, already_ended: RACERS - 1 })
  })

  t.test('of 64 nodes that look for deliveries, each delivery goes to one', async (t) => {
    const { session } = await signedIn(store)
    for (let made = 0; made < 5; made += 1) await toldClient(store, session)
    await store.endSession(session.session_id, 'signed_out', NOW, [])
    const claims = await Promise.all(
      Array.from({ length: RACERS }, () => store.claimLogoutDeliveries(NOW, NOW + 60, 3)),
    )
    const mine = claims.flat().filter((claim) => claim.session_id === session.session_id)
    t.equal(new Set(mine.map((claim) => claim.client_id)).size, mine.length, 'none twice')
  })

  t.test('no code of a session that has ended becomes a grant, however the two race', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { session } = await signedIn(store)
      const { session_id } = session
      const codes = Array.from({ length: 4 }, () => sampleCode(session))
      const issue = async (code: (typeof codes)[number]) => {
        await store.createAuthorizationCode(code, null, NOW, [])
        const { code_digest } = code
        await store.exchangeAuthorizationCode({ code_digest, grant: grantOfCode(code), now: NOW }, [])
      }
      const end = () => store.endSession(session_id, 'signed_out', NOW, [])
      await Promise.all([...codes.slice(0, 2).map(issue), end(), ...codes.slice(2).map(issue)])
      t.equal(await store.createAuthorizationCode(sampleCode(session), null, NOW, []), 'session_ended')
      const { items } = await store.listGrants({ session_id }, ALL)
      t.ok(items.every((grant) => grant.revoked_at !== null))
    }
  })

  t.test('every client that has exchanged a code hears of the end, however the two race', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { session } = await signedIn(store)
      const client = sampleClient({ backchannel_logout_uri: 'https://client.example/logout' })
      const { client_id } = client
      const code = sampleCode(session, { client_id })
      await store.createClient(client, [])
      const { session_id } = session
      const issue = async () => {
        await store.createAuthorizationCode(code, null, NOW, [])
        const grant = grantOfCode(code)
        return store.exchangeAuthorizationCode({ code_digest: code.code_digest, grant, now: NOW }, [])
      }
      const [issued] = await Promise.all([issue(), store.endSession(session_id, 'signed_out', NOW, [])])
      const { items } = await store.listLogoutDeliveries({ session_id }, ALL)
      if (issued === 'exchanged') t.equal(items.length, 1)
      else t.match(issued, /session_ended|spent/)
    }
  })

  t.test('nothing of an account outlives the disabling that it races', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { session } = await signedIn(store)
      const { account_id } = session
      const code = sampleCode(session)
      await store.createAuthorizationCode(code, null, NOW, [])
      const { code_digest } = code
      const device = sampleDeviceCode({ account_id, approved_at: NOW })
      await store.createDeviceCode(device, [])
      await Promise.all([
        store.startSession(sampleSession({ account_id }), PLAIN, []),
        store.exchangeAuthorizationCode({ code_digest, grant: grantOfCode(code), now: NOW }, []),
        store.disableAccount(account_id, NOW, []),
        store.redeemDeviceCode(device.device_code_digest, sampleGrant({ account_id }), NOW, []),
        store.startSession(sampleSession({ account_id }), PLAIN, []),
      ])
      await store.enableAccount(account_id, NOW, [])
      t.ok((await store.listSessions({ account_id }, ALL)).items.every((one) => one.ended_at !== null))
      t.ok((await store.listGrants({ account_id }, ALL)).items.every((grant) => grant.revoked_at !== null))
    }
  })
}
