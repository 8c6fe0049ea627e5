import t, { type Test } from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { buildTestApp, claimsOf } from '../helpers/app.ts'
import { clientKey, dpopProof } from '../helpers/client_keys.ts'
import { DEVICE_CLIENT, decideAbout, pollDevice, startDevice } from '../helpers/device.ts'

const NO_MORE = { status: 400, body: { error: 'invalid_grant', error_description: 'device code invalid or used' } }

async function prepare(t: Test, changes: Partial<Client> = {}) {
  const server = await buildTestApp(t)
  const { account_id } = await server.createAccount()
  await server.createClient({ ...DEVICE_CLIENT, ...changes })
  const approve = (user_code: string) => decideAbout(server, account_id, user_code)
  const deny = (user_code: string) => decideAbout(server, account_id, user_code, 'deny')
  return { server, account_id, approve, deny, poll: pollDevice.bind(undefined, server) }
}

t.test('RFC 8628 §3.5: a device waits, and once it is let in it gets its tokens', async (t) => {
  const { server, account_id, approve, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server, { scope: 'openid read' })
  t.match(await poll(device_code), { status: 400, body: { error: 'authorization_pending' } })
  await approve(user_code)
  server.clock.advance(5)
  const { status, body } = await poll(device_code)
  t.equal(status, 200)
  t.match(body, { token_type: 'Bearer', scope: 'openid read', refresh_token: /^gth_rt_/ })
  t.match(claimsOf(body.id_token), { sub: account_id, aud: 'tv', auth_time: server.clock.now() - 5, amr: ['pwd'] })
  t.match(claimsOf(body.access_token), { sub: account_id, client_id: 'tv' })
})

t.test('OpenID Connect Core §8: a device with pairwise subjects knows a person by one of its own', async (t) => {
  const { server, account_id, approve, poll } = await prepare(t, { subject_type: 'pairwise' })
  await server.createClient({ ...DEVICE_CLIENT, client_id: 'radio', subject_type: 'pairwise' })
  const subjectAt = async (client_id: string) => {
    const { device_code, user_code } = await startDevice(server, { client_id, scope: 'openid' })
    await approve(user_code)
    const { status, body } = await poll(device_code, { client_id })
    t.equal(status, 200)
    t.equal(claimsOf(body.id_token).sub, claimsOf(body.access_token).sub)
    return claimsOf(body.id_token).sub
  }
  const at_tv = await subjectAt('tv')
  t.match(at_tv, /^[\w-]{20,}$/)
  t.not(at_tv, account_id)
  t.equal(await subjectAt('tv'), at_tv, 'the same again')
  t.not(await subjectAt('radio'), at_tv, 'and another one at another device')
})

