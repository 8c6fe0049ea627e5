/** Revocations by the list that a token names. The section numbers are those of the IETF's Token Status List. */
import { deflateRawSync, deflateSync } from 'node:zlib'
import t from 'tap'
import { inMemoryIssuer, PATHS, packed, START, unreachable, verdict } from '../helpers/in_memory_issuer.ts'
import { type Claims, makeSigningKey } from '../helpers/stand_in_issuer.ts'

const good = 'good'
const revoked = 'invalid_token: revoked, by the status list'
const unavailable = /^temporarily_unavailable/

t.test('§8.3: a token is good while its place in the list says 0, and only while it does', async (t) => {
  const issuer = await inMemoryIssuer(t)
  for (const idx of [0, 1, 7, 8, 511, 1_023]) issuer.revoked.add(idx)
  const verifier = issuer.verifier()
  for (const idx of [0, 1, 7, 8, 511, 1_023])
    t.equal(await verdict(verifier, await issuer.listed(idx)), revoked, `${idx}`)
  for (const idx of [2, 6, 9, 15, 510, 512, 1_022])
    t.equal(await verdict(verifier, await issuer.listed(idx)), good, `${idx}`)
  t.equal(issuer.asked(PATHS.list), 1, 'the list is fetched once')
  t.equal(new Headers(issuer.requests.at(-1)?.init.headers).get('accept'), 'application/statuslist+jwt')
})

t.test('§4.1: 1, 2, 4 or 8 bits each, the least significant first, and all but 0 is invalid', async (t) => {
  const bytes = { 1: [0b0000_0010], 2: [0b0000_0100, 0b1100_0000], 4: [0xa0, 0x01], 8: [0, 3, 0, 255] }
  const invalid = { 1: [1], 2: [1, 7], 4: [1, 2], 8: [1, 3] }
  for (const bits of [1, 2, 4, 8] as const) {
    const issuer = await inMemoryIssuer(t)
    issuer.list_claims = { status_list: { bits, lst: deflateSync(Buffer.from(bytes[bits])).toString('base64url') } }
    const verifier = issuer.verifier()
    const places = (bytes[bits].length * 8) / bits
    for (let idx = 0; idx < places; idx += 1)
      t.equal(
        await verdict(verifier, await issuer.listed(idx)),
        invalid[bits].includes(idx) ? revoked : good,
        `${bits} bits, ${idx}`,
      )
  }
})

t.test('a token without a list is good; one whose list is nonsense is not', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  const uri = issuer.list_uri
  for (const status of [undefined, {}, { another_mechanism: { uri: 'x' } }])
    t.equal(await verdict(verifier, await issuer.token({ status })), good, JSON.stringify(status))
  const nonsense = [
    null,
    'x',
    [],
    { status_list: null },
    { status_list: [] },
    { status_list: { idx: 1 } },
    { status_list: { uri } },
  ]
  const places = [-1, 1.5, '1', null, 2 ** 53, {}].map((idx) => ({ status_list: { idx, uri } }))
  for (const status of [...nonsense, ...places])
    t.match(await verdict(verifier, await issuer.token({ status })), /^invalid_token/, JSON.stringify(status))
  t.equal(issuer.asked(PATHS.list), 0)
  const ignorant = issuer.verifier({ status: 'off' })
  issuer.revoked.add(1)
  t.equal(await verdict(ignorant, await issuer.listed(1)), good, 'unless it is told not to look')
  t.equal(issuer.asked(PATHS.list), 0)
})

t.test('§8.3: a place beyond the list is no place', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  for (let times = 0; times < 5; times += 1)
    t.match(await verdict(verifier, await issuer.listed(1_024)), /does not reach so far/)
  t.equal(issuer.asked(PATHS.list), 1, 'and it is not asked for at each request')
  issuer.list_claims = { status_list: { bits: 1, lst: packed([], 2_048) } }
  issuer.clock += 5
  t.equal(await verdict(verifier, await issuer.listed(1_024)), good, 'the list has grown')
})

