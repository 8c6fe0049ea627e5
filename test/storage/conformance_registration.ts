import type { Test } from 'tap'
import { countAudit, fresh, NOW, type Opened, sampleAudit, sampleClient, sampleGrant } from './samples.ts'

const DAY = 86_400

export async function registrationConformance(t: Test, { store, driver }: Opened): Promise<void> {
  t.test('RFC 7591 §3: a registration uses the initial access token up, with the client or not at all', async (t) => {
    const token = sampleToken({ uses_left: 2 })
    const { digest } = token
    await store.createInitialAccessToken(token, [])
    const client = sampleClient({ origin: 'registered', registration_access_token_digest: 'rat', last_used_at: NOW })
    const event = fresh('test.registered')
    t.equal(await store.registerClient(client, digest, NOW, []), 'registered')
    t.same(await store.findClient(client.client_id), client)
    t.equal(await store.registerClient(client, digest, NOW, [sampleAudit(event)]), 'exists')
    t.equal(await store.registerClient(sampleClient(), digest, token.expires_at, []), 'token_spent', 'expired')
    t.equal(await store.registerClient(sampleClient(), digest, NOW, []), 'registered', 'a miss uses nothing')
    const late = sampleClient()
    t.equal(await store.registerClient(late, digest, NOW, [sampleAudit(event)]), 'token_spent')
    t.equal(await store.registerClient(late, fresh('none'), NOW, []), 'token_spent')
    t.equal(await store.findClient(late.client_id), undefined)
    t.equal(await countAudit(store, event), 0)
    t.equal(await store.registerClient(late, null, NOW, []), 'registered', 'open registration')
  })

  t.test('an initial access token for any number of clients is listed, and deleted', async (t) => {
    const token = sampleToken({ uses_left: null, created_at: NOW + 50 })
    await store.createInitialAccessToken(token, [])
    for (let made = 0; made < 3; made += 1) {
      t.equal(await store.registerClient(sampleClient(), token.digest, NOW, []), 'registered')
    }
    const { items } = await store.listInitialAccessTokens({ limit: 100, cursor: null })
    t.same(items.at(-1), token)
    const first = await store.listInitialAccessTokens({ limit: 1, cursor: null })
    const rest = await store.listInitialAccessTokens({ limit: 100, cursor: first.next_cursor })
    t.same([...first.items, ...rest.items], items)
    t.equal(await store.deleteInitialAccessToken(token.token_id, []), 'deleted')
    t.equal(await store.deleteInitialAccessToken(token.token_id, []), 'not_found')
    t.equal(await store.registerClient(sampleClient(), token.digest, NOW, []), 'token_spent')
  })

  t.test('a metadata document takes the place of the one before, and of nothing else', async (t) => {
    const document = sampleClient({ origin: 'metadata_document', metadata_expires_at: NOW + 60 })
    t.equal(await store.saveMetadataDocument(document, []), 'saved')
    await store.disableClient(document.client_id, NOW, [])
    const later = { ...document, client_name: 'Another', metadata_expires_at: NOW + 120, updated_at: NOW + 60 }
    t.equal(await store.saveMetadataDocument({ ...later, created_at: NOW + 60 }, []), 'saved')
    t.same(await store.findClient(document.client_id), { ...later, disabled_at: NOW }, 'and it stays disabled')
    const made = sampleClient()
    await store.createClient(made, [])
    t.equal(await store.saveMetadataDocument({ ...later, client_id: made.client_id }, []), 'taken')
    t.same(await store.findClient(made.client_id), made)
  })

  t.test('RFC 7592 §3: an update replaces the registration access token when another is given', async (t) => {
    const client = sampleClient({ origin: 'registered', registration_access_token_digest: 'first' })
    await store.createClient(client, [])
    await store.updateClient({ ...client, registration_access_token_digest: null, origin: 'admin' }, [])
    t.same(await store.findClient(client.client_id), client)
    await store.updateClient({ ...client, registration_access_token_digest: 'second' }, [])
    t.match(await store.findClient(client.client_id), { registration_access_token_digest: 'second' })
  })

  t.test('a row that was written before has the defaults of what it does not know', async (t) => {
    const client_id = fresh('old')
    const insert = 'INSERT INTO clients (client_id, metadata, created_at, updated_at) VALUES ($1, $2, 1, 1)'
    await driver.batch([{ sql: insert, values: [client_id, '{"scope":"read"}'] }])
    t.match(await store.findClient(client_id), {
      scope: 'read',
      origin: 'admin',
      redirect_uris: [],
      subject_type: 'public',
      require_pkce: true,
      last_used_at: null,
    })
  })

  t.test('use is noted once a day, for clients that made themselves', async (t) => {
    const client = sampleClient({ origin: 'registered' })
    const admin = sampleClient()
    for (const one of [client, admin]) await store.createClient(one, [])
    const used = async (id: string) => (await store.findClient(id))?.last_used_at
    await store.touchClient(client.client_id, NOW, NOW - DAY)
    await store.touchClient(client.client_id, NOW + 5, NOW + 5 - DAY)
    t.equal(await used(client.client_id), NOW)
    await store.touchClient(client.client_id, NOW + DAY, NOW)
    t.equal(await used(client.client_id), NOW + DAY)
    await store.touchClient(admin.client_id, NOW, NOW - DAY)
    t.equal(await used(admin.client_id), null)
  })

  t.test('clients that made themselves and that nobody uses are reaped, with their consents', async (t) => {
    const of = async (change: object) => {
      const client = sampleClient({ origin: 'registered', created_at: 1_000, ...change })
      await store.createClient(client, [])
      return client.client_id
    }
    const never = await of({})
    const idle = await of({ origin: 'metadata_document', last_used_at: 1_999 })
    const off = await of({ origin: 'metadata_document' })
    t.equal(await store.disableClient(off, NOW, []), 'disabled')
    const kept = [
      off,
      await of({ origin: 'admin' }),
      await of({ created_at: 1_500 }),
      await of({ last_used_at: 2_000 }),
      await of({ last_used_at: 1_999 }),
    ]
    await store.createGrant(sampleGrant({ client_id: kept.at(-1) ?? '', idle_expires_at: 2_000 }), [], [])
    await store.createGrant(sampleGrant({ client_id: idle, idle_expires_at: 1_999 }), [], [])
    const lists = { resources: [], redirect_hosts: [], claims: [] }
    const consent = { account_id: fresh('account'), scope: '', ...lists, granted_at: 1, updated_at: 1 }
    for (const client_id of [never, ...kept]) {
      await store.saveConsent({ consent: { ...consent, client_id }, before: undefined }, [])
    }
    t.equal(await store.reapClients(1_500, 2_000, 1), 1, 'so many at a time')
    t.equal(await store.reapClients(1_500, 2_000, 100), 1)
    t.equal(await store.reapClients(1_500, 2_000, 100), 0)
    for (const id of [never, idle]) t.equal(await store.findClient(id), undefined)
    for (const id of kept) t.ok(await store.findClient(id), 'one that is disabled is among them: it would come back')
    t.equal(await store.findConsent(consent.account_id, never), undefined)
    t.equal((await store.listConsents({ account_id: consent.account_id }, { limit: 9, cursor: null })).items.length, 5)
    const [first = ''] = kept
    await store.deleteClient(first, NOW, [])
    t.equal(await store.findConsent(consent.account_id, first), undefined, 'as when one is deleted')
  })

  t.test('clients are counted by origin and age', async (t) => {
    const created_at = NOW + 5_000
    for (let made = 0; made < 2; made += 1) {
      await store.createClient(sampleClient({ origin: 'registered', created_at }), [])
    }
    t.equal(await store.countClients('registered', created_at), 2)
    t.equal(await store.countClients('registered', created_at + 1), 0)
    t.equal(await store.countClients('metadata_document', created_at), 0)
  })
}

export function sampleToken(change: object = {}) {
  const token = { token_id: fresh('token'), digest: fresh('digest'), uses_left: 1 }
  return { ...token, expires_at: NOW + 60, created_at: NOW, ...change }
}
