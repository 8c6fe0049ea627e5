import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises'
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import t from 'tap'
import { publicJwk } from '../../keys/generate.ts'
import { openSigningKeys, type SigningKeys } from '../../keys/signing_keys.ts'
import { signingKeyPlace } from '../../keys/vault.ts'
import { auditRecord } from '../../server/observe/audit.ts'
import { SIGNING_ALGORITHMS } from '../../server/protocol/resource.ts'
import { type TestVault, testVault } from '../helpers/vault.ts'

const DAY = 86_400
const policy = {
  rotation_seconds: 90 * DAY,
  publish_ahead_seconds: DAY,
  longest_token_seconds: 3_600,
  wait_for_fetchers_seconds: DAY,
}
const calmly = { emergency: false, force: false, actor: 'cli' }

async function testKeys(t: Parameters<typeof testVault>[0]): Promise<TestVault & { keys: SigningKeys }> {
  const world = await testVault(t)
  return { ...world, keys: await openSigningKeys({ ...world, policy }) }
}

/** As a verifier that has just fetched the JWK Set. */
async function verifies(jwks: string, token: string): Promise<boolean> {
  const result = await jwtVerify(token, createLocalJWKSet(JSON.parse(jwks))).catch(() => undefined)
  return result !== undefined
}

function kids(jwks: string): string[] {
  return JSON.parse(jwks).keys.map((jwk: { kid: string }) => jwk.kid)
}

function states(keys: SigningKeys): string[] {
  return keys.list().map(({ alg, state }) => `${alg} ${state}`)
}

t.test('with keys of one keyring', async (t) => {
  const { keys, clock, store, ...world } = await testKeys(t)

  t.test('the first start makes an active RS256 key and the one after it, and nothing else', async (t) => {
    t.same(states(keys).sort(), ['RS256 active', 'RS256 next'])
    t.same(keys.algorithms, ['RS256'])
    const { items } = await store.listAudit({ event: 'keys.created' }, { limit: 10, cursor: null })
    t.equal(items.length, 1)
  })

  t.test('the second start finds them', async (t) => {
    const again = await openSigningKeys({ ...world, clock, store, policy })
    t.same(again.list(), keys.list())
    t.equal(again.jwks.body, keys.jwks.body)
    t.equal(again.jwks.etag, keys.jwks.etag)
  })

  t.test('RFC 7515 §7.1: what is signed verifies by the JWK Set alone, for every algorithm', async (t) => {
    for (const alg of SIGNING_ALGORITHMS) {
      const payload = { iss: 'https://issuer.example', sub: 'Zoë', exp: 9_999_999_999 }
      const token = await keys.sign(alg, 'at+jwt', payload)
      const verified = await jwtVerify(token, createLocalJWKSet(JSON.parse(keys.jwks.body)))
      t.same(verified.payload, payload, alg)
      const kid = keys.list().find((key) => key.alg === alg && key.state === 'active')?.kid
      t.same(verified.protectedHeader, { alg, typ: 'at+jwt', kid })
      t.notOk(await verifies(keys.jwks.body, `${token.slice(0, -8)}AAAAAAAA`), 'and altered it does not')
    }
  })

  t.test('an algorithm is there from the first token that asks for it', async (t) => {
    t.same([...keys.algorithms].sort(), [...SIGNING_ALGORITHMS].sort())
    for (const alg of SIGNING_ALGORITHMS) t.ok(states(keys).includes(`${alg} next`))
    const before = keys.jwks
    await keys.ensure('ES256')
    t.equal(keys.jwks, before, 'and is not made twice')
  })

  t.test('the header says what kind of token it is', async (t) => {
    for (const typ of ['at+jwt', 'JWT', 'at+jwt']) {
      t.equal(decodeProtectedHeader(await keys.sign('RS256', typ, {})).typ, typ)
    }
  })

  t.test('RFC 7517 §4: the JWK Set holds public members only; RFC 7638: kid is the thumbprint', async (t) => {
    const members: Record<string, string[]> = {
      RS256: ['kid', 'kty', 'use', 'alg', 'n', 'e'],
      PS256: ['kid', 'kty', 'use', 'alg', 'n', 'e'],
      ES256: ['kid', 'kty', 'use', 'alg', 'crv', 'x', 'y'],
      EdDSA: ['kid', 'kty', 'use', 'alg', 'crv', 'x'],
    }
    const { keys: jwks } = JSON.parse(keys.jwks.body)
    t.equal(jwks.length, 2 * SIGNING_ALGORITHMS.length)
    for (const jwk of jwks) {
      t.same(Object.keys(jwk).sort(), members[jwk.alg]?.sort(), jwk.alg)
      t.equal(jwk.use, 'sig')
      t.equal(jwk.kid, await calculateJwkThumbprint(jwk))
    }
  })

  t.test('a published key is found by kid, also as PEM; an unknown one is not', async (t) => {
    for (const kid of kids(keys.jwks.body)) {
      const found = keys.verificationKey(kid)
      t.ok(found && createPublicKey(found.pem).equals(found.key))
      t.equal(found?.key.type, 'public')
    }
    for (const kid of ['', 'unknown', '__proto__', 'constructor']) t.equal(keys.verificationKey(kid), undefined)
  })

  t.test('RFC 7518 §3.4: an ES256 signature is R and S side by side, 64 octets', async (t) => {
    const token = await keys.sign('ES256', 'at+jwt', {})
    t.equal(Buffer.from(token.split('.')[2] ?? '', 'base64url').length, 64)
  })

  t.test('signing does not occupy the event loop', async (t) => {
    const order: string[] = []
    const signing = keys.sign('RS256', 'at+jwt', {}).then(() => order.push('signed'))
    setImmediate(() => order.push('turn of the loop'))
    await signing
    t.same(order, ['turn of the loop', 'signed'])
  })

  t.test('a payload that JSON cannot hold is an error, not a token', async (t) => {
    await t.rejects(keys.sign('RS256', 'at+jwt', { large: 1n }))
  })

  t.test('an unchanged keyring costs one query to reload', async (t) => {
    const { jwks } = keys
    let queries = 0
    const counting = new Proxy(store, {
      get(target, name, receiver) {
        queries += 1
        return Reflect.get(target, name, receiver)
      },
    })
    const other = await openSigningKeys({ ...world, clock, store: counting, policy })
    queries = 0
    const before = other.jwks
    await other.reload()
    t.equal(queries, 1)
    t.equal(other.jwks, before, 'and nothing is serialised again')
    t.equal(other.jwks.body, jwks.body)
  })

  t.test('private keys are not in the database', async (t) => {
    const records = await store.listSigningKeys()
    for (const { private_key_sealed, kid } of records) {
      t.match(private_key_sealed, /^v1\./)
      t.ok(world.vault.open(signingKeyPlace(kid), private_key_sealed))
    }
    const [one, two] = records
    if (one === undefined || two === undefined) throw new Error('no keys')
    t.throws(() => world.vault.open(signingKeyPlace(one.kid), two.private_key_sealed), { name: 'VaultError' })
  })
})

