import t from 'tap'
import { OutboundError } from '../../server/outbound/outbound.ts'
import { createRemoteKeys } from '../../server/outbound/remote_keys.ts'

const URI = 'https://client.example/jwks'

/** A client's `jwks_uri` that answers as told, with a count of how often it was asked. */
function prepare() {
  let now = 1_800_000_000
  let answer: unknown = { keys: [{ kty: 'EC', kid: 'first' }] }
  let asked = 0
  const remote = createRemoteKeys({
    clock: { now: () => now },
    outbound: {
      async getJson() {
        asked += 1
        if (answer instanceof Error) throw answer
        return { json: answer, cache_control: undefined }
      },
      postSet: async () => ({ status: 202, text: '' }),
      postForm: () => Promise.reject(new Error('nothing is posted')),
    },
  })
  return {
    find: (kid: string, uri = URI) => remote.find(uri, (keys) => keys.find((key) => key.kid === kid)),
    answerWith: (next: unknown) => {
      answer = next
    },
    advance: (seconds: number) => {
      now += seconds
    },
    asked: () => asked,
  }
}

t.test('keys are fetched once, and again when they are no longer fresh', async (t) => {
  const { find, advance, asked } = prepare()
  t.match(await find('first'), { kid: 'first' })
  t.match(await find('first'), { kid: 'first' })
  t.equal(asked(), 1)
  advance(600)
  t.match(await find('first'), { kid: 'first' })
  t.equal(asked(), 2)
})

t.test('whoever asks while a fetch is under way waits for that one', async (t) => {
  const { find, asked } = prepare()
  const found = await Promise.all(Array.from({ length: 20 }, () => find('first')))
  t.ok(found.every((key) => key?.kid === 'first'))
  t.equal(asked(), 1)
})

t.test('a key that is missing is looked for anew, at most once a minute', async (t) => {
  const { find, advance, asked, answerWith } = prepare()
  await find('first')
  answerWith({ keys: [{ kty: 'EC', kid: 'second' }] })
  t.equal(await find('second'), undefined, 'fetched a moment ago')
  advance(60)
  const found = await Promise.all([find('second'), find('second'), find('made up')])
  t.match(found, [{ kid: 'second' }, { kid: 'second' }, undefined])
  for (let i = 0; i < 20; i++) t.equal(await find(`made up ${i}`), undefined)
  t.equal(asked(), 2)
})

t.test('a failure is told, and tried again after a while', async (t) => {
  const { find, advance, asked, answerWith } = prepare()
  answerWith(new OutboundError('answered with 500'))
  await t.rejects(find('first'), OutboundError)
  await t.rejects(find('first'), OutboundError)
  t.equal(asked(), 1)
  answerWith({ keys: [{ kty: 'EC', kid: 'first' }] })
  advance(10)
  t.match(await find('first'), { kid: 'first' })
})

t.test('RFC 7517 §5: what is no JWK Set is refused, and keys of unknown kinds are passed over', async (t) => {
  for (const answer of [null, [], 'keys', {}, { keys: {} }, { keys: Array(101).fill({ kty: 'EC' }) }]) {
    const { find, answerWith } = prepare()
    answerWith(answer)
    await t.rejects(find('first'), { message: /not a JWK Set/ }, JSON.stringify(answer).slice(0, 40))
  }
  const { find, answerWith } = prepare()
  answerWith({ keys: [null, 1, { kid: 'first' }, { kty: 1, kid: 'first' }, { kty: 'EC', kid: 'first', use: 7 }] })
  t.equal(await find('first'), undefined)
})

t.test('the memory is bounded: the oldest set makes room', async (t) => {
  const { find, asked } = prepare()
  for (let i = 0; i < 257; i++) await find('first', `${URI}/${i}`)
  await find('first', `${URI}/256`)
  t.equal(asked(), 257)
  await find('first', `${URI}/0`)
  t.equal(asked(), 258)
})
