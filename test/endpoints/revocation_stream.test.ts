import { once } from 'node:events'
import t, { type Test } from 'tap'
import { basic, buildTestApp, claimsOf, NOW, type TestApp } from '../helpers/app.ts'
import { statusOf } from '../helpers/status_list.ts'

const SECRET = 'a client secret of some length'
const API = 'https://api.example.com'
const STREAM = '/revocations/stream'

interface Event {
  readonly id?: string
  readonly event?: string
  readonly data?: string
}

/** A server on a socket, with a resource server that listens to it. */
async function prepare(t: Test, config = {}) {
  const server = await buildTestApp(t, { config })
  await server.createAccount()
  await server.createClient({ client_id: 'listener', client_secret: SECRET })
  await server.createClient({ client_id: 'stranger', client_secret: SECRET })
  await server.deps.store.createResource(
    {
      resource: API,
      scopes: ['read'],
      access_token_seconds: null,
      signing_alg: 'RS256',
      introspection_clients: ['listener'],
      authorization_details_types: [],
      claims: {},
      token_typ: 'at+jwt',
      created_at: NOW,
      updated_at: NOW,
    },
    [],
  )
  const origin = await server.app.listen({ port: 0, host: '127.0.0.1' })
  return { server, origin }
}

/** Server-sent events, read as their specification says. */
async function listen(
  t: Test,
  origin: string,
  init: { method?: string; body?: URLSearchParams; headers?: Record<string, string> } = {},
) {
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  const headers = { ...basic('listener', SECRET), ...init.headers }
  const response = await fetch(`${origin}${STREAM}`, { ...init, headers, signal: abort.signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<Event | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const lines = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const fields = lines.filter((line) => !line.startsWith(':')).map((line) => line.split(/: (.*)/s).slice(0, 2))
        if (fields.length > 0) return Object.fromEntries(fields)
        continue
      }
      const chunk = await reader?.read().catch(() => undefined)
      if (chunk === undefined || chunk.done) return undefined
      text += chunk.value
    }
  }
  return { response, next, stop: () => abort.abort() }
}

const revoke = ({ deps, clock }: TestApp, access: string) =>
  deps.store.revokeGrant(String(claimsOf(access).grant_id), { because: 'revoked_by_admin', now: clock.now() }, [])

const dataOf = (event: Event | undefined) => JSON.parse(event?.data ?? 'null')

t.test('a resource server hears of each revocation, after it has been committed', async (t) => {
  const { server, origin } = await prepare(t)
  const stream = await listen(t, origin)
  t.equal(stream.response.status, 200)
  t.match(stream.response.headers.get('content-type'), /^text\/event-stream/)
  t.equal(stream.response.headers.get('cache-control'), 'no-store')
  t.match(await stream.next(), { event: 'reset', id: String(NOW), data: '{}' }, 'what was before, the lists say')
  const { access } = await server.signIn()
  await revoke(server, access)
  const event = await stream.next()
  t.match(event, { event: 'revocation', id: String(NOW) })
  t.strictSame(dataOf(event), { status_list: statusOf(access) })
})

t.test(
  'RFC 7009 §2: one access token that is revoked is named by its jti, until when it would have lived',
  async (t) => {
    const { server, origin } = await prepare(t)
    const first = await server.signIn()
    const second = await server.signIn()
    const revokeToken = (token: string) => server.postForm('/revoke', { token, client_id: 'gatehouse-login' })
    await revokeToken(first.access)
    const stream = await listen(t, origin)
    await stream.next()
    const { jti, exp } = claimsOf(first.access)
    t.strictSame(dataOf(await stream.next()), { jti, exp }, 'who is new hears of those that live: no list has them')
    await revokeToken(second.access)
    t.strictSame(dataOf(await stream.next()), { jti: claimsOf(second.access).jti, exp: claimsOf(second.access).exp })
    server.clock.advance(301)
    const late = await listen(t, origin)
    t.match(await late.next(), { event: 'reset' })
    await revoke(server, first.access)
    t.match(dataOf(await late.next()), { status_list: {} }, 'what has expired is not told')
  },
)

t.test('who comes again hears of what was revoked meanwhile', async (t) => {
  const { server, origin } = await prepare(t)
  const first = await listen(t, origin)
  const { id } = (await first.next()) ?? {}
  first.stop()
  const { access } = await server.signIn()
  await revoke(server, access)
  for (const again of [
    await listen(t, origin, { headers: { 'last-event-id': id ?? '' } }),
    await listen(t, origin, { method: 'POST', body: new URLSearchParams({ last_event_id: id ?? '' }) }),
  ]) {
    const event = await again.next()
    t.equal(event?.event, 'revocation')
    t.strictSame(dataOf(event), { status_list: statusOf(access) })
  }
})

