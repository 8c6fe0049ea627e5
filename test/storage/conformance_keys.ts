import type { Test } from 'tap'
import { countAudit, fresh, NOW, type Opened, sampleAudit, sampleKey } from './samples.ts'

export async function keyConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('one next and one active key of an algorithm', async (t) => {
    const active = sampleKey({ activated_at: NOW })
    const next = sampleKey()
    const event = fresh('test.keys')
    t.equal(await store.insertSigningKeys([active, next], [sampleAudit(event)]), 'inserted')
    const other = sampleKey({ alg: 'EdDSA' })
    t.equal(await store.insertSigningKeys([other, sampleKey()], [sampleAudit(event)]), 'lost_race')
    t.equal(await store.insertSigningKeys([sampleKey({ activated_at: NOW })], []), 'lost_race')
    t.same((await store.listSigningKeys()).toSorted(byKid), [active, next].toSorted(byKid), 'nothing of the losers')
    t.equal(await countAudit(store, event), 1)

    const after = sampleKey()
    const change = { kid: next.kid, retire: active.kid, next: after, now: NOW + 1 }
    t.equal(await store.activateSigningKey({ ...change, retire: null }, []), 'lost_race', 'two active ones')
    t.equal(await store.activateSigningKey({ ...change, kid: active.kid }, []), 'lost_race')
    t.equal(await store.activateSigningKey(change, []), 'activated')
    t.equal(await store.activateSigningKey(change, []), 'lost_race', 'once')
    t.match(
      await store.listSigningKeys(),
      [
        { kid: active.kid, retired_at: NOW + 1, removed_at: null },
        { kid: next.kid, activated_at: NOW + 1, retired_at: null },
        { kid: after.kid, activated_at: null },
      ].toSorted(byKid),
    )

    const urgent = { alg: active.alg, keys: [sampleKey({ activated_at: NOW + 2 }), sampleKey()], now: NOW + 2 }
    const untouched = sampleKey({ alg: 'EdDSA', activated_at: NOW })
    t.equal(await store.insertSigningKeys([untouched], []), 'inserted')
    t.equal(await store.replaceSigningKeys(urgent, []), 'replaced')
    const keys = await store.listSigningKeys()
    const erased = { removed_at: NOW + 2, private_key_sealed: '' }
    for (const { kid } of [active, next, after]) {
      t.match(
        keys.find((key) => key.kid === kid),
        erased,
      )
    }
    t.same(
      keys
        .filter(({ removed_at }) => removed_at === null)
        .map(({ kid }) => kid)
        .toSorted(),
      [untouched, ...urgent.keys].map(({ kid }) => kid).toSorted(),
    )
    const twice = { ...urgent, keys: [sampleKey({ activated_at: NOW }), sampleKey({ activated_at: NOW })] }
    t.equal(await store.replaceSigningKeys(twice, []), 'lost_race', 'and then nothing is removed')
    const [first] = urgent.keys
    t.equal(await store.removeSigningKey(first?.kid ?? '', NOW + 3, []), 'removed')
    t.equal(await store.removeSigningKey(first?.kid ?? '', NOW + 4, []), 'lost_race')

    t.equal(await store.replaceSealedSigningKey(untouched.kid, 'sealed', 'again'), 'replaced')
    t.equal(await store.replaceSealedSigningKey(untouched.kid, 'sealed', 'again'), 'stale')
  })

  t.test('the first key of an algorithm retires none', async (t) => {
    const first = sampleKey({ alg: 'ES256' })
    await store.insertSigningKeys([first], [])
    const change = { kid: first.kid, retire: null, next: sampleKey({ alg: 'ES256' }), now: NOW }
    t.equal(await store.activateSigningKey(change, []), 'activated')
  })

  t.test('who fetched the keys: the last fetch of each, so many of each resource, page by page', async (t) => {
    const resource = fresh('https://api')
    const kept = { of_resource: 3, of_others: 2 }
    const fetch = (name: string | null, host: number, at = NOW, kids = ['a']) => {
      return { resource: name, address_prefix: `192.0.2.${host}`, agent: 'node', kids, fetched_at: at }
    }
    await store.recordKeyFetches([fetch(resource, 2), fetch(resource, 1), fetch(null, 1)], kept)
    await store.recordKeyFetches([fetch(resource, 1, NOW + 1, ['a', 'b']), fetch(resource, 2, NOW - 1, ['z'])], kept)
    const first = await store.listKeyFetchers({ limit: 2, cursor: null })
    const rest = await store.listKeyFetchers({ limit: 2, cursor: first.next_cursor })
    const seen = { first_fetched_at: NOW, signing_alg: 'RS256' }
    t.same(
      [...first.items, ...rest.items],
      [
        { ...fetch(null, 1), ...seen },
        { ...fetch(resource, 1, NOW + 1, ['a', 'b']), ...seen },
        { ...fetch(resource, 2), ...seen },
      ],
      'and never an earlier one over a later',
    )
    t.equal(rest.next_cursor, null)

    // All at one instant: still no more stay than may.
    await store.recordKeyFetches(
      [3, 4, 5].map((host) => fetch(resource, host, NOW + 2)),
      kept,
    )
    await store.recordKeyFetches(
      [6, 7, 8].map((host) => fetch(null, host, NOW + 2)),
      kept,
    )
    const { items } = await store.listKeyFetchers({ limit: 20, cursor: null })
    t.same(
      items.map(({ address_prefix }) => address_prefix.slice(8)),
      ['7', '8', '3', '4', '5'],
    )
  })

  t.test('a one-time handle lives until it expires or another supersedes it', async (t) => {
    const handle = {
      digest: fresh('digest'),
      purpose: 'setup_link',
      subject: fresh('x'),
      expires_at: NOW + 60,
    } as const
    const isLive = (digest: string, now = NOW) => store.isOneTimeHandleLive(digest, 'setup_link', now)
    await store.createOneTimeHandle(handle, [])
    t.equal(await isLive(handle.digest), true)
    t.equal(await isLive(handle.digest, NOW + 60), false)
    t.equal(await isLive(fresh('digest')), false)
    await store.createOneTimeHandle({ ...handle, digest: fresh('digest'), subject: fresh('y') }, [])
    t.equal(await isLive(handle.digest), true, "another subject's")
    await store.createOneTimeHandle({ ...handle, digest: fresh('digest') }, [])
    t.equal(await isLive(handle.digest), false)
  })

  t.test('a vault secret is made once for a name and key', async (t) => {
    const secret = { name: fresh('secret'), key_id: 1, sealed: 'sealed', created_at: NOW }
    t.equal(await store.insertVaultSecret(secret), 'inserted')
    t.equal(await store.insertVaultSecret({ ...secret, sealed: 'another' }), 'exists')
    t.equal(await store.insertVaultSecret({ ...secret, key_id: 2 }), 'inserted')
    t.equal(await store.replaceSealedVaultSecret(secret.name, 1, 'another', 'again'), 'stale')
    t.equal(await store.replaceSealedVaultSecret(secret.name, 1, 'sealed', 'again'), 'replaced')
    t.same(await store.listVaultSecrets(), [
      { ...secret, sealed: 'again' },
      { ...secret, key_id: 2 },
    ])
  })
}

function byKid(a: { kid: string }, b: { kid: string }): number {
  return a.kid < b.kid ? -1 : 1
}