t.test('§5.1, §8.3: a list is a token of its own kind, of this issuer, of that address, in its time', async (t) => {
  const stranger = await makeSigningKey()
  const changes: Record<string, { claims?: Claims; header?: Claims; by?: typeof stranger }> = {
    'the typ of another kind': { header: { typ: 'at+jwt' } },
    'no typ': { header: { typ: undefined } },
    'another algorithm': { header: { alg: 'RS512' } },
    'a stranger’s signature': { by: stranger },
    'a stranger’s signature under our kid': { by: { ...stranger, kid: issuerKid() } },
    'a critical extension': { header: { kid: undefined } },
    'the sub of another list': { claims: { sub: 'https://issuer.example/status-lists/2' } },
    'no sub': { claims: { sub: undefined } },
    'another iss': { claims: { iss: 'https://evil.example' } },
    'no iat': { claims: { iat: undefined } },
    'an exp that has passed': { claims: { exp: START - 60 } },
    'an exp that is no number': { claims: { exp: 'x' } },
    'a ttl of 0': { claims: { ttl: 0 } },
    'a ttl that is no number': { claims: { ttl: '60' } },
    'no list': { claims: { status_list: undefined } },
    '3 bits': { claims: { status_list: { bits: 3, lst: packed([]) } } },
    'no lst': { claims: { status_list: { bits: 1 } } },
    'an lst that is no base64url': { claims: { status_list: { bits: 1, lst: '!!' } } },
    'an lst that is not packed': { claims: { status_list: { bits: 1, lst: 'AAAA' } } },
    'an lst without the header of zlib': {
      claims: { status_list: { bits: 1, lst: deflateRawSync(Buffer.alloc(128)).toString('base64url') } },
    },
    'an lst that is cut short': { claims: { status_list: { bits: 1, lst: packed([3, 99, 500]).slice(0, -8) } } },
    'a bomb': {
      claims: { status_list: { bits: 1, lst: deflateSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64url') } },
    },
  }
  function issuerKid() {
    return 'the kid of the issuer'
  }
  for (const [title, { claims = {}, header = {}, by }] of Object.entries(changes)) {
    const issuer = await inMemoryIssuer(t)
    issuer.list_claims = claims
    issuer.list_header = header
    if (by !== undefined) issuer.list_key = title.endsWith('kid') ? { ...by, kid: issuer.key.kid } : by
    const verdicts = await verdict(issuer.verifier({ status_outage: 'refuse' }), await issuer.listed(1))
    t.match(verdicts, unavailable, title)
    t.match(issuer.problems[0], /a status list could not be fetched/, title)
  }
  const issuer = await inMemoryIssuer(t)
  issuer.list_claims = { exp: undefined, ttl: undefined, iss: issuer.issuer }
  t.equal(
    await verdict(issuer.verifier({ status_outage: 'refuse' }), await issuer.listed(1)),
    good,
    'what is optional may be missing',
  )
})

t.test('a list is taken from the issuer’s origin only, or from those that are named', async (t) => {
  const issuer = await inMemoryIssuer(t)
  for (const uri of [
    'https://evil.example/status-lists/1',
    'http://issuer.example/status-lists/1',
    'x',
    'file:///etc/passwd',
  ]) {
    const token = await issuer.token({ status: { status_list: { idx: 1, uri } } })
    t.match(await verdict(issuer.verifier(), token), /not on an origin that is trusted/, uri)
  }
  t.equal(issuer.asked(PATHS.list), 0)
  const uri = 'https://cdn.example/status-lists/1'
  issuer.list_claims = { sub: uri }
  const told = issuer.verifier({ status_list_origins: ['https://cdn.example'], status_outage: 'refuse' })
  t.equal(await verdict(told, await issuer.token({ status: { status_list: { idx: 1, uri } } })), good)
})

t.test('a list is as old as its ttl, no older', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  const token = await issuer.listed(5)
  t.equal(await verdict(verifier, token), good)
  issuer.revoked.add(5)
  issuer.clock += 47
  t.equal(await verdict(verifier, token), good)
  t.equal(issuer.asked(PATHS.list), 1)
  issuer.clock = START + 60
  t.equal(await verdict(verifier, token), revoked)
  t.equal(issuer.asked(PATHS.list), 2)
  issuer.list_claims = { ttl: 1_000_000, exp: START + 200 }
  issuer.clock = START + 130
  await verdict(verifier, token)
  const before = issuer.asked(PATHS.list)
  issuer.clock = START + 201
  issuer.list_claims = {}
  await verdict(verifier, token)
  t.equal(issuer.asked(PATHS.list), before + 1, 'nor older than its exp')
})

t.test('a busy verifier fetches a list before its time is over; one fetch is in flight', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  const token = await issuer.listed(5)
  const many = () => Promise.all(Array.from({ length: 50 }, () => verdict(verifier, token)))
  t.ok((await many()).every((said) => said === good))
  t.equal(issuer.asked(PATHS.list), 1)
  issuer.clock += 50
  t.ok((await many()).every((said) => said === good))
  t.equal(issuer.asked(PATHS.list), 2)
})

