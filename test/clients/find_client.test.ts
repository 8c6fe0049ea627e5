import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { findClient } from '../../server/clients/find_client.ts'
import { buildTestApp } from '../helpers/app.ts'

interface Answer {
  readonly status?: number
  readonly body?: string | object
  readonly headers?: Record<string, string>
}

/** A server of documents on a real socket, and one of ours that may fetch from it. */
async function prepare(t: Test, changes: { metadata_documents?: boolean; max_per_hour?: number } = {}) {
  const answers = new Map<string, Answer>()
  const asked: string[] = []
  const host = createServer((request, response) => {
    const url = request.url ?? ''
    asked.push(url)
    const { status = 200, body = '', headers = {} } = answers.get(url) ?? { status: 404 }
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => host.close(resolve)))
  const origin = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
  const server = await buildTestApp(t, {
    config: {
      registration: { metadata_documents: true, scope: 'openid read', ...changes },
      outbound: { allow: [new URL(origin).host] },
    },
  })
  /** @returns the client_id */
  const publish = (path: string, members: object = {}, answer: Answer = {}) => {
    const client_id = `${origin}${path}`
    const body = { client_id, client_name: 'Agent', redirect_uris: ['http://localhost/callback'], ...members }
    answers.set(path, { body, ...answer })
    return client_id
  }
  return { server, origin, answers, asked, publish, find: (client_id: string) => findClient(server.deps, client_id) }
}

const refused = (description: RegExp) => ({ code: 'invalid_client', status: 400, description })

t.test('Client ID Metadata Document §4: the document at its address registers a client', async (t) => {
  const { server, publish, find, asked } = await prepare(t)
  const client_id = publish('/agent.json', { first_party: true, scope: 'read write', nonsense: 1 })
  const client = await find(client_id)
  t.match(client, {
    client_id,
    client_name: 'Agent',
    origin: 'metadata_document',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    client_secret_digest: null,
    first_party: false,
    scope: 'read',
  })
  t.same(await find(client_id), { ...client, last_used_at: server.clock.now() })
  t.strictSame(asked, ['/agent.json'], 'it is kept')
})

t.test(
  '§4.4: it is fetched again when it has expired, no sooner than in 5 minutes, no later than in a day',
  async (t) => {
    const { server, publish, find, asked } = await prepare(t)
    const lifetimes: [string | undefined, number][] = [
      [undefined, 300],
      ['no-store', 300],
      ['public, max-age=600', 600],
      ['max-age=999999999', 86_400],
      ['s-max-age=7', 300],
    ]
    for (const [index, [cache_control, seconds]] of lifetimes.entries()) {
      const headers = cache_control === undefined ? {} : { 'cache-control': cache_control }
      const client_id = publish(`/${index}`, {}, { headers })
      const client = await find(client_id)
      t.equal(client?.metadata_expires_at, server.clock.now() + seconds, String(cache_control))
    }
    const client_id = publish('/0', { client_name: 'Renamed' })
    t.match(await find(client_id), { client_name: 'Agent' })
    server.clock.advance(300)
    t.match(await find(client_id), { client_name: 'Renamed' })
    t.equal(asked.filter((url) => url === '/0').length, 2)
  },
)

t.test('§4.1: what registers nothing is refused with a clear sentence, and stored nowhere', async (t) => {
  const { server, publish, find, answers, origin } = await prepare(t)
  const wrong: [string, RegExp][] = [
    [publish('/other', { client_id: `${origin}/agent` }), /not valid: client_id is not the address/],
    [publish('/secret', { client_secret: 'x' }), /client_secret does not belong/],
    [publish('/basic', { token_endpoint_auth_method: 'client_secret_basic' }), /needs a secret/],
    [publish('/jwt', { token_endpoint_auth_method: 'client_secret_jwt' }), /needs a secret/],
    [publish('/redirects', { redirect_uris: [] }), /redirect_uris needs at least one/],
    [publish('/script', { redirect_uris: ['javascript:alert(1)'] }), /scheme javascript/],
    [publish('/array', {}, { body: [] }), /not a JSON object/],
    [publish('/broken', {}, { body: '{' }), /could not be fetched/],
    [publish('/html', {}, { headers: { 'content-type': 'text/html' } }), /could not be fetched/],
    [publish('/large', { contacts: ['x'.repeat(70_000)] }), /could not be fetched/],
    [publish('/moved', {}, { status: 302, headers: { location: '/agent' } }), /could not be fetched/],
    [`${origin}/nothing`, /could not be fetched/],
  ]
  for (const [client_id, description] of wrong) {
    await t.rejects(find(client_id), refused(description), client_id)
    t.equal(await server.deps.store.findClient(client_id), undefined)
  }
  answers.clear()
})