t.test('OIDC Core §10.1.1: a rotation changes who signs and keeps the old key for its tokens', async (t) => {
  const { keys, clock, store } = await testKeys(t)
  const [first] = kids(keys.jwks.body)
  const old = await keys.sign('RS256', 'at+jwt', { exp: clock.at + 3_600 })
  const { etag } = keys.jwks
  const fetched_before = keys.jwks.body

  const rotation = await keys.rotate(calmly)
  t.match(rotation, { outcome: 'rotated', retired: first }, 'at once: the next key is as old as the keyring')
  const token = await keys.sign('RS256', 'at+jwt', { exp: clock.at + 3_600 })
  t.match(decodeProtectedHeader(token), { kid: rotation.outcome === 'rotated' && rotation.kid })
  t.ok(await verifies(fetched_before, token), 'by a JWK Set fetched before the rotation')
  t.ok(await verifies(keys.jwks.body, old), 'and the old one by that fetched after it')
  t.not(keys.jwks.etag, etag)
  t.same(states(keys).sort(), ['RS256 active', 'RS256 next', 'RS256 retiring'])

  t.same(await keys.rotate(calmly), { outcome: 'too_early', ready_at: clock.at + DAY })
  clock.at += DAY
  t.match(await keys.rotate(calmly), { outcome: 'rotated' }, 'the next one was published for a day')
  const { items } = await store.listAudit({ event: 'keys.rotated' }, { limit: 10, cursor: null })
  t.same(
    items.map(({ actor }) => actor),
    ['cli', 'cli'],
  )
})

