import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { PUSH } from '../../server/protocol/shared_signals.ts'
import { createSignals } from '../../server/tokens/signals.ts'
import { claimsOf, NOW } from '../helpers/app.ts'
import { prepareSignals, startReceiver } from '../helpers/signals.ts'

t.test('RFC 8935 §2: events are pushed; a receiver that is down gets them when it is back', async (t) => {
  const { create, signIn, revoke, clock, work, read } = await prepareSignals(t)
  let status = 503
  const { received, endpoint_url } = await startReceiver(t, () => ({ status }))
  await create({ method: PUSH, endpoint_url })
  const access = await signIn()
  await revoke(access)
  await work()
  t.equal(received.length, 1)
  await work()
  t.equal(received.length, 1, 'not again at once')
  status = 202
  clock.advance(5)
  await Promise.all([work(), work()])
  t.equal(received.length, 2, 'two nodes, one push')
  t.match(received[1], { type: 'application/secevent+jwt' })
  t.match(await read(received[1]?.token ?? ''), { sub_id: { session: { id: claimsOf(access).sid } } })
  t.equal(claimsOf(received[1]?.token ?? '').jti, claimsOf(received[0]?.token ?? '').jti)
  clock.advance(3600)
  await work()
  t.equal(received.length, 2, 'taken, and told no more')
})

t.test('RFC 8935 §2.3: what the receiver will never take is not sent again; what it cannot judge is', async (t) => {
  const { create, signIn, revoke, clock, work } = await prepareSignals(t)
  let body = '{"err":"invalid_audience"}'
  const { received, endpoint_url } = await startReceiver(t, () => ({ status: 400, body }))
  await create({ method: PUSH, endpoint_url })
  await revoke(await signIn())
  for (let times = 0; times < 3; times += 1) {
    await work()
    clock.advance(60)
  }
  t.equal(received.length, 1)
  body = '{"err":"authentication_failed"}'
  await revoke(await signIn())
  await work()
  clock.advance(60)
  await work()
  t.equal(received.length, 3)
})

t.test('outbound rules hold: nothing is pushed to a private address that nobody has allowed', async (t) => {
  const { create, signIn, revoke, work } = await prepareSignals(t, { outbound: { allow: [] } })
  const { received, endpoint_url } = await startReceiver(t, () => ({ status: 202 }))
  await create({ method: PUSH, endpoint_url })
  await revoke(await signIn())
  await work()
  t.equal(received.length, 0)
})

t.test('nor is it sent what waited: its own right counts at each push', async (t) => {
  const { create, signIn, revoke, collect, deps, work } = await prepareSignals(t)
  const { received, endpoint_url } = await startReceiver(t, () => ({ status: 202 }))
  const { stream_id } = await create({ method: PUSH, endpoint_url })
  await revoke(await signIn())
  await collect()
  await deps.store.disableClient('receiver', NOW, [])
  await work()
  t.equal(received.length, 0)
  t.equal(await deps.store.countWaitingSignals(stream_id, 10), 1)
  await deps.store.enableClient('receiver', NOW, [])
  await work()
  t.equal(received.length, 1, 'and is, when it has its right again')
})

t.test('a receiver that does not answer delays no other', async (t) => {
  const { create, signIn, revoke, deps } = await prepareSignals(t)
  let arrived = () => {}
  const silent = createServer(() => arrived())
  silent.listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  t.teardown(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const { received, endpoint_url } = await startReceiver(t, () => ({ status: 202 }))
  const hanging = new Promise<void>((resolve) => (arrived = resolve))
  await create({ method: PUSH, endpoint_url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` })
  await create({ method: PUSH, endpoint_url })
  for (let times = 0; times < 20; times += 1) await revoke(await signIn())
  const node = createSignals(deps)
  await node.run()
  await hanging
  const began = performance.now()
  while (received.length < 20 && performance.now() - began < 2500)
    await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(received.length, 20, 'while the other still hangs')
  silent.closeAllConnections()
  await node.finish()
})

t.test('two nodes look and push at once: each event arrives, and once', async (t) => {
  const { create, signIn, revoke, deps } = await prepareSignals(t)
  const { received, endpoint_url } = await startReceiver(t, () => ({ status: 202 }))
  await create({ method: PUSH, endpoint_url })
  const nodes = [createSignals(deps), createSignals(deps)]
  for (let times = 0; times < 30; times += 1) {
    await revoke(await signIn())
    await Promise.all(nodes.map((node) => node.run()))
  }
  const began = performance.now()
  while (received.length < 30 && performance.now() - began < 5000) {
    await Promise.all(nodes.map((node) => node.run()))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await Promise.all(nodes.map((node) => node.finish()))
  t.equal(received.length, 30)
  t.equal(new Set(received.map(({ token }) => claimsOf(token).jti)).size, 30)
})

t.test('RFC 8936 §2.2: a poll waits for an event, unless it asks to be answered at once', async (t) => {
  const { create, signIn, revoke, collect, poll, server, clock } = await prepareSignals(t)
  const { stream_id } = await create()
  const access = await signIn()
  const began = performance.now()
  t.strictSame((await poll(stream_id)).sets, [])
  t.ok(performance.now() - began < 400, 'at once')
  const waiting = poll(stream_id, { returnImmediately: false })
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame(
    (await poll(stream_id, { returnImmediately: false })).sets,
    [],
    'one of a stream waits, the next does not',
  )
  await revoke(access)
  await collect()
  const { sets, jtis } = await waiting
  t.match(sets, [{ sub_id: { session: { id: claimsOf(access).sid } } }])
  t.ok(performance.now() - began < 5000, 'as soon as there is one')
  await poll(stream_id, { ack: jtis })
  clock.advance(1)
  const last = poll(stream_id, { returnImmediately: false })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const closing = performance.now()
  await server.app.close()
  t.ok(performance.now() - closing < 2000, 'it does not keep the server from its end')
  await last.catch(() => undefined)
})

t.test('a poll that waits ends with its time, and one whose stream is disabled hands out nothing', async (t) => {
  const { create, signIn, revoke, collect, poll, call } = await prepareSignals(t, {
    shared_signals: { enabled: true, poll_wait_seconds: 1 },
  })
  const { stream_id } = await create()
  const began = performance.now()
  t.strictSame((await poll(stream_id, { returnImmediately: false })).sets, [])
  const took = performance.now() - began
  t.ok(took >= 900 && took < 3000, `${took}`)
  const waiting = poll(stream_id, { returnImmediately: false })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await call('POST', 'status', { stream_id, status: 'paused' })
  await revoke(await signIn())
  await collect()
  t.strictSame((await waiting).sets, [])
})
