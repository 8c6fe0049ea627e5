/** Where the issuer's keys come from, how long they are kept, and what happens while they cannot be fetched. */
import t from 'tap'
import { addressesOf } from '../../resource_server/issuer_metadata.ts'
import { inMemoryIssuer, PATHS, START, unreachable, verdict } from '../helpers/in_memory_issuer.ts'
import { makeSigningKey, signToken } from '../helpers/stand_in_issuer.ts'

const stranger = await makeSigningKey()
const unavailable = /^temporarily_unavailable/

t.test('RFC 8414 §3.1: the metadata is where the issuer’s path puts it, and nowhere else', async (t) => {
  t.strictSame(addressesOf('https://issuer.example'), [
    'https://issuer.example/.well-known/oauth-authorization-server',
    'https://issuer.example/.well-known/openid-configuration',
  ])
  t.strictSame(addressesOf('https://issuer.example/tenant/one'), [
    'https://issuer.example/.well-known/oauth-authorization-server/tenant/one',
    'https://issuer.example/tenant/one/.well-known/openid-configuration',
    'https://issuer.example/.well-known/openid-configuration/tenant/one',
  ])
  const tenant = await inMemoryIssuer(t, 'https://issuer.example/tenant/one')
  t.equal(await verdict(tenant.verifier(), await tenant.token()), 'good')
  t.equal(tenant.requests[0]?.path, '/.well-known/oauth-authorization-server/tenant/one')
})

t.test('OpenID Connect Discovery 1.0 §4: an issuer that publishes only that document is found, too', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const { origin } = new URL(issuer.issuer)
  issuer.answers.set(PATHS.metadata, () => new Response('', { status: 404 }))
  issuer.answers.set('/.well-known/openid-configuration', () =>
    Response.json({ issuer: issuer.issuer, jwks_uri: `${origin}${PATHS.jwks}` }),
  )
  t.equal(await verdict(issuer.verifier(), await issuer.token()), 'good')
})

t.test('RFC 8414 §3.3: the issuer in the metadata is exactly the one that was asked', async (t) => {
  for (const other of [
    'https://issuer.example/',
    'https://ISSUER.example',
    'https://evil.example',
    undefined,
    ['https://issuer.example'],
  ]) {
    const issuer = await inMemoryIssuer(t)
    issuer.answers.set(PATHS.metadata, () => Response.json({ issuer: other, jwks_uri: 'https://issuer.example/jwks' }))
    t.match(await verdict(issuer.verifier(), await issuer.token()), unavailable, String(other))
    t.equal(issuer.asked(PATHS.jwks), 0)
  }
})

t.test('nothing is fetched but by https', async (t) => {
  for (const jwks_uri of [
    'http://issuer.example/jwks',
    'http://localhost/jwks',
    'http://169.254.169.254/',
    'file:///etc/passwd',
    'https://a:b@x.example/',
    5,
    undefined,
  ]) {
    const issuer = await inMemoryIssuer(t)
    issuer.answers.set(PATHS.metadata, () => Response.json({ issuer: issuer.issuer, jwks_uri }))
    t.match(await verdict(issuer.verifier(), await issuer.token()), unavailable, String(jwks_uri))
    t.ok(
      issuer.requests.every(({ path }) => path.startsWith('/.well-known/')),
      String(jwks_uri),
    )
  }
  const local = await inMemoryIssuer(t, 'http://localhost:3000')
  t.equal(await verdict(local.verifier(), await local.token()), 'good', 'unless all of it is on the loopback')
  const told = await inMemoryIssuer(t)
  t.equal(
    await verdict(told.verifier({ jwks_uri: `${told.issuer}${PATHS.jwks}` }), await told.token()),
    'good',
    'where it is told, nothing is looked up',
  )
  t.equal(told.asked(PATHS.metadata), 0)
})

t.test('a redirect is not followed, and what is too large is not read', async (t) => {
  const answers = {
    'a redirect': () => new Response(null, { status: 302, headers: { location: 'https://evil.example/jwks' } }),
    'too large': () => new Response(JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) })),
    'an error': () => new Response('{"keys":[]}', { status: 500 }),
    'no JSON': () => new Response('<html>'),
    'no UTF-8': () => new Response(new Uint8Array([0x7b, 0xff, 0x7d])),
    'no set': () => Response.json([]),
    'no keys': () => Response.json({ keys: [] }),
    'keys of other kinds': () => Response.json({ keys: [5, null, { kty: 'RSA' }, { kid: 'x', use: 'enc' }] }),
  }
  for (const [title, answer] of Object.entries(answers)) {
    const issuer = await inMemoryIssuer(t)
    issuer.answers.set(PATHS.jwks, answer)
    t.match(await verdict(issuer.verifier(), await issuer.token()), unavailable, title)
    t.match(issuer.problems[0], /the keys could not be fetched/, title)
  }
})

