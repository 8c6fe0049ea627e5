/** Back-Channel Logout 1.0 against receivers on a real socket, which read the token as a client would: with jose and the JWK Set. */
import { createServer, type IncomingMessage } from 'node:http'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import type { LogoutDelivery } from '../../server/protocol/logout.ts'
import { createLogoutDeliveries } from '../../server/tokens/logout_deliveries.ts'
import { buildTestApp, NOW } from '../helpers/app.ts'
import { seedSession, seedSessionClient } from '../helpers/session.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

interface Receiver {
  readonly url: string
  readonly received: Received[]
}

/** @param answer the status of the nth answer, from 1; undefined: none at all */
async function receiver(t: { teardown(handler: () => void): void }, answer: (nth: number) => number | undefined) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      received.push({ headers: request.headers, form: new URLSearchParams(body) })
      const status = answer(received.length)
      if (status !== undefined) response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}/out`, received }
}

const test = await buildTestApp(t, { config: { outbound: { allow: ['127.0.0.1'], timeout_seconds: 1 } } })
const { deps, issuer, clock } = test
const alice = await test.createAccount({ username: 'alice' })
let clients = 0

async function clientAt({ url }: Pick<Receiver, 'url'>, changes: Partial<Client> = {}): Promise<Client> {
  return test.createClient({
    ...WEB_CLIENT,
    client_id: `client-${++clients}`,
    backchannel_logout_uri: url,
    ...changes,
  })
}

/** Alice has signed in to these clients, and out. @returns the session's id */
async function signOutOf(...signedInTo: readonly Client[]): Promise<string> {
  const { session } = await seedSession(deps, { account_id: alice.account_id })
  for (const { client_id } of signedInTo) await seedSessionClient(deps, session, client_id)
  await deps.store.endSession(session.session_id, 'signed_out', clock.now(), [])
  return session.session_id
}

/** One run of the job, with all that it began. */
async function deliver(): Promise<void> {
  const once = createLogoutDeliveries(deps)
  await once.run()
  await once.finish()
}

async function deliveryOf(session_id: string): Promise<LogoutDelivery | undefined> {
  return (await deps.store.listLogoutDeliveries({ session_id }, { limit: 1, cursor: null })).items[0]
}

async function claims(t: Test, received: Received | undefined, audience: string) {
  const { body } = await test.inject({ url: '/.well-known/jwks.json' })
  const token = received?.form.get('logout_token') ?? ''
  const options = { issuer, audience, typ: 'logout+jwt', currentDate: new Date(clock.now() * 1000) }
  const verified = await jwtVerify(token, createLocalJWKSet(JSON.parse(body)), options)
  t.same([...(received?.form.keys() ?? [])], ['logout_token'])
  return verified
}

t.test('Back-Channel Logout 1.0 §2.5: the client gets a logout token that the JWK Set verifies', async (t) => {
  const ok = await receiver(t, () => 200)
  const client = await clientAt(ok)
  const session_id = await signOutOf(client)
  await deliver()
  t.equal(ok.received.length, 1)
  t.match(ok.received[0]?.headers['content-type'], 'application/x-www-form-urlencoded')
  const { payload, protectedHeader } = await claims(t, ok.received[0], client.client_id)
  t.equal(protectedHeader.alg, 'RS256')
  t.match(payload, { sub: alice.account_id, sid: session_id, iat: NOW, exp: NOW + 120, jti: /^[\w-]{22}$/ })
  t.same(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  t.notOk('nonce' in payload)
  t.match(await deliveryOf(session_id), { attempts: 1, delivered_at: NOW, failed_at: null })
  const { items } = await deps.store.listAudit({}, { limit: 1, cursor: null })
  t.match(items[0], { event: 'logout.delivered', actor: 'system', client_id: client.client_id, session_id })

  await deliver()
  t.equal(ok.received.length, 1, 'once is enough')
})

t.test('it is signed as the ID tokens of the client are, and knows the account as they do', async (t) => {
  const ok = await receiver(t, () => 204)
  const client = await clientAt(ok, { id_token_signed_response_alg: 'ES256', subject_type: 'pairwise' })
  await signOutOf(client)
  await deliver()
  const { payload, protectedHeader } = await claims(t, ok.received[0], client.client_id)
  t.equal(protectedHeader.alg, 'ES256')
  t.not(payload.sub, alice.account_id)
})

t.test('only the clients that the session signed in to hear of it, and only those that asked', async (t) => {
  const ok = await receiver(t, () => 200)
  const stranger = await receiver(t, () => 200)
  await clientAt(stranger)
  const quiet = await test.createClient({ ...WEB_CLIENT, client_id: 'quiet' })
  await signOutOf(await clientAt(ok), quiet, await clientAt(ok))
  await deliver()
  t.equal(ok.received.length, 2)
  t.equal(stranger.received.length, 0)
})

t.test('a receiver that fails is tried again, later, with a fresh token, until it works', async (t) => {
  const shaky = await receiver(t, (nth) => (nth < 3 ? 500 : 200))
  const client = await clientAt(shaky)
  const session_id = await signOutOf(client)
  const began = clock.now()
  await deliver()
  t.match(await deliveryOf(session_id), {
    attempts: 1,
    next_attempt_at: began + 5,
    delivered_at: null,
    last_error: /500/,
  })
  await deliver()
  t.equal(shaky.received.length, 1, 'not before its time')
  clock.advance(5)
  await deliver()
  t.match(await deliveryOf(session_id), { attempts: 2, next_attempt_at: began + 35 })
  clock.advance(30)
  await deliver()
  t.match(await deliveryOf(session_id), { attempts: 3, delivered_at: began + 35, last_error: null })
  const { payload } = await claims(t, shaky.received[2], client.client_id)
  t.equal(payload.iat, began + 35)
})

t.test('a receiver that hangs holds up nobody else, and is tried again', async (t) => {
  const hanging = await receiver(t, () => undefined)
  const ok = await receiver(t, () => 200)
  const session_id = await signOutOf(await clientAt(hanging))
  const running = createLogoutDeliveries(deps)
  await running.run()
  t.match(await deliveryOf(session_id), { delivered_at: null, last_error: null }, 'it is under way')
  const other = await signOutOf(await clientAt(ok))
  await running.run()
  while ((await deliveryOf(other))?.delivered_at === null) await new Promise((resolve) => setTimeout(resolve, 10))
  t.match(await deliveryOf(session_id), { last_error: null }, 'the other one was faster')
  await running.finish()
  t.match(await deliveryOf(session_id), { attempts: 1, next_attempt_at: clock.now() + 5, last_error: /time/ })
})

t.test('what a process that died had begun is taken up by another one', async (t) => {
  const ok = await receiver(t, () => 200)
  const session_id = await signOutOf(await clientAt(ok))
  const again_at = clock.now() + 31
  t.equal((await deps.store.claimLogoutDeliveries(clock.now(), again_at, 100)).length, 1, 'and died')
  await deliver()
  t.equal(ok.received.length, 0)
  clock.advance(31)
  await deliver()
  t.equal(ok.received.length, 1)
  t.match(await deliveryOf(session_id), { attempts: 2, delivered_at: again_at })
})

t.test('whoever is gone, or does not want to hear of it any more, settles at once', async (t) => {
  const ok = await receiver(t, () => 200)
  const deleted = await clientAt(ok)
  const changed = await clientAt(ok)
  const sessions = [await signOutOf(deleted), await signOutOf(changed)]
  await deps.store.deleteClient(deleted.client_id, clock.now(), [])
  const { backchannel_logout_uri: _, ...without } = changed
  await deps.store.updateClient(without, [])
  await deliver()
  t.equal(ok.received.length, 0)
  for (const session_id of sessions) t.match(await deliveryOf(session_id), { attempts: 1, failed_at: clock.now() })
})

t.test('after about a day it is given up, and the audit trail says so', async (t) => {
  const down = await receiver(t, () => 503)
  const session_id = await signOutOf(await clientAt(down))
  for (let attempts = 0; attempts < 20 && (await deliveryOf(session_id))?.failed_at === null; attempts += 1) {
    await deliver()
    const { next_attempt_at = 0 } = (await deliveryOf(session_id)) ?? {}
    clock.advance(Math.max(0, next_attempt_at - clock.now()))
  }
  t.match(await deliveryOf(session_id), { attempts: 9, last_error: /503/ })
  const { items } = await deps.store.listAudit({ event: 'logout.undeliverable' }, { limit: 50, cursor: null })
  t.equal(items.filter((record) => record.session_id === session_id).length, 1)
})

t.test('outbound rules hold: a receiver on a private address is not called', async (t) => {
  const inside = await receiver(t, () => 200)
  const session_id = await signOutOf(await clientAt({ url: inside.url.replace('127.0.0.1', '[::ffff:127.0.0.1]') }))
  await deliver()
  t.equal(inside.received.length, 0)
  t.match(await deliveryOf(session_id), { delivered_at: null, last_error: String })
})

t.test('a queue longer than what goes at once is worked off in one run', async (t) => {
  const ok = await receiver(t, () => 200)
  const client = await clientAt(ok)
  for (let count = 0; count < 40; count += 1) await signOutOf(client)
  const deliveries = createLogoutDeliveries(deps)
  await deliveries.run()
  await deliveries.finish()
  t.equal(ok.received.length, 40)
  await signOutOf(client)
  await deliveries.run()
  t.equal(ok.received.length, 40, 'who is finishing begins nothing more')
})
