import t, { type Test } from 'tap'
import { LIST_LENGTH } from '../../server/protocol/status_list.ts'
import { basic, buildTestApp, claimsOf, type TestApp } from '../helpers/app.ts'
import { makeGrant } from '../helpers/grant.ts'
import { isRevokedInList, readStatusList, statusOf } from '../helpers/status_list.ts'

const SECRET = 'a client secret of some length'

async function prepare(t: Test, config = {}) {
  const server = await buildTestApp(t, { config })
  const account = await server.createAccount()
  const { access, refresh } = await server.signIn()
  return { server, account, access, refresh, store: server.deps.store }
}

t.test(
  'Token Status List §6.1: an access token of a grant says where its status is; so does each later one',
  async (t) => {
    const { server, access, refresh } = await prepare(t)
    t.match(statusOf(access), { idx: Number, uri: `${server.issuer}/status-lists/0` })
    const refreshed = (await server.postJson('/api/token/refresh/', { refresh })).json()
    t.strictSame(statusOf(refreshed.access), statusOf(access), 'one grant, one bit')
    const other = await server.signIn()
    t.not(statusOf(other.access).idx, statusOf(access).idx, 'another grant, another bit')
  },
)

t.test('a client that speaks for itself has no grant, and its tokens no status', async (t) => {
  const { server } = await prepare(t)
  await server.createClient({ client_secret: SECRET })
  const answer = await server.postForm('/token', { grant_type: 'client_credentials' }, basic('service', SECRET))
  t.notHas(claimsOf(answer.json().access_token), { status: {} })
})

t.test(
  'Token Status List §8.2: the list comes with its media type, may be cached for its ttl, by anybody',
  async (t) => {
    const { server, access } = await prepare(t, { status_lists: { ttl_seconds: 30 } })
    const url = new URL(statusOf(access).uri).pathname
    const response = await server.inject({ url })
    t.match(response, {
      statusCode: 200,
      headers: {
        'content-type': 'application/statuslist+jwt',
        'cache-control': 'public, max-age=30',
        'access-control-allow-origin': '*',
        etag: /^"[\w-]{22}"$/,
      },
    })
    t.match(claimsOf(response.body), { sub: `${server.issuer}${url}`, ttl: 30, status_list: { bits: 1 } })
    const etag = String(response.headers.etag)
    t.match(await server.inject({ url, headers: { 'if-none-match': etag } }), { statusCode: 304, body: '' })
    server.clock.advance(30)
    const later = await server.inject({ url, headers: { 'if-none-match': etag } })
    t.equal(later.statusCode, 200, 'after its ttl it is signed anew, and says so')
    t.ok(Number(claimsOf(later.body).iat) === Number(claimsOf(response.body).iat) + 30)
  },
)

t.test('Token Status List §9: the lists are listed, and discovery says where', async (t) => {
  const { server } = await prepare(t)
  for (const path of ['oauth-authorization-server', 'openid-configuration']) {
    const metadata = (await server.inject({ url: `/.well-known/${path}` })).json()
    t.equal(metadata.status_list_aggregation_endpoint, `${server.issuer}/status-lists`)
  }
  const aggregation = await server.inject({ url: '/status-lists' })
  t.match(aggregation.headers['content-type'], /^application\/json/)
  t.strictSame(aggregation.json(), { status_lists: [`${server.issuer}/status-lists/0`] })
})

t.test('a list that no grant is in is not there', async (t) => {
  const { server, store } = await prepare(t)
  for (const list of ['1', '01', '-1', 'x', '999999999999', '%00', '0%2F..']) {
    t.match(await server.inject({ url: `/status-lists/${list}` }), { statusCode: 404 }, list)
  }
  // Another node has handed out an index beyond what this one has seen.
  await store.createGrant(
    makeGrant({ grant_id: 'far', status_index: LIST_LENGTH + 3, absolute_expires_at: 2e9 }),
    [],
    [],
  )
  for (let leased = 0; leased < LIST_LENGTH; leased += 1) await store.allotStatusIndex()
  server.clock.advance(1)
  t.match(await server.inject({ url: '/status-lists/1' }), { statusCode: 200 })
  t.equal((await server.inject({ url: '/status-lists' })).json().status_lists.length, 2)
})

t.test('what is switched off is not there: no claim, no list, no stream, and discovery is silent', async (t) => {
  const { server, access } = await prepare(t, { status_lists: { enabled: false } })
  t.notHas(claimsOf(access), { status: {} })
  for (const url of ['/status-lists', '/status-lists/0', '/revocations/stream']) {
    t.equal((await server.inject({ url })).statusCode, 404, url)
  }
  const metadata = (await server.inject({ url: '/.well-known/openid-configuration' })).json()
  t.notHas(metadata, { status_list_aggregation_endpoint: '', revocation_stream_endpoint: '' })
})

type Prepared = Awaited<ReturnType<typeof prepare>>
const REVOKED = { because: 'revoked_by_admin', now: 1 } as const