t.test('RFC 7517 §5: unknown keys in the set are no trouble', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const odd = [
    null,
    5,
    {},
    { kty: 'XYZ', kid: issuer.key.kid, alg: 'XX' },
    { kty: 'RSA', kid: issuer.key.kid, n: '!', e: 5, alg: 'PS256' },
  ]
  issuer.jwks = [...(odd as object[]), issuer.key.jwk]
  t.equal(await verdict(issuer.verifier(), await issuer.token()), 'good')
})

t.test(
  'RFC 9111 §4.2.1: the set is kept for its max-age, less the age it has, within 30 seconds and an hour',
  async (t) => {
    const lifetimes: [headers: Record<string, string>, seconds: number][] = [
      [{ 'cache-control': 'public, max-age=300' }, 300],
      [{ 'cache-control': 'max-age=300', age: '100' }, 200],
      [{ 'cache-control': 'max-age="120"' }, 120],
      [{ 'cache-control': 'no-store, max-age=300' }, 30],
      [{ 'cache-control': 'max-age=0' }, 30],
      [{ 'cache-control': 'max-age=99999999' }, 3_600],
      [{ 'cache-control': 'max-age=soon' }, 300],
      [{}, 300],
    ]
    for (const [headers, seconds] of lifetimes) {
      const issuer = await inMemoryIssuer(t)
      issuer.answers.set(PATHS.jwks, () => Response.json({ keys: issuer.jwks }, { headers }))
      const verifier = issuer.verifier()
      const token = await issuer.token()
      const title = JSON.stringify(headers)
      await verifier.verify(token)
      issuer.clock += seconds * 0.79
      await verifier.verify(token)
      t.equal(issuer.asked(PATHS.jwks), 1, title)
      // The key is withdrawn.
      issuer.jwks = [stranger.jwk]
      issuer.clock = START + seconds
      t.match(await verdict(verifier, token), /signed by no key/, title)
    }
  },
)

t.test('a busy verifier fetches anew before the time is over, and nobody waits for it', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  const token = await issuer.token()
  await verifier.verify(token)
  let answer: ((response: Response) => void) | undefined
  issuer.answers.set(PATHS.jwks, () => new Promise<Response>((resolve) => (answer = resolve)))
  issuer.clock += 290
  for (let times = 0; times < 5; times += 1) t.equal(await verdict(verifier, token), 'good')
  t.equal(issuer.asked(PATHS.jwks), 2, 'one fetch is in flight')
  answer?.(Response.json({ keys: [stranger.jwk] }))
  await new Promise((resolve) => setTimeout(resolve, 5))
  issuer.answers.set(PATHS.jwks, () => Response.json({ keys: [stranger.jwk] }))
  t.match(await verdict(verifier, token), /signed by no key/)
})

t.test('one fetch is in flight, however many tokens wait for it', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  const token = await issuer.token()
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdict(verifier, token)))
  t.ok(verdicts.every((said) => said === 'good'))
  t.strictSame([issuer.asked(PATHS.metadata), issuer.asked(PATHS.jwks)], [1, 1])
})

t.test('an unknown kid is looked up at once; made-up ones cost one fetch in five seconds', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  await verifier.verify(await issuer.token())
  issuer.jwks = [issuer.key.jwk, stranger.jwk]
  t.equal(await verdict(verifier, await signToken(stranger, issuer.claims())), 'good', 'the issuer has rotated')
  t.equal(issuer.asked(PATHS.jwks), 2)
  for (let times = 0; times < 20; times += 1)
    t.match(await verdict(verifier, await issuer.token({}, { kid: `made up ${times}` })), /signed by no key/)
  t.equal(issuer.asked(PATHS.jwks), 3)
  issuer.clock += 5
  await verdict(verifier, await issuer.token({}, { kid: 'made up' }))
  t.equal(issuer.asked(PATHS.jwks), 4)
})