t.test('a cache on the way that has an older list brings nobody back', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  const older = await issuer.listToken()
  issuer.clock += 10
  issuer.revoked.add(5)
  const token = await issuer.listed(5)
  t.equal(await verdict(verifier, token), revoked)
  issuer.answers.set(PATHS.list, () => new Response(older))
  issuer.clock += 61
  t.equal(await verdict(verifier, token), revoked)
})

t.test('outage: for an hour what is known counts, and then it is 503 with Retry-After', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const verifier = issuer.verifier()
  issuer.revoked.add(6)
  const [kept, gone] = [await issuer.listed(5), await issuer.listed(6)]
  t.equal(await verdict(verifier, kept), good)
  issuer.answers.set(PATHS.list, unreachable)
  for (const seconds of [60, 600, 3_659]) {
    issuer.clock = START + seconds
    t.equal(await verdict(verifier, kept), good, `${seconds} s`)
    t.equal(await verdict(verifier, gone), revoked, `${seconds} s: what is revoked stays so`)
  }
  issuer.clock = START + 3_660 + 5
  t.match(await verifier.verify(kept).catch((error: unknown) => error), {
    status: 503,
    headers: { 'retry-after': /^\d$/ },
  })
  t.equal(await verdict(verifier, gone), revoked)
  issuer.answers.clear()
  issuer.clock += 6
  t.equal(await verdict(verifier, kept), good, 'it is back')
})

t.test('outage from the start: accepted for as long, or refused, as the policy says', async (t) => {
  const issuer = await inMemoryIssuer(t)
  issuer.answers.set(PATHS.list, () => new Response('', { status: 500 }))
  const token = await issuer.listed(5)
  const lenient = issuer.verifier({ status_outage: { accept_seconds: 100 } })
  t.equal(await verdict(lenient, token), good)
  t.equal(issuer.asked(PATHS.list), 1)
  await verdict(lenient, token)
  t.equal(issuer.asked(PATHS.list), 1, 'it is not asked at each request')
  issuer.clock += 100
  t.match(await verdict(lenient, token), unavailable)
  t.match(await verdict(issuer.verifier({ status_outage: 'refuse' }), token), unavailable)
})

t.test('outage: a list that does not come is waited for once, for as long as a fetch may take', async (t) => {
  const issuer = await inMemoryIssuer(t)
  const alive = setInterval(() => undefined, 1_000)
  t.teardown(() => clearInterval(alive))
  const verifier = issuer.verifier({ timeout_seconds: 0.3 })
  const token = await issuer.listed(5)
  t.equal(await verdict(verifier, token), good)
  issuer.answers.set(
    PATHS.list,
    (_, { signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  issuer.clock += 61
  t.equal(await verdict(verifier, token), good)
  issuer.clock += 6
  const started = performance.now()
  t.equal(await verdict(verifier, token), good)
  t.ok(performance.now() - started < 250)
  await new Promise((resolve) => setTimeout(resolve, 350))
  issuer.answers.clear()
  issuer.revoked.add(5)
  issuer.clock += 60
  t.equal(await verdict(verifier, token), revoked, 'what failed a while ago is waited for again')
})

t.test('a list that is too large is not read', async (t) => {
  const issuer = await inMemoryIssuer(t)
  issuer.answers.set(PATHS.list, () => new Response('x'.repeat(1024 * 1024 + 1)))
  t.match(await verdict(issuer.verifier({ status_outage: 'refuse' }), await issuer.listed(5)), unavailable)
})
