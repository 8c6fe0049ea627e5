import type { Test } from 'tap'
import type { SignalStream } from '../../server/protocol/shared_signals.ts'
import { RACERS, race } from './conformance_races.ts'
import { fresh, NOW, type Opened, sampleClient } from './samples.ts'
import { sampleSignal, sampleSignalStream } from './samples_signals.ts'

const ALL = { limit: 500, cursor: null }

export async function signalConformance(t: Test, { store }: Opened): Promise<void> {
  const receiver = async () => {
    const client_id = fresh('receiver')
    await store.createClient(sampleClient({ client_id }), [])
    return client_id
  }
  const open = async (fields: Partial<SignalStream> = {}) => {
    const stream = sampleSignalStream({ client_id: await receiver(), ...fields })
    await store.createSignalStream(stream, 100, [])
    return stream
  }
  const waiting = async (stream_id: string) => (await store.listWaitingSignals(stream_id, 500)).map(({ jti }) => jti)

  t.test('a stream is made for a client that there is', async (t) => {
    t.equal(await store.createSignalStream(sampleSignalStream({ client_id: fresh('nobody') }), 100, []), 'no_client')
    const stream = await open()
    t.strictSame(await store.findSignalStream(stream.stream_id), stream)
    t.equal(await store.findSignalStream(fresh('stream')), undefined)
  })

  t.test('of 64 streams that are made at once, as many are as may be', async (t) => {
    const client_id = await receiver()
    const answers = await race(() => store.createSignalStream(sampleSignalStream({ client_id }), 3, []))
    t.same(answers, { created: 3, too_many: RACERS - 3 })
    t.equal((await store.listSignalStreams({ client_id }, ALL)).items.length, 3)
  })

  t.test('of 64 who append one event, one does', async (t) => {
    const { stream_id } = await open()
    const signal = sampleSignal(stream_id)
    t.same(await race(() => store.appendSignal(signal)), { appended: 1, exists: RACERS - 1 })
    t.equal(await store.appendSignal(sampleSignal(fresh('stream'))), 'gone')
  })

  t.test('of 64 who claim what is due, each event is one’s, and none is lost', async (t) => {
    const { stream_id } = await open()
    const other = await open()
    const signals = Array.from({ length: 40 }, () => sampleSignal(stream_id))
    await store.appendSignals(stream_id, signals, NOW)
    await store.appendSignal(sampleSignal(other.stream_id))
    const claimed: string[] = []
    const claim = async () => {
      for (const { jti } of await store.claimSignals(stream_id, NOW, NOW + 60, 4)) claimed.push(jti)
    }
    // Losers of a round leave with less than there was room for; what they left is there in the next.
    for (let round = 0; round < 40 && claimed.length < signals.length; round += 1) {
      await Promise.all(Array.from({ length: RACERS }, claim))
    }
    t.strictSame(claimed.toSorted(), signals.map(({ jti }) => jti).toSorted())
    t.strictSame(await store.claimSignals(stream_id, NOW + 59, NOW + 120, 4), [])
    const again = await store.claimSignals(stream_id, NOW + 60, NOW + 120, 500)
    t.equal(again.length, signals.length, 'whoever has died with them has them no longer')
    t.ok(again.every(({ attempts }) => attempts === 2))
  })

  t.test('what is settled stays as it is, and is no other stream’s to settle', async (t) => {
    const { stream_id } = await open()
    const signal = sampleSignal(stream_id)
    await store.appendSignal(signal)
    const settled = { jti: signal.jti, stream_id, settled_at: NOW, next_attempt_at: NOW, last_error: null }
    await store.settleSignals([{ ...settled, stream_id: (await open()).stream_id }])
    t.strictSame(await waiting(stream_id), [signal.jti])
    await store.settleSignals([])
    await store.settleSignals([settled])
    t.strictSame(await waiting(stream_id), [])
    await store.settleSignals([{ ...settled, settled_at: null }])
    t.strictSame(await waiting(stream_id), [])
    t.equal(await store.appendSignal(signal), 'exists')
  })

  t.test(
    'SSF §8.1.2: a stream that is disabled forgets what waits in it, and takes no more; a paused one keeps it',
    async (t) => {
      const { stream_id } = await open()
      const other = await open()
      await store.appendSignal(sampleSignal(other.stream_id))
      await store.appendSignal(sampleSignal(stream_id))
      const set = (status: SignalStream['status']) =>
        store.setSignalStreamStatus(stream_id, { status, reason: null, now: NOW + 1 }, [])
      await set('paused')
      t.equal((await waiting(stream_id)).length, 1)
      t.strictSame(await store.claimSignals(stream_id, NOW, NOW + 60, 4), [])
      t.equal(await store.appendSignal(sampleSignal(stream_id)), 'appended')
      t.equal(await set('disabled'), true)
      t.strictSame(await waiting(stream_id), [])
      t.equal(await store.appendSignal(sampleSignal(stream_id)), 'gone')
      await store.appendSignals(stream_id, [sampleSignal(stream_id)], NOW)
      await set('enabled')
      t.strictSame(await waiting(stream_id), [])
      t.equal((await waiting(other.stream_id)).length, 1)
    },
  )

  t.test('nothing waits in a stream after its disabling is acknowledged, whoever appends meanwhile', async (t) => {
    for (let round = 0; round < 10; round += 1) {
      const { stream_id } = await open()
      const disable = () => store.setSignalStreamStatus(stream_id, { status: 'disabled', reason: null, now: NOW }, [])
      const append = () => store.appendSignal(sampleSignal(stream_id))
      await Promise.all([append(), append(), disable(), append(), append()])
      t.strictSame(await waiting(stream_id), [])
    }
  })

  t.test('what waits is counted as far as asked', async (t) => {
    const { stream_id } = await open()
    await store.appendSignals(
      stream_id,
      [sampleSignal(stream_id), sampleSignal(stream_id), sampleSignal(stream_id)],
      NOW,
    )
    t.equal(await store.countWaitingSignals(stream_id, 2), 2)
    t.equal(await store.countWaitingSignals(stream_id, 10), 3)
  })

  t.test('a client that is deleted takes its streams along: who comes by its name has none', async (t) => {
    const stream = await open()
    const other = await open()
    await store.appendSignal(sampleSignal(stream.stream_id))
    t.equal(await store.deleteClient(stream.client_id, NOW, []), 'deleted')
    t.equal(await store.findSignalStream(stream.stream_id), undefined)
    t.strictSame(await waiting(stream.stream_id), [])
    t.ok(await store.findSignalStream(other.stream_id))
  })
}
