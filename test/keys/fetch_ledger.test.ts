import t from 'tap'
import { createFetchLedger, KEPT_OF_OTHERS, KEPT_OF_RESOURCE } from '../../keys/fetch_ledger.ts'
import { agentFamily, unawareOf } from '../../keys/fetchers.ts'
import type { KeyFetcher } from '../../server/storage/records.ts'
import { emptyVault } from '../helpers/vault.ts'
import { sampleResource } from '../storage/samples.ts'

const API = 'https://api.example.com'
const ISSUER = 'https://issuer.example'
const EVERYTHING = { limit: 10_000, cursor: null }

async function testLedger(t: Parameters<typeof emptyVault>[0]) {
  const { store, clock } = await emptyVault(t)
  await store.createResource(sampleResource({ resource: API, signing_alg: 'ES256' }), [])
  const ledger = createFetchLedger({ store, clock, default_resource: ISSUER })
  const fetchers = async () => (await store.listKeyFetchers(EVERYTHING)).items
  return { store, clock, ledger, fetchers }
}

const by = (ip: string, user_agent: string | undefined = 'requests/2.31', resource?: unknown) => {
  return { ip, user_agent, resource }
}

t.test('RFC 9110 §10.1.5: a fetcher is known by its first product, whatever its version', async (t) => {
  const families: [string | undefined, string][] = [
    ['python-requests/2.31', 'python-requests'],
    ['Java-http-client/21.0.1', 'Java-http-client'],
    ['node', 'node'],
    [undefined, 'unknown'],
    ['', 'unknown'],
    [' leading', 'unknown'],
    ['\u0000\u001b[31m', 'unknown'],
    ['"quoted"', 'unknown'],
    ['x'.repeat(10_000), 'x'.repeat(40)],
  ]
  for (const [user_agent, family] of families) t.equal(agentFamily(user_agent), family, String(user_agent).slice(0, 20))
})

t.test(
  'who would refuse the next key: of registered resources, those that know the present key and not the next',
  async (t) => {
    const fetcher = (kids: string[], change: Partial<KeyFetcher> = {}): KeyFetcher => ({
      resource: API,
      address_prefix: '192.0.2.1',
      agent: 'node',
      kids,
      first_fetched_at: 0,
      fetched_at: 0,
      signing_alg: 'RS256',
      ...change,
    })
    const keys = { alg: 'RS256', active: 'a', next: 'n' } as const
    const unaware = fetcher(['a'])
    t.same(unawareOf([unaware, fetcher(['a', 'n'])], keys), [unaware])
    t.same(unawareOf([fetcher(['a'], { resource: null })], keys), [], 'anybody may fetch')
    t.same(unawareOf([fetcher(['a'], { signing_alg: 'ES256' })], keys), [], 'what it gets is signed otherwise')
    t.same(unawareOf([fetcher(['old'])], keys), [], 'it has gone: it does not know the key that signs')
  },
)

t.test('a fetch is written down with the keys of the set, the last one of each fetcher', async (t) => {
  const { ledger, fetchers, clock } = await testLedger(t)
  const [first, second] = [['a'], ['a', 'b']]
  ledger.note(by('192.0.2.1', 'requests/2.31', API), first)
  ledger.note(by('2001:db8::1'), first)
  t.same(await fetchers(), [], 'a fetch writes nothing itself')
  const began = clock.now()
  await ledger.flush()
  clock.at += 5
  ledger.note(by('192.0.2.1', 'requests/2.32', `${API}/`), second)
  ledger.note(by('2001:db8::2'), second)
  await ledger.flush()
  const times = { first_fetched_at: began, fetched_at: began + 5 }
  t.same(await fetchers(), [
    {
      resource: null,
      address_prefix: '2001:db8::/64',
      agent: 'requests',
      kids: second,
      ...times,
      signing_alg: 'RS256',
    },
    { resource: API, address_prefix: '192.0.2.1', agent: 'requests', kids: second, ...times, signing_alg: 'ES256' },
  ])
})