t.test('an emergency drops every key now, the next one too; force alone drops none', async (t) => {
  const { keys, store } = await testKeys(t)
  await keys.rotate(calmly)
  const stolen = await keys.sign('RS256', 'at+jwt', {})
  const forced = await keys.rotate({ ...calmly, force: true })
  t.ok(await verifies(keys.jwks.body, stolen))

  const stolen_too = await keys.sign('RS256', 'at+jwt', {})
  const published = kids(keys.jwks.body)
  const dropped = await keys.rotate({ ...calmly, emergency: true })
  t.match(dropped, { outcome: 'rotated', retired: forced.outcome === 'rotated' && forced.kid })
  t.notOk(await verifies(keys.jwks.body, stolen_too))
  t.notOk(await verifies(keys.jwks.body, stolen), 'also one that had retired before')
  t.notOk(states(keys).includes('RS256 retiring'))
  t.notOk(
    kids(keys.jwks.body).some((kid) => published.includes(kid)),
    'every verifier meets an unknown kid',
  )
  t.ok((await store.listSigningKeys()).every((key) => (key.private_key_sealed === '') === (key.removed_at !== null)))
  t.equal(keys.verificationKey(decodeProtectedHeader(stolen_too).kid ?? ''), undefined)
  t.ok(await verifies(keys.jwks.body, await keys.sign('RS256', 'at+jwt', {})))
  const { items } = await store.listAudit({ event: 'keys.rotated' }, { limit: 10, cursor: null })
  t.equal(items.filter(({ detail }) => detail?.includes('"emergency":true')).length, 1)
})

t.test('the schedule rotates when it is due and removes what no token needs', async (t) => {
  const { keys, clock } = await testKeys(t)
  const { jwks } = keys
  await keys.runSchedule()
  t.equal(keys.jwks, jwks, 'nothing is due')

  clock.at += policy.rotation_seconds
  const old = await keys.sign('RS256', 'at+jwt', { exp: clock.at + 3_600 })
  await keys.runSchedule()
  t.same(states(keys).sort(), ['RS256 active', 'RS256 next', 'RS256 retiring'])
  clock.at += 3_600
  await keys.runSchedule()
  t.ok(kids(keys.jwks.body).includes(decodeProtectedHeader(old).kid ?? ''))
  clock.at += 300
  await keys.runSchedule()
  t.same(states(keys).sort(), ['RS256 active', 'RS256 next', 'RS256 removed'])
  t.notOk(kids(keys.jwks.body).includes(decodeProtectedHeader(old).kid ?? ''))
})

t.test('the schedule makes keys for what resources ask for, and passes over what it does not know', async (t) => {
  const { keys, clock, store } = await testKeys(t)
  const resource = {
    scopes: null,
    access_token_seconds: null,
    introspection_clients: [],
    authorization_details_types: [],
    claims: {},
    token_typ: 'at+jwt' as const,
    created_at: 0,
    updated_at: 0,
  }
  await store.createResource({ ...resource, resource: 'https://a.example', signing_alg: 'EdDSA' }, [])
  t.same(keys.algorithms, ['RS256'])
  await keys.runSchedule()
  t.same([...keys.algorithms].sort(), ['EdDSA', 'RS256'])
  clock.at += policy.rotation_seconds
  await keys.runSchedule()
  t.ok(states(keys).includes('EdDSA retiring'))
})

t.test('an algorithm that signs is rotated whether or not a resource still asks for it', async (t) => {
  const { keys, clock } = await testKeys(t)
  await keys.ensure('ES256')
  clock.at += policy.rotation_seconds
  await keys.runSchedule()
  t.ok(states(keys).includes('ES256 retiring'))
})

