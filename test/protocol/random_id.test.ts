import t from 'tap'
import { randomId } from '../../server/protocol/random_id.ts'

t.test('an id never begins with a hyphen, which a command line would take for an option', async (t) => {
  const drawn = [Buffer.alloc(16, 0xfb), Buffer.alloc(16, 7)]
  t.equal(Buffer.alloc(16, 0xfb).toString('base64url')[0], '-')
  t.equal(randomId({ bytes: () => drawn.shift() ?? Buffer.alloc(16) }), Buffer.alloc(16, 7).toString('base64url'))
})