t.test('another node that was quicker is not overwritten', async (t) => {
  const { store, fetchers, clock } = await testLedger(t)
  const kept = { of_resource: 9, of_others: 9 }
  const fetch = { resource: API, address_prefix: '192.0.2.1', agent: 'node', kids: ['b'], fetched_at: clock.now() }
  await store.recordKeyFetches([fetch], kept)
  await store.recordKeyFetches([{ ...fetch, kids: ['a'], fetched_at: clock.now() - 1 }], kept)
  t.match(await fetchers(), [{ kids: ['b'], fetched_at: clock.now() }])
})

t.test('who fetches the same again and again is written once a minute', async (t) => {
  const { ledger, fetchers, clock } = await testLedger(t)
  const kids = ['a']
  const began = clock.now()
  for (let second = 0; second < 70; second += 5) {
    ledger.note(by('192.0.2.1'), kids)
    await ledger.flush()
    clock.at += 5
  }
  t.match(await fetchers(), [{ first_fetched_at: began, fetched_at: began + 60 }])
})

t.test('what a fetch calls its resource counts when there is one: else it is anybody', async (t) => {
  const { ledger, fetchers } = await testLedger(t)
  const hostile = [
    'https://other.example',
    'no uri',
    '',
    [API, API],
    { a: 1 },
    7,
    '__proto__',
    `${API}#f`,
    'x:'.padEnd(9000, 'y'),
  ]
  for (const [index, resource] of hostile.entries()) ledger.note(by(`192.0.2.${index}`, 'x', resource), ['a'])
  ledger.note(by('198.51.100.1', 'x', ISSUER), ['a'])
  await ledger.flush()
  const found = await fetchers()
  t.equal(found.filter(({ resource }) => resource === null).length, hostile.length)
  t.same(
    found.flatMap(({ resource }) => resource ?? []),
    [ISSUER],
    'the default resource is there unregistered',
  )
})

t.test('a flood fills neither memory nor database, and keeps nobody out who names a resource', async (t) => {
  const { ledger, fetchers, clock } = await testLedger(t)
  const kids = ['a']
  for (let round = 0; round < 12; round += 1) {
    for (let host = 0; host < 3_000; host += 1) ledger.note(by(`10.${round}.${host >> 8}.${host & 255}`), kids)
    if (round === 5) ledger.note(by('192.0.2.1', 'node', API), kids)
    await ledger.flush()
    clock.at += 5
  }
  const found = await fetchers()
  t.ok(found.length <= KEPT_OF_OTHERS + 1, `${found.length}`)
  t.ok(found.length > 900, 'and they were noted')
  t.match(
    found.filter(({ resource }) => resource !== null),
    [{ resource: API, address_prefix: '192.0.2.1' }],
  )

  for (let host = 0; host < 200; host += 1) ledger.note(by(`203.0.113.${host}`, 'node', API), kids)
  await ledger.flush()
  const named = (await fetchers()).filter(({ resource }) => resource !== null)
  t.equal(named.length, KEPT_OF_RESOURCE, 'nor those who say that they are one')
})

t.test('a database that is away loses no fetch', async (t) => {
  const { store, clock, fetchers } = await testLedger(t)
  let away = true
  const failing = {
    ...store,
    recordKeyFetches: async (...given: Parameters<typeof store.recordKeyFetches>) => {
      if (away) throw new Error('away')
      await store.recordKeyFetches(...given)
    },
  }
  const ledger = createFetchLedger({ store: failing, clock, default_resource: ISSUER })
  ledger.note(by('192.0.2.1', 'node', API), ['a'])
  await t.rejects(ledger.flush(), /away/)
  ledger.note(by('192.0.2.2', 'node', API), ['a'])
  away = false
  await ledger.flush()
  t.equal((await fetchers()).length, 2)
})
