import t from 'tap'
import { systemRandom } from '../server/main.ts'

t.test('random bytes are as many as asked for, and never those of an earlier call', async (t) => {
  const seen = new Set<string>()
  for (let round = 0; round < 1000; round += 1) {
    for (const length of [6, 16, 32, 33, 64]) {
      const bytes = systemRandom.bytes(length)
      if (bytes.length !== length) t.fail(`${bytes.length} bytes instead of ${length}`)
      seen.add(Buffer.from(bytes.subarray(0, 6)).toString('hex'))
    }
  }
  t.equal(seen.size, 5000)
})

t.test('what has been handed out is the caller’s own', async (t) => {
  const first = systemRandom.bytes(16)
  const kept = Buffer.from(first).toString('hex')
  for (let call = 0; call < 1000; call += 1) systemRandom.bytes(16).fill(0)
  t.equal(Buffer.from(first).toString('hex'), kept)
  t.notOk(first.every((byte) => byte === 0))
})