t.test('§3.5: waiting is no refusal: the log tells of it at level debug, and of a refusal at info', async (t) => {
  const { server, deny, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  const linesOf = (code: string) => server.logged.map((line) => JSON.parse(line)).filter((line) => line.code === code)
  await poll(device_code)
  await poll(device_code)
  for (const code of ['authorization_pending', 'slow_down']) {
    t.match(linesOf(code), [{ level: 'debug', msg: 'not yet', route: '/token' }], code)
  }
  await deny(user_code)
  server.clock.advance(60)
  await poll(device_code)
  t.match(linesOf('access_denied'), [{ level: 'info', msg: 'refused' }])
})

t.test('§3.5: who polls sooner than the interval waits 5 seconds longer, from then on', async (t) => {
  const { server, approve, poll } = await prepare(t)
  const { device_code, user_code, interval } = await startDevice(server)
  t.equal(interval, 5)
  await poll(device_code)
  server.clock.advance(4)
  t.match(await poll(device_code), { status: 400, body: { error: 'slow_down' } })
  await approve(user_code)
  server.clock.advance(9)
  t.match(await poll(device_code), { body: { error: 'slow_down' } }, '10 seconds by now')
  server.clock.advance(15)
  t.match(await poll(device_code), { status: 200 })
})

t.test('§3.5: the person refuses: access_denied', async (t) => {
  const { server, deny, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  await deny(user_code)
  t.match(await poll(device_code), { status: 400, body: { error: 'access_denied' } })
})

t.test('§3.5: after its time a code is expired_token, approved or not', async (t) => {
  const { server, approve, poll } = await prepare(t)
  const [waiting, approved] = [await startDevice(server), await startDevice(server)]
  await approve(approved.user_code)
  server.clock.advance(599)
  t.match(await poll(waiting.device_code), { body: { error: 'authorization_pending' } })
  server.clock.advance(1)
  for (const { device_code } of [waiting, approved]) {
    t.match(await poll(device_code), { status: 400, body: { error: 'expired_token' } })
  }
})

t.test('a device code is redeemed once; used again, what it got ends', async (t) => {
  const { server, approve, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  await approve(user_code)
  const { body } = await poll(device_code)
  t.match(await poll(device_code), { body: { error: 'slow_down' } }, 'a poll too soon ends nothing')
  const grant_id = String(claimsOf(body.access_token).grant_id)
  t.match(await server.deps.store.findGrant(grant_id), { grant: { revoked_at: null } })
  server.clock.advance(60)
  t.match(await poll(device_code), NO_MORE)
  t.match(await server.deps.store.findGrant(grant_id), { grant: { revoked_because: 'code_replayed' } })
})

t.test('of 64 polls at once of an approved code, one gets tokens, and they stand', async (t) => {
  const { server, approve, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  await approve(user_code)
  const answers = await Promise.all(Array.from({ length: 64 }, () => poll(device_code)))
  const won = answers.filter(({ status }) => status === 200)
  t.equal(won.length, 1)
  t.ok(answers.every(({ status, body }) => status === 200 || body.error === 'slow_down'))
  const grant_id = String(claimsOf(won[0]?.body.access_token).grant_id)
  t.match(await server.deps.store.findGrant(grant_id), { grant: { revoked_at: null } })
})

t.test('RFC 6749 §5.2: a code of another client is as good as none', async (t) => {
  const { server, approve, poll } = await prepare(t)
  await server.createClient({ ...DEVICE_CLIENT, client_id: 'mallory' })
  const { device_code, user_code } = await startDevice(server)
  await approve(user_code)
  t.match(await poll(device_code, { client_id: 'mallory' }), NO_MORE)
  t.match(await poll('gth_dc_unknown'), NO_MORE)
  t.match(await poll(device_code), { status: 200 }, 'and nothing happened to it')
})

t.test('RFC 9449 §10: a device that showed a key goes on with it', async (t) => {
  const { server, approve, poll } = await prepare(t)
  const [ours, other] = [await clientKey(), await clientKey()]
  const shown = async (key: typeof ours, path: string) => ({
    dpop: await dpopProof(key, { htu: `${server.issuer}${path}`, now: server.clock.now() }),
  })
  const { device_code, user_code } = await startDevice(server, {}, await shown(ours, '/device_authorization'))
  await approve(user_code)
  t.match(await poll(device_code), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await poll(device_code, {}, await shown(other, '/token')), { status: 400, body: { error: 'invalid_grant' } })
  const { status, body } = await poll(device_code, {}, await shown(ours, '/token'))
  t.match({ status, body }, { status: 200, body: { token_type: 'DPoP' } })
  t.match(claimsOf(body.access_token), { cnf: { jkt: ours.jkt } })
  const { grant } = (await server.deps.store.findGrant(String(claimsOf(body.access_token).grant_id))) ?? {}
  t.strictSame(grant?.cnf, { jkt: ours.jkt }, 'RFC 9449 §5: so is the refresh token of a public client')
})

t.test('RFC 8707 §2.2: a poll may ask for less than was approved, and not for more', async (t) => {
  const { server, approve, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  await approve(user_code)
  t.match(await poll(device_code, { resource: 'https://other.example' }), { body: { error: 'invalid_target' } })
  server.clock.advance(60)
  t.match(await poll(device_code, { resource: server.issuer }), { status: 200 })
})

t.test('a withdrawn consent turns away a device that has not come for its tokens', async (t) => {
  const { server, account_id, approve, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  await approve(user_code)
  await server.deps.store.withdrawConsent(account_id, 'tv', server.clock.now(), [])
  t.match(await poll(device_code), { status: 400, body: { error: 'access_denied' } })
})

t.test('the account is disabled between the decision and the next poll: no tokens', async (t) => {
  const { server, account_id, approve, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  await approve(user_code)
  await server.deps.store.disableAccount(account_id, server.clock.now(), [])
  t.match(await poll(device_code), { status: 400, body: { error: 'access_denied' } })
})

t.test('signing out of the browser that let a device in leaves the device where it is', async (t) => {
  const { server, account_id, approve, poll } = await prepare(t)
  const { device_code, user_code } = await startDevice(server)
  await approve(user_code)
  const { body } = await poll(device_code)
  await server.deps.store.endSessions({ account_id }, 'signed_out', server.clock.now(), [])
  const form = { grant_type: 'refresh_token', client_id: 'tv', refresh_token: body.refresh_token }
  t.equal((await server.postForm('/token', form)).statusCode, 200)
})