/** Every way in which a grant ends before its time. */
const ENDS: readonly (readonly [string, (s: Prepared) => Promise<unknown>])[] = [
  [
    'its client gives the refresh token up',
    ({ server, refresh }) => server.postJson('/api/token/blacklist/', { refresh }),
  ],
  [
    'an administrator revokes it',
    ({ store, access }) => store.revokeGrant(String(claimsOf(access).grant_id), REVOKED, []),
  ],
  [
    'an administrator revokes those of the account',
    ({ store, account: { account_id } }) => store.revokeGrants({ account_id }, REVOKED, []),
  ],
  [
    'an administrator revokes those of the client',
    ({ store }) => store.revokeGrants({ client_id: 'gatehouse-login' }, REVOKED, []),
  ],
  [
    'an administrator revokes those of the session',
    ({ store, access }) => store.revokeGrants({ session_id: String(claimsOf(access).sid) }, REVOKED, []),
  ],
  ['an administrator revokes what is older', ({ store }) => store.revokeGrants({ issued_before: 4e9 }, REVOKED, [])],
  [
    'a spent refresh token is replayed',
    async ({ server, refresh }) => {
      let next = refresh
      for (const wait of [0, 60]) {
        server.clock.advance(wait)
        next = (await server.postJson('/api/token/refresh/', { refresh: next })).json().refresh
      }
      server.clock.advance(60)
      return server.postJson('/api/token/refresh/', { refresh })
    },
  ],
  ['its account is disabled', ({ store, account: { account_id } }) => store.disableAccount(account_id, 1, [])],
  [
    'the password is changed',
    ({ store, account: { account_id, password_hash } }) =>
      store.replacePasswordHash(
        { account_id, expected: password_hash, password_hash: 'x', now: 1, ends_everything: 'revoked_by_admin' },
        [],
      ),
  ],
  ['its client is deleted', ({ store }) => store.deleteClient('gatehouse-login', 1, [])],
]

for (const [what, end] of ENDS) {
  t.test(`${what}: the bit is set, at once, and no other`, async (t) => {
    const s = await prepare(t)
    await s.server.createAccount({ username: 'bob' })
    const bob = await s.server.signIn('bob')
    t.equal(await isRevokedInList(s.server, s.access), false)
    await end(s)
    t.equal(await isRevokedInList(s.server, s.access), true)
    const ends_all = /of the client|what is older|client is deleted/.test(what)
    t.equal(await isRevokedInList(s.server, bob.access), ends_all)
  })
}

t.test('a revocation by another process is in the list as soon as the database is looked into', async (t) => {
  const { server, access, store } = await prepare(t)
  t.equal(await isRevokedInList(server, access), false)
  await revokeElsewhere(server, String(claimsOf(access).grant_id))
  t.equal(await isRevokedInList(server, access), false, 'not yet')
  await server.deps.revocations.poll()
  t.equal(await isRevokedInList(server, access), true)
  t.ok(store)
})

t.test('a clock that is behind on another node hides no revocation for long', async (t) => {
  const { server, access } = await prepare(t)
  const later = await server.signIn()
  t.equal(await isRevokedInList(server, access), false)
  await server.deps.store.revokeGrant(
    String(claimsOf(later.access).grant_id),
    { ...REVOKED, now: server.clock.now() },
    [],
  )
  await server.deps.revocations.poll()
  await revokeElsewhere(server, String(claimsOf(access).grant_id), server.clock.now() - 3600)
  server.clock.advance(60)
  await server.deps.revocations.poll()
  t.equal(await isRevokedInList(server, access), true)
})

t.test('what was revoked before the start is in the list from the start', async (t) => {
  const { server, access } = await prepare(t)
  await server.deps.store.revokeGrant(String(claimsOf(access).grant_id), REVOKED, [])
  const { createRevocations } = await import('../../server/tokens/revocations.ts')
  const fresh = createRevocations(server.deps)
  await fresh.ready()
  const { idx } = statusOf(access)
  t.equal(((fresh.bits(0).bytes[idx >> 3] ?? 0) >> (idx & 7)) & 1, 1)
})

t.test('many who ask at once cost one signature, and each sees what was acknowledged before it asked', async (t) => {
  const { server, access } = await prepare(t)
  const { uri } = statusOf(access)
  const url = new URL(uri).pathname
  const bodies = await Promise.all(Array.from({ length: 20 }, async () => (await server.inject({ url })).body))
  t.equal(new Set(bodies).size, 1)
  const asked = Array.from({ length: 5 }, () => server.inject({ url }))
  await server.deps.store.revokeGrant(String(claimsOf(access).grant_id), REVOKED, [])
  t.equal(await isRevokedInList(server, access), true)
  await Promise.all(asked)
  t.ok((await readStatusList(server, uri)).lst.length < 200, 'nearly all of it is nought, and compressed')
})

/** Past the driver that tells of revocations, as another process does it. */
async function revokeElsewhere(server: TestApp, grant_id: string, revoked_at = server.clock.now()): Promise<void> {
  const { openDriver } = await import('../../server/storage/open.ts')
  const driver = openDriver({ database: server.deps.config.database })
  const sql = "UPDATE grants SET revoked_at = $2, revoked_because = 'revoked_by_admin' WHERE grant_id = $1"
  await driver.batch([{ sql, values: [grant_id, revoked_at], must_change: 1 }])
  await driver.close()
}
