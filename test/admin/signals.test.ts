import t from 'tap'
import { VERIFICATION } from '../../server/protocol/shared_signals.ts'
import { buildTestAdmin } from '../helpers/admin.ts'
import { sampleSignal, sampleSignalStream } from '../storage/samples_signals.ts'

const admin = await buildTestAdmin(t)
const { call, deps } = admin
const { store } = deps
for (const client_id of ['orders', 'other'])
  await admin.createClient({ client_id, client_secret: 'a secret of some length' })
const stream = sampleSignalStream({ client_id: 'orders' })
await store.createSignalStream(stream, 10, [])
await store.createSignalStream(sampleSignalStream({ client_id: 'other' }), 10, [])
const { stream_id } = stream

t.test('streams are listed with what waits in them, by client', async (t) => {
  await store.appendSignal(sampleSignal(stream_id))
  const { items } = (await call('GET', 'signal-streams?client_id=orders')).json()
  t.match(items, [{ stream_id, client_id: 'orders', endpoint_url: stream.endpoint_url, status: 'enabled', waiting: 1 }])
  t.equal(items.length, 1)
  t.equal((await call('GET', 'signal-streams')).json().items.length, 2)
  t.same((await call('GET', 'signal-streams?client_id=nobody')).json().items, [])
})

t.test('an event shows what became of it, and not whom it is about', async (t) => {
  const settle = async (change: { settled_at: number | null; last_error: string | null }) => {
    const signal = sampleSignal(stream_id)
    const claims = { ...signal.claims, sub_id: { format: 'opaque', id: 'alice' }, events: { [VERIFICATION]: {} } }
    await store.appendSignal({ ...signal, claims })
    await store.settleSignals([{ jti: signal.jti, stream_id, next_attempt_at: 5, ...change }])
    const { body, json } = await call('GET', `signals?stream_id=${stream_id}&limit=200`)
    t.notMatch(body, 'alice')
    return json().items.find(({ jti }: { jti: string }) => jti === signal.jti)
  }
  const last_error = 'answered with 503'
  t.match(await settle({ settled_at: null, last_error }), { state: 'waiting', next_attempt_at: 5, last_error })
  t.match(await settle({ settled_at: 9, last_error: null }), {
    state: 'delivered',
    settled_at: 9,
    next_attempt_at: null,
    events: [VERIFICATION],
  })
  t.match(await settle({ settled_at: 9, last_error }), { state: 'failed', next_attempt_at: null })
  t.same((await call('GET', 'signals?stream_id=unknown')).json().items, [])
  t.ok((await call('GET', 'signals?limit=1')).json().next_cursor)
})

t.test('what is not asked for that way is refused', async (t) => {
  for (const path of ['signals?limit=0', 'signals?stream=x', 'signal-streams?limit=999']) {
    t.equal((await call('GET', path)).statusCode, 400, path)
  }
})
