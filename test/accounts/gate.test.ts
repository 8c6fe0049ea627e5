import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createGate } from '../../server/accounts/gate.ts'

/** What the gate let in. */
function admitted<T>(started: Promise<T> | undefined): Promise<T> {
  return started ?? Promise.reject(new Error('turned away'))
}

/** Work that ends when it is told to, and a record of the order in which it began. */
function workshop() {
  const began: string[] = []
  const ends = new Map<string, PromiseWithResolvers<string>>()
  const work = (name: string) => () => {
    began.push(name)
    const end = Promise.withResolvers<string>()
    ends.set(name, end)
    return end.promise
  }
  return {
    began,
    work,
    end: (name: string) => ends.get(name)?.resolve(name),
    fail: (name: string) => ends.get(name)?.reject(new Error(name)),
  }
}

t.test('no more run at once than the gate lets in, and the others in the order they came', async (t) => {
  const { began, work, end } = workshop()
  const gate = createGate({ concurrency: 2, queue_length: 3 })
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => admitted(gate.run(work(name))))
  t.strictSame([began, gate.running, gate.waiting], [['a', 'b'], 2, 3])
  end('b')
  await all[1]
  await setImmediate()
  t.strictSame([began, gate.running, gate.waiting], [['a', 'b', 'c'], 2, 2])
  for (const name of ['a', 'c', 'd', 'e']) {
    end(name)
    await setImmediate()
  }
  t.strictSame(await Promise.all(all), ['a', 'b', 'c', 'd', 'e'])
  t.strictSame([began, gate.running, gate.waiting], [['a', 'b', 'c', 'd', 'e'], 0, 0])
})

t.test('when the line is full, the next one is turned away and its work never runs', async (t) => {
  const { began, work, end } = workshop()
  const gate = createGate({ concurrency: 1, queue_length: 1 })
  const first = admitted(gate.run(work('a')))
  const second = admitted(gate.run(work('b')))
  t.equal(gate.run(work('c')), undefined)
  end('a')
  await first
  await setImmediate()
  const third = admitted(gate.run(work('d')))
  end('b')
  await second
  await setImmediate()
  end('d')
  t.equal(await third, 'd', 'there is room again')
  t.strictSame(began, ['a', 'b', 'd'])
})

t.test('a newcomer does not slip in before those who wait', async (t) => {
  const { began, work, end } = workshop()
  const gate = createGate({ concurrency: 1, queue_length: 5 })
  const first = admitted(gate.run(work('a')))
  const second = admitted(gate.run(work('b')))
  end('a')
  const late = first.then(() => admitted(gate.run(work('late'))))
  await setImmediate()
  end('b')
  await second
  await setImmediate()
  end('late')
  await late
  t.strictSame(began, ['a', 'b', 'late'])
})

t.test('work that fails, even at once, leaves its place', async (t) => {
  const { work, fail } = workshop()
  const gate = createGate({ concurrency: 1, queue_length: 1 })
  const failing = admitted(gate.run(work('a')))
  const next = admitted(gate.run(async () => 'next'))
  fail('a')
  await t.rejects(failing, { message: 'a' })
  t.equal(await next, 'next')
  const broken = admitted(
    gate.run(() => {
      throw new Error('at once')
    }),
  )
  await t.rejects(broken, { message: 'at once' })
  t.strictSame([gate.running, gate.waiting], [0, 0])
})