t.test('an id that is none, or lies ahead, begins anew', async (t) => {
  const { origin } = await prepare(t)
  for (const id of ['x', '-1', String(NOW + 1), '1e3', '9'.repeat(20), '']) {
    const stream = await listen(t, origin, { headers: { 'last-event-id': id } })
    t.match(await stream.next(), { event: 'reset' }, id)
    stream.stop()
  }
})

t.test('who has missed too much is told to read the lists', async (t) => {
  const { server, origin } = await prepare(t)
  const { store } = server.deps
  const tokens = Array.from({ length: 5001 }, (_, index) => ({ jti: `t${index}`, expires_at: NOW, now: NOW }))
  await Promise.all(tokens.map((token) => store.revokeAccessToken(token, [])))
  const stream = await listen(t, origin, { headers: { 'last-event-id': String(NOW - 1) } })
  t.match(await stream.next(), { event: 'reset' })
})

t.test('only resource servers may listen', async (t) => {
  const { server, origin } = await prepare(t)
  await server.createClient({ client_id: 'public' })
  await server.createClient({ client_id: 'reader', client_secret: SECRET, scope: 'gatehouse:read' })
  const for_people = { grant_types: ['authorization_code'], redirect_uris: ['https://console.example/cb'] }
  const delegate = { ...for_people, client_id: 'console', client_secret: SECRET, scope: 'openid gatehouse:read' }
  await server.createClient(delegate)
  await server.createClient({ client_id: API, client_secret: SECRET })
  const statusFor = async (headers: Record<string, string>) => {
    const { response, stop } = await listen(t, origin, { headers })
    stop()
    return response.status
  }
  t.equal(await statusFor(basic('stranger', SECRET)), 403)
  t.equal(await statusFor(basic('listener', 'wrong')), 401)
  t.equal(await statusFor({ authorization: '' }), 401)
  t.equal(await statusFor(basic('reader', SECRET)), 200)
  t.equal(await statusFor(basic('console', SECRET)), 403, 'what people may delegate to it is not its own')
  t.equal(await statusFor(basic(API, SECRET)), 200, 'the resource itself')
  const form = { method: 'POST', body: new URLSearchParams({ client_id: 'public' }), headers: { authorization: '' } }
  t.equal((await listen(t, origin, form)).response.status, 401, 'who shows nothing')
  t.equal((await server.inject({ method: 'DELETE', url: STREAM })).statusCode, 405)
})

t.test('so many streams, and no more', async (t) => {
  const { origin } = await prepare(t, { status_lists: { max_streams: 2 } })
  const open = [await listen(t, origin), await listen(t, origin)]
  const { response } = await listen(t, origin)
  t.equal(response.status, 503)
  t.equal(response.headers.get('retry-after'), '5')
  open[0]?.stop()
  for (let tries = 0; tries < 50; tries += 1) {
    const again = await listen(t, origin)
    if (again.response.status === 200) return t.pass('a place that was given up is free')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.fail('the place was never free')
})

t.test('a server that ends does not wait for those who listen', async (t) => {
  const { server, origin } = await prepare(t)
  const stream = await listen(t, origin)
  await stream.next()
  const closed = server.app.close()
  t.equal(await stream.next(), undefined)
  await closed
})

t.test('a stream outlives the time in which others have to be answered', async (t) => {
  const http = { request_timeout_seconds: 1, handler_timeout_seconds: 1 }
  const { server, origin } = await prepare(t, { http })
  const stream = await listen(t, origin)
  await stream.next()
  await new Promise((resolve) => setTimeout(resolve, 3200))
  const { access } = await server.signIn()
  await revoke(server, access)
  t.match(await stream.next(), { event: 'revocation' })
})

t.test('a reader that does not read is cut off, and nothing grows without end', async (t) => {
  const { server, origin } = await prepare(t)
  const { connect } = await import('node:net')
  const { port } = new URL(origin)
  const socket = connect(Number(port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  const { authorization } = basic('listener', SECRET)
  socket.write(`GET ${STREAM} HTTP/1.1\r\nhost: localhost\r\nauthorization: ${authorization}\r\n\r\n`)
  await once(socket, 'readable')
  socket.pause()
  const closed = once(socket, 'close')
  const { revocations, store } = server.deps
  await revocations.ready()
  for (let round = 0; round < 40; round += 1) {
    const many = Array.from({ length: 4000 }, (_, index) => ({
      jti: `${round}-${index}-${'x'.repeat(40)}`,
      expires_at: NOW + 60,
      now: NOW,
    }))
    await Promise.all(many.map((token) => store.revokeAccessToken(token, [])))
  }
  socket.resume()
  socket.on('data', () => undefined)
  await closed
  t.pass('cut')
})
