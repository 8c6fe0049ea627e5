import t, { type Test } from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { formatRefreshToken } from '../../server/protocol/refresh_token.ts'
import { basic, buildTestApp, claimsOf, type TestApp } from '../helpers/app.ts'
import { makeGrant } from '../helpers/grant.ts'

/** The decision table over HTTP, for clients of each profile. */
const SECRET = 'a client secret of some length'

interface Holder {
  readonly server: TestApp
  /** The refresh token of a new grant. */
  readonly refresh_token: string
  readonly exchange: (refresh_token: string) => Promise<{ status: number; body: Record<string, string> }>
  readonly generation: () => Promise<number | undefined>
  readonly events: () => Promise<string[]>
}

async function holder(t: Test, client: Partial<Client> & { client_secret?: string }): Promise<Holder> {
  const server = await buildTestApp(t)
  const { deps } = server
  const { account_id } = await server.createAccount()
  await server.createClient(client)
  const grant = makeGrant({
    client_id: 'service',
    account_id,
    resources: [server.issuer],
    created_at: deps.clock.now(),
  })
  await deps.store.createGrant(grant, [], [])
  const { client_secret } = client
  return {
    server,
    refresh_token: formatRefreshToken(grant, deps.vault.refreshTokenMacKey),
    async exchange(refresh_token) {
      const form = { grant_type: 'refresh_token', refresh_token }
      const response =
        client_secret === undefined
          ? await server.postForm('/token', { ...form, client_id: 'service' })
          : await server.postForm('/token', form, basic('service', client_secret))
      return { status: response.statusCode, body: response.json() }
    },
    async generation() {
      return (await deps.store.findGrant(grant.grant_id))?.grant.generation
    },
    async events() {
      const { items } = await deps.store.listAudit({}, { limit: 100, cursor: null })
      return items.map(({ event }) => event).filter((event) => event.startsWith('refresh.'))
    },
  }
}

const REUSED = { status: 400, body: { error: 'invalid_grant', error_description: 'refresh token reused' } }

t.test('of many who refresh at once, all get the one successor', async (t) => {
  const { refresh_token, exchange, generation } = await holder(t, {})
  const answers = await Promise.all(Array.from({ length: 64 }, () => exchange(refresh_token)))
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1)
  t.equal(await generation(), 1)
})

t.test('strict: of many who refresh at once one wins, and the reuse ends the grant', async (t) => {
  const { refresh_token, exchange } = await holder(t, { refresh_token_profile: 'strict' })
  const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(refresh_token)))
  const winners = answers.filter(({ status }) => status === 200)
  t.equal(winners.length, 1)
  t.equal((await exchange(winners[0]?.body.refresh_token ?? '')).status, 400)
})

t.test(
  'RFC 9700 §4.14.2: an authenticated client that sends an old token is refused, and keeps its grant',
  async (t) => {
    const { server, refresh_token, exchange, events } = await holder(t, { client_secret: SECRET })
    const { body } = await exchange(refresh_token)
    server.clock.advance(31)
    t.match(await exchange(refresh_token), REUSED)
    t.equal((await exchange(body.refresh_token ?? '')).status, 200)
    t.ok((await events()).includes('refresh.reused'))
  },
)

t.test('resilient: a response lost for an hour and more is forgiven, once', async (t) => {
  const { server, refresh_token, exchange, events } = await holder(t, { refresh_token_profile: 'resilient' })
  const first = await exchange(refresh_token)
  server.clock.advance(3599)
  const retry = await exchange(refresh_token)
  t.equal(retry.body.refresh_token, first.body.refresh_token)
  t.equal(retry.body.expires_in, 1, 'the first access token has expired; a token is not born dead')
  server.clock.advance(1)
  const late = await exchange(refresh_token)
  t.equal(late.body.refresh_token, first.body.refresh_token)
  t.equal(late.body.expires_in, 300)
  t.match(await exchange(refresh_token), REUSED)
  t.equal((await exchange(first.body.refresh_token ?? '')).status, 400, 'the grant has ended')
  t.strictSame((await events()).toSorted(), [
    'refresh.refused',
    'refresh.resent',
    'refresh.resent_late',
    'refresh.reused',
    'refresh.rotated',
  ])
})

t.test('fixed: the token stays the same, and each use moves its idle lifetime', async (t) => {
  const { server, refresh_token, exchange, generation } = await holder(t, {
    client_secret: SECRET,
    refresh_token_profile: 'fixed',
    refresh_token_idle_seconds: 100,
  })
  for (let i = 0; i < 3; i++) {
    const { status, body } = await exchange(refresh_token)
    t.equal(status, 200)
    t.equal(body.refresh_token, refresh_token)
    t.equal(body.refresh_token_expires_in, 100)
    server.clock.advance(99)
  }
  t.equal(await generation(), 0)
  server.clock.advance(1)
  t.match((await exchange(refresh_token)).body, { error_description: 'expired (idle)' })
})

t.test('a token of a generation that never was is refused, and the log is loud', async (t) => {
  const { server, refresh_token, exchange, events } = await holder(t, {})
  const { grant_id } = makeGrant()
  const future = formatRefreshToken({ grant_id, generation: 7 }, server.deps.vault.refreshTokenMacKey)
  t.match((await exchange(future)).body, { error: 'invalid_grant', error_description: 'refresh token invalid' })
  t.ok((await events()).includes('refresh.impossible_generation'))
  t.equal((await exchange(refresh_token)).status, 200)
})

t.test('a refresh does not end the access tokens before it', async (t) => {
  const { server, refresh_token, exchange } = await holder(t, {})
  const first = await exchange(refresh_token)
  await exchange(first.body.refresh_token ?? '')
  const { statusCode } = await server.postJson('/api/token/verify/', { token: first.body.access_token })
  t.equal(statusCode, 200)
  t.match(claimsOf(first.body.access_token ?? ''), { client_id: 'service', scope: 'read' })
})