t.test('one that has failed is left alone for seconds; one that fails later is believed an hour more', async (t) => {
  const { server, publish, find, answers, asked } = await prepare(t)
  const client_id = publish('/agent', {}, { status: 500 })
  await t.rejects(find(client_id), refused(/fetched/))
  publish('/agent')
  await t.rejects(find(client_id), refused(/fetched/))
  t.equal(asked.length, 1)
  server.clock.advance(15)
  t.match(await find(client_id), { client_id })
  answers.clear()
  server.clock.advance(300)
  t.match(await find(client_id), { client_id }, 'stale')
  server.clock.advance(3600)
  await t.rejects(find(client_id), refused(/fetched/))
})

t.test('whoever asks at the same time waits for one fetch', async (t) => {
  const { publish, find, asked } = await prepare(t)
  const client_id = publish('/agent')
  const found = await Promise.all(Array.from({ length: 20 }, () => find(client_id)))
  t.ok(found.every((client) => client?.client_id === client_id))
  t.equal(asked.length, 1)
})

t.test('strangers cannot make up clients without end', async (t) => {
  const { publish, find, server } = await prepare(t, { max_per_hour: 2 })
  const [one, two, three] = [publish('/1'), publish('/2'), publish('/3')]
  await find(one)
  await find(two)
  await t.rejects(find(three), { code: 'temporarily_unavailable' })
  server.clock.advance(3601)
  t.match(await find(three), { client_id: three })
})

t.test('hosts that never answer leave room for all other fetches', async (t) => {
  const { promise: never, reject } = Promise.withResolvers<never>()
  const outbound = { getJson: () => never, postSet: async () => ({ status: 202, text: '' }), postForm: async () => {} }
  const { deps } = await buildTestApp(t, { outbound, config: { registration: { metadata_documents: true } } })
  const waiting = Array.from({ length: 16 }, (_, n) => findClient(deps, `https://slow.example/${n}`))
  const ended = Promise.allSettled([...waiting, findClient(deps, 'https://slow.example/0')])
  await setTimeout(50)
  await t.rejects(findClient(deps, 'https://slow.example/16'), { code: 'temporarily_unavailable', retry_after: 1 })
  reject(new Error('no answer in time'))
  t.ok((await ended).every(({ status }) => status === 'rejected'))
  await t.rejects(findClient(deps, 'https://slow.example/16'), refused(/fetched/), 'and is not remembered')
})

t.test("an administrator's client keeps its URL, and nothing is fetched while documents are off", async (t) => {
  const { server, publish, find, asked } = await prepare(t)
  const client_id = publish('/admin')
  await server.createClient({ client_id, client_name: 'By hand' })
  t.match(await find(client_id), { client_name: 'By hand' })
  const off = await prepare(t, { metadata_documents: false })
  t.equal(await off.find(off.publish('/agent')), undefined)
  t.strictSame([...asked, ...off.asked], [])
})

t.test('a client that an administrator has disabled stays so', async (t) => {
  const { server, publish, find } = await prepare(t)
  const client_id = publish('/agent')
  t.match(await find(client_id), { disabled_at: null })
  t.equal(await server.deps.store.disableClient(client_id, 1, []), 'disabled')
  server.clock.advance(300)
  t.match(await find(client_id), { disabled_at: 1 })
})

t.test('that a registered client is in use is noted once a day', async (t) => {
  const { server, find } = await prepare(t)
  await server.createClient({ client_id: 'registered', origin: 'registered' })
  await server.createClient({ client_id: 'by-hand' })
  const used = async (client_id: string) => {
    await find(client_id)
    return (await server.deps.store.findClient(client_id))?.last_used_at
  }
  const start = server.clock.now()
  t.equal(await used('registered'), start)
  server.clock.advance(86_399)
  t.equal(await used('registered'), start)
  server.clock.advance(1)
  t.equal(await used('registered'), start + 86_400)
  t.equal(await used('by-hand'), null)
})
