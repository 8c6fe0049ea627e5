import t, { type Test } from 'tap'
import { basic, buildTestApp, PASSWORD } from '../helpers/app.ts'

/** What a stranger can make this server write down, or look up, is limited. */

const SECRET = 'a client secret of some length'

async function prepare(t: Test) {
  const server = await buildTestApp(t, { config: { http: { max_event_loop_delay_milliseconds: 0 } } })
  await server.createAccount()
  await server.createClient({ client_secret: SECRET })
  const ask = async (client_id: string, secret: string) =>
    (await server.postForm('/token', { grant_type: 'client_credentials' }, basic(client_id, secret))).statusCode
  return { server, ask }
}

t.test('RFC 6749 §2.3.1: made-up clients fill no audit trail, and lock no honest one out', async (t) => {
  const { server, ask } = await prepare(t)
  const statuses: number[] = []
  for (let name = 0; name < 130; name += 1) statuses.push(await ask(`nobody${name}`, 'wrong'))
  t.equal(statuses.filter((status) => status === 401).length, 100)
  t.equal(statuses.filter((status) => status === 429).length, 30)
  const { items } = await server.deps.store.listAudit({ event: 'client_auth.refused' }, { limit: 200, cursor: null })
  t.equal(items.length, 100)
  t.equal(await ask('service', SECRET), 200, 'an honest client beside them')
  server.clock.advance(60)
  t.equal(await ask('nobody', 'wrong'), 401, 'a minute later all is as before')
})

t.test('who it was that nobody knows is in the record: short, and never a secret in the wrong place', async (t) => {
  const { server, ask } = await prepare(t)
  for (const name of ['serwice', 'x'.repeat(5000), 'gth_cs_0FPC1_UqPqBccJMuITTxVlOcme']) await ask(name, 'wrong')
  await ask('service', 'wrong')
  const { items } = await server.deps.store.listAudit({ event: 'client_auth.refused' }, { limit: 9, cursor: null })
  t.match(items.toReversed(), [
    { client_id: 'serwice', actor: null, detail: '{"reason":"unknown client"}' },
    { client_id: `${'x'.repeat(200)}…`, actor: null },
    { client_id: '[redacted]', actor: null },
    { client_id: 'service', actor: 'service' },
  ])
})

t.test('RFC 6749 §2.3.1: beyond the limit of its address, one wrong guess locks that client there', async (t) => {
  const { server, ask } = await prepare(t)
  for (let name = 0; name < 100; name += 1) await ask(`nobody${name}`, 'wrong')
  t.equal(await ask('service', 'wrong'), 429)
  t.equal(await ask('service', SECRET), 429, 'a right guess among many is not let in')
  const elsewhere = await server.inject({
    method: 'POST',
    url: '/token',
    remoteAddress: '203.0.113.9',
    headers: { ...basic('service', SECRET), 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'grant_type=client_credentials',
  })
  t.equal(elsewhere.statusCode, 200)
  server.clock.advance(60)
  t.equal(await ask('service', SECRET), 200)
})

t.test('RFC 8707 §2: the resources of one request are counted before they are looked up', async (t) => {
  const { server } = await prepare(t)
  const many = Array.from({ length: 33 }, (_, index) => `https://r${index}.example`)
  const form = new URLSearchParams([
    ['grant_type', 'client_credentials'],
    ...many.map((resource) => ['resource', resource]),
  ])
  const refused = await server.postForm('/token', form.toString(), basic('service', SECRET))
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { error: 'invalid_target', error_description: 'too many resources' })
  const signIn = { username: 'alice', password: PASSWORD }
  const login = await server.postJson('/api/token/', { ...signIn, resource: many })
  t.strictSame(login.json(), { resource: ['too many resources'] })
  const known = Array.from({ length: 32 }, () => server.issuer)
  t.equal((await server.postJson('/api/token/', { ...signIn, resource: known })).statusCode, 200)
})