t.test('outage, no keys at hand: 503 with Retry-After and without a challenge, never 401', async (t) => {
  const issuer = await inMemoryIssuer(t)
  issuer.answers.set(PATHS.metadata, unreachable)
  const verifier = issuer.verifier()
  for (const token of [await issuer.token(), await issuer.token({}, { kid: 'made up' })]) {
    const error = await verifier.verify(token).catch((error: unknown) => error)
    t.match(error, { status: 503, statusCode: 503, code: 'temporarily_unavailable', challenge: undefined })
    t.match(error, { headers: { 'retry-after': /^[1-5]$/ } })
  }
  t.equal(issuer.asked(PATHS.metadata), 1, 'and it is not asked at each request')
  issuer.answers.clear()
  issuer.clock += 5
  t.equal(await verdict(verifier, await issuer.token()), 'good', 'it is back')
})

t.test('outage, keys at hand: they serve on for a day, and then it is 503', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  const token = await issuer.token()
  await verifier.verify(token)
  issuer.answers.set(PATHS.jwks, unreachable)
  for (const seconds of [300, 3_600, 86_400]) {
    issuer.clock = START + 300 + seconds - 1
    t.equal(await verdict(verifier, token), 'good', `${seconds} s`)
  }
  t.match(
    await verdict(verifier, await issuer.token({ sub: 'x' }, { kid: 'made up' })),
    unavailable,
    'a key that may be new',
  )
  t.match(
    await verdict(verifier, await issuer.token({ exp: issuer.clock - 60 })),
    /expired/,
    'what is wrong stays wrong',
  )
  issuer.clock = START + 300 + 86_400
  t.match(await verdict(verifier, token), unavailable)
  issuer.answers.clear()
  issuer.clock += 6
  t.equal(await verdict(verifier, await issuer.token()), 'good', 'it is back')
  issuer.answers.set(PATHS.jwks, unreachable)
  const brief = issuer.verifier({ stale_keys_seconds: 0 })
  t.match(await verdict(brief, token), unavailable)
})

t.test(
  'outage, an issuer that does not answer: the keys at hand serve on, and only the first request waits',
  async (t) => {
    const issuer = await inMemoryIssuer(t)
    const verifier = issuer.verifier({ timeout_seconds: 0.3 })
    // A time-out alone, without a socket, keeps no process alive.
    const alive = setInterval(() => undefined, 1_000)
    t.teardown(() => clearInterval(alive))
    const token = await issuer.token()
    await verifier.verify(token)
    issuer.answers.set(
      PATHS.jwks,
      (_, { signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason))
        }),
    )
    issuer.clock += 301
    const started = performance.now()
    t.equal(await verdict(verifier, token), 'good')
    t.ok(performance.now() - started < 1_000)
    issuer.clock += 6
    const before = issuer.asked(PATHS.jwks)
    const again = performance.now()
    t.equal(await verdict(verifier, token), 'good')
    t.ok(performance.now() - again < 250, 'no time-out long')
    t.equal(issuer.asked(PATHS.jwks), before + 1, 'though it is looked whether it is back')
    issuer.clock += 60
    issuer.answers.set(PATHS.jwks, () => Response.json({ keys: [stranger.jwk] }))
    // The fetch that is in flight ends first.
    await new Promise((resolve) => setTimeout(resolve, 350))
    issuer.clock += 60
    t.match(await verdict(verifier, token), /signed by no key/, 'what failed a while ago is waited for again')
  },
)

t.test('the metadata cannot be fetched any more: the key set is where it was', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  await verifier.verify(await issuer.token())
  issuer.answers.set(PATHS.metadata, unreachable)
  issuer.clock += 90_000
  t.equal(await verdict(verifier, await issuer.token()), 'good')
  t.match(issuer.problems[0], /the metadata could not be fetched/)
  t.equal(issuer.asked(PATHS.jwks), 2)
})

t.test('two verifiers share nothing', async (t) => {
  const [one, two] = [await inMemoryIssuer(t), await inMemoryIssuer(t)]
  two.jwks = [stranger.jwk]
  t.equal(await verdict(one.verifier(), await one.token()), 'good')
  t.match(await verdict(two.verifier(), await two.token()), /signed by no key/)
})

t.test('a listener that throws breaks nothing', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier({
    on_problem: () => {
      throw new Error('mine')
    },
  })
  issuer.answers.set(PATHS.jwks, unreachable)
  t.match(await verdict(verifier, await issuer.token()), unavailable)
})
