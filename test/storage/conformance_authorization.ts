import type { Test } from 'tap'
import type { Consent } from '../../server/protocol/consent.ts'
import { countAudit, fresh, NOW, type Opened, sampleAudit, sampleGrant } from './samples.ts'
import {
  grantOfCode,
  sampleCode,
  sampleConsent,
  sampleDeviceCode,
  sampleInteraction,
  signedIn,
} from './samples_signing_in.ts'

export async function authorizationConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('an interaction comes back whole to its own browser, until it expires', async (t) => {
    const interaction = sampleInteraction()
    const { interaction_id, browser_digest, expires_at } = interaction
    await store.createInteraction(interaction)
    t.same(await store.findInteraction(interaction_id, browser_digest, expires_at - 1), interaction)
    t.equal(await store.findInteraction(interaction_id, browser_digest, expires_at), undefined)
    t.equal(await store.findInteraction(interaction_id, fresh('browser'), NOW), undefined)

    const consented = { consented_at: NOW + 1, consented_session_id: 'session' }
    t.equal(await store.updateInteraction(interaction_id, { authenticated_at: NOW }), 'updated')
    t.equal(await store.updateInteraction(interaction_id, { authenticated_at: null, ...consented }), 'updated')
    t.same(await store.findInteraction(interaction_id, browser_digest, NOW), { ...interaction, ...consented })
    await t.rejects(store.updateInteraction(interaction_id, {}), TypeError)
    await store.deleteInteraction(interaction_id)
    t.equal(await store.updateInteraction(interaction_id, consented), 'gone')
  })

  t.test('a code comes back whole, used or not', async (t) => {
    const { session } = await signedIn(store)
    const code = sampleCode(session)
    t.equal(await store.createAuthorizationCode(code, null, NOW, []), 'created')
    t.same(await store.findAuthorizationCode(code.code_digest), code)
    const bare = sampleCode(session, { claims: null, redirect_uri_sent: false, nonce: null, code_challenge: null })
    await store.createAuthorizationCode(bare, null, NOW, [])
    t.same(await store.findAuthorizationCode(bare.code_digest), bare)
    t.equal(await store.findAuthorizationCode(fresh('none')), undefined)
  })

  t.test('a code takes its interaction away; without one there is no second', async (t) => {
    const { session } = await signedIn(store)
    const { interaction_id, browser_digest } = await interacting()
    const create = () => store.createAuthorizationCode(sampleCode(session), interaction_id, NOW, [])
    t.equal(await create(), 'created')
    t.equal(await store.findInteraction(interaction_id, browser_digest, NOW), undefined)
    t.equal(await create(), 'interaction_gone')
    const expired = await interacting()
    const late = sampleCode(session)
    const answer = await store.createAuthorizationCode(late, expired.interaction_id, expired.expires_at, [])
    t.equal(answer, 'interaction_gone')
    t.equal(await store.findAuthorizationCode(late.code_digest), undefined)
  })

  t.test('no code for a session that is not live, or for another account; the interaction stays', async (t) => {
    const { session } = await signedIn(store)
    const { interaction_id, browser_digest } = await interacting()
    const event = fresh('test.code')
    const create = (change: object, now = NOW) => {
      return store.createAuthorizationCode(sampleCode(session, change), interaction_id, now, [sampleAudit(event)])
    }
    t.equal(await create({ account_id: 'another' }), 'session_ended')
    const idle = await signedIn(store, { idle_expires_at: NOW + 1 })
    const { account_id, session_id } = idle.session
    t.equal(await create({ account_id, session_id }, NOW + 1), 'session_ended', 'idle')
    await store.endSession(session.session_id, 'signed_out', NOW, [])
    t.equal(await create({}), 'session_ended')
    t.ok(await store.findInteraction(interaction_id, browser_digest, NOW))
    t.equal(await countAudit(store, event), 0)
    const disabled = await signedIn(store)
    await store.disableAccount(disabled.account.account_id, NOW, [])
    t.equal(await store.createAuthorizationCode(sampleCode(disabled.session), null, NOW, []), 'account_disabled')
  })

  t.test('RFC 6749 §4.1.2: a code becomes a grant, once', async (t) => {
    const { session } = await signedIn(store)
    const code = await coded(session)
    const grant = grantOfCode(code)
    const exchange = { code_digest: code.code_digest, grant, now: NOW + 1 }
    t.equal(await store.exchangeAuthorizationCode(exchange, []), 'exchanged')
    t.equal(await store.exchangeAuthorizationCode(exchange, []), 'spent')
    t.same((await store.findGrant(grant.grant_id))?.grant, grant)
    t.match(await store.findAuthorizationCode(code.code_digest), { claimed_at: NOW + 1 })
    const unknown = { ...exchange, code_digest: fresh('none') }
    t.equal(await store.exchangeAuthorizationCode(unknown, []), 'spent')
  })

  t.test('no grant from a code that has expired or whose session has ended', async (t) => {
    const { session, account } = await signedIn(store)
    const code = await coded(session)
    const { code_digest } = code
    const exchange = (now: number) => {
      return store.exchangeAuthorizationCode({ code_digest, grant: grantOfCode(code), now }, [])
    }
    t.equal(await exchange(code.expires_at), 'spent')
    await store.endSession(session.session_id, 'signed_out', NOW, [])
    t.equal(await exchange(NOW), 'session_ended')
    await store.disableAccount(account.account_id, NOW, [])
    t.equal(await exchange(NOW), 'account_disabled')
    t.equal(await store.findGrant(code.grant_id), undefined)
    t.match(await store.findAuthorizationCode(code_digest), { claimed_at: null })
  })

  t.test('RFC 9126 §4: a pushed request is claimed once, by its own client', async (t) => {
    const request_uri_digest = fresh('request_uri')
    const parameters = [['scope', 'openid'] as const, ['resource', 'a'] as const, ['resource', 'b'] as const]
    const pushed = { request_uri_digest, client_id: 'a', parameters, dpop_jkt: 'jkt', expires_at: NOW + 60 }
    await store.createPushedRequest(pushed, [])
    t.equal(await store.claimPushedRequest(request_uri_digest, 'b', NOW), undefined)
    t.equal(await store.claimPushedRequest(request_uri_digest, 'a', NOW + 60), undefined, 'expired')
    t.same(await store.claimPushedRequest(request_uri_digest, 'a', NOW), pushed)
    t.equal(await store.claimPushedRequest(request_uri_digest, 'a', NOW), undefined)
  })

  t.test('RFC 7523 §3, RFC 9449 §11.1: an id is used once until it expires', async (t) => {
    const id = fresh('jti')
    t.equal(await store.claimOnce(id, NOW + 60, NOW), 'claimed')
    t.same([await store.isUsed(id, NOW + 59), await store.isUsed(id, NOW + 60)], [true, false])
    t.equal(await store.isUsed(fresh('unused'), NOW), false)
    t.equal(await store.claimOnce(id, NOW + 600, NOW + 59), 'used')
    t.equal(await store.claimOnce(id, NOW + 120, NOW + 60), 'claimed')
    t.equal(await store.claimOnce(id, NOW + 200, NOW + 61), 'used')
  })

  t.test('a consent is replaced, listed and withdrawn with what rests on it', async (t) => {
    const { session, account } = await signedIn(store)
    const [account_id, client_id] = [account.account_id, fresh('client')]
    const lists = { resources: ['https://api.example'], redirect_hosts: ['client.example'], claims: ['email'] }
    const consent = { account_id, client_id, scope: 'openid', ...lists, granted_at: NOW, updated_at: NOW }
    const before = { ...consent, scope: 'before', granted_at: 1 }
    t.equal(await store.saveConsent({ consent: before, before: undefined }, []), 'saved')
    t.equal(await store.saveConsent({ consent, before }, []), 'saved')
    await store.saveConsent({ consent: { ...consent, client_id: `${client_id}_b` }, before: undefined }, [])
    t.same(await store.findConsent(account_id, client_id), consent)
    t.equal(await store.findConsent(fresh('none'), client_id), undefined)
    const first = await store.listConsents({ account_id }, { limit: 1, cursor: null })
    t.same(first.items, [consent])
    const rest = await store.listConsents({ account_id }, { limit: 1, cursor: first.next_cursor })
    t.match(rest, { items: [{ client_id: `${client_id}_b` }], next_cursor: null })
    t.same((await store.listConsents({ client_id }, { limit: 9, cursor: null })).items, [consent])

    const grant = sampleGrant({ account_id, client_id })
    const other = sampleGrant({ account_id })
    for (const one of [grant, other]) await store.createGrant(one, [], [])
    const code = await coded(session, { client_id })
    const device = sampleDeviceCode({ client_id, account_id, approved_at: NOW })
    await store.createDeviceCode(device, [])
    t.equal(await store.withdrawConsent(account_id, client_id, NOW, []), 'withdrawn')
    t.equal(await store.withdrawConsent(account_id, client_id, NOW, []), 'not_found')
    t.match(await store.findGrant(grant.grant_id), { grant: { revoked_because: 'consent_withdrawn' } })
    t.match(await store.findGrant(other.grant_id), { grant: { revoked_at: null } })
    const exchange = { code_digest: code.code_digest, grant: grantOfCode(code), now: NOW }
    t.equal(await store.exchangeAuthorizationCode(exchange, []), 'spent')
    const redeemed = sampleGrant({ account_id, client_id })
    t.equal(await store.redeemDeviceCode(device.device_code_digest, redeemed, NOW, []), 'spent')
  })

  t.test(
    'a consent that has changed since it was read is not overwritten, and one withdrawn does not come back',
    async (t) => {
      const [account_id, client_id] = [fresh('account'), fresh('client')]
      const before = sampleConsent({ account_id, client_id, scope: 'openid' })
      const consent = { ...before, scope: 'openid email', updated_at: NOW + 1 }
      const event = fresh('test.consent')
      const save = (change: { before: Consent | undefined }) =>
        store.saveConsent({ consent, ...change }, [sampleAudit(event)])
      t.equal(await save({ before }), 'consent_changed', 'there was none')
      t.equal(await store.findConsent(account_id, client_id), undefined)
      await store.saveConsent({ consent: before, before: undefined }, [])
      t.equal(await save({ before: undefined }), 'consent_changed', 'there is one already')
      for (const change of [{ scope: 'email' }, { resources: [] }, { redirect_hosts: ['a'] }, { claims: ['a'] }]) {
        t.equal(await save({ before: { ...before, ...change } }), 'consent_changed', Object.keys(change).join())
      }
      t.same(await store.findConsent(account_id, client_id), before)
      await store.withdrawConsent(account_id, client_id, NOW, [])
      t.equal(await save({ before }), 'consent_changed')
      t.equal(await store.findConsent(account_id, client_id), undefined)
      t.equal(await countAudit(store, event), 0)
    },
  )

  async function interacting() {
    const interaction = sampleInteraction()
    await store.createInteraction(interaction)
    return interaction
  }

  async function coded(...args: Parameters<typeof sampleCode>) {
    const code = sampleCode(...args)
    await store.createAuthorizationCode(code, null, NOW, [])
    return code
  }
}