t.test('two nodes on one database', async (t) => {
  const { keys: one, clock, store, ...world } = await testKeys(t)
  const two = await openSigningKeys({ ...world, clock, store, policy })
  const active = () => one.list().find(({ state }) => state === 'active')?.kid

  t.test('a node that missed a rotation knows of it after a reload', async (t) => {
    await one.rotate(calmly)
    const token = await one.sign('RS256', 'at+jwt', {})
    await two.reload()
    t.ok(await verifies(two.jwks.body, token))
    t.same(two.list(), one.list())
    t.equal(two.jwks.etag, one.jwks.etag, 'and serves the same entity')
  })

  t.test('both rotate at once: one rotation', async (t) => {
    clock.at += DAY
    const before = active()
    const outcomes = await Promise.all([one.rotate(calmly), two.rotate(calmly)])
    await one.reload()
    await two.reload()
    t.match(outcomes, [
      { outcome: 'rotated', kid: active(), retired: before },
      { outcome: 'rotated', kid: active(), retired: before },
    ])
    t.same(states(one).sort(), ['RS256 active', 'RS256 next', 'RS256 retiring', 'RS256 retiring'])
    t.same(one.list(), two.list())
  })

  t.test('a rotation and an emergency at once: the old key is gone, whichever came first', async (t) => {
    clock.at += DAY
    const before = active()
    const outcomes = await Promise.all([one.rotate(calmly), two.rotate({ ...calmly, emergency: true })])
    t.equal(outcomes[1].outcome, 'rotated')
    await one.reload()
    t.notOk(before === undefined || kids(one.jwks.body).includes(before))
    t.notOk(before === undefined || kids(two.jwks.body).includes(before))
  })

  t.test('both run the schedule at once: one change of each kind', async (t) => {
    clock.at += policy.rotation_seconds
    await Promise.all([one.runSchedule(), two.runSchedule(), one.ensure('ES256'), two.ensure('ES256')])
    await Promise.all([one.reload(), two.reload()])
    t.same(one.list(), two.list())
    const counted = states(one).filter((state) => !state.endsWith('removed'))
    t.same(counted.sort(), ['ES256 active', 'ES256 next', 'RS256 active', 'RS256 next', 'RS256 retiring'])
  })
})

t.test('a read that comes late does not bring an older keyring back', async (t) => {
  const { store, ...world } = await testVault(t)
  let delay_ms = 0
  const slow = {
    ...store,
    async listSigningKeys() {
      const late_ms = delay_ms
      const records = await store.listSigningKeys()
      if (late_ms > 0) await setTimeout(late_ms)
      return records
    },
  }
  const keys = await openSigningKeys({ ...world, store: slow, policy })
  await keys.ensure('EdDSA')
  delay_ms = 100
  const reloading = keys.reload()
  await nextTurn()
  delay_ms = 0
  const rotating = keys.rotate({ ...calmly, alg: 'EdDSA', force: true })
  await Promise.all([reloading, rotating])
  t.ok(states(keys).includes('EdDSA retiring'))
})

t.test('a stored key that is not what it says is refused', async (t) => {
  const { store, vault, ...world } = await testVault(t)
  const open = () => openSigningKeys({ ...world, store, vault, policy })
  const store_key = async (type: 'rsa' | 'ed25519', bits: number, kid?: string, shown?: JWK) => {
    const privateKey =
      type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: bits }).privateKey
        : generateKeyPairSync('ed25519').privateKey
    const jwk = await publicJwk('RS256', privateKey)
    const name = kid ?? jwk.kid
    const private_key_sealed = vault.seal(signingKeyPlace(name), privateKey.export({ type: 'pkcs8', format: 'der' }))
    const instants = { created_at: 0, activated_at: 0, retired_at: null, removed_at: null }
    const record = {
      kid: name,
      alg: 'RS256' as const,
      public_jwk: JSON.stringify(shown ?? jwk),
      private_key_sealed,
      ...instants,
    }
    await store.insertSigningKeys([record], [auditRecord(world, 'keys.created')])
    return name
  }
  const remove = (kid: string) => store.removeSigningKey(kid, 0, [])

  t.test('RFC 7518 §3.3: an RSA key of less than 2048 bits', async (t) => {
    const kid = await store_key('rsa', 1024)
    await t.rejects(open(), { name: 'VaultError', message: /has 1024 bits/ })
    await remove(kid)
  })

  t.test('a key of another type than its algorithm', async (t) => {
    const kid = await store_key('ed25519', 0)
    await t.rejects(open(), { name: 'VaultError', message: /is not a key for RS256/ })
    await remove(kid)
  })

  t.test('RFC 7638: a key under another kid than its thumbprint', async (t) => {
    const kid = await store_key('rsa', 2048, 'another')
    await t.rejects(open(), { name: 'VaultError', message: /is another key than its id says/ })
    await remove(kid)
  })

  t.test('a public key that was changed in the database is not published', async (t) => {
    const foreign = await publicJwk('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
    const kid = await store_key('rsa', 2048, undefined, { ...foreign })
    const { keys } = JSON.parse((await open()).jwks.body.toString())
    const jwk = keys.find((jwk: { kid: string }) => jwk.kid === kid)
    t.equal(await calculateJwkThumbprint(jwk), kid)
    t.notOk(JSON.stringify(keys).includes(foreign.n ?? ''))
  })
})
