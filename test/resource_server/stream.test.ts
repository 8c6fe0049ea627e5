/** Revocations by the issuer's stream of server-sent events, and by lists while it is down. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { VerifierOptions } from '../../resource_server/options.ts'
import { eventReader } from '../../resource_server/server_sent_events.ts'
import type { Verifier } from '../../resource_server/verifier.ts'
import { type InMemoryIssuer, inMemoryIssuer, PATHS, START, unreachable, verdict } from '../helpers/in_memory_issuer.ts'

const good = 'good'
const CLIENT = { client_id: 'an api', client_secret: 'p:ss wörd' }

interface Stream {
  readonly issuer: InMemoryIssuer
  readonly verifier: Verifier
  /** How many connections there were. */
  readonly connections: () => number
  readonly send: (text: string) => void
  /** Ends the present connection. */
  readonly cut: () => void
  readonly headers: (connection: number) => Headers
}

/** An issuer with a stream, and a verifier that is connected to it. */
async function connected(t: Test, options: Partial<VerifierOptions> = {}): Promise<Stream> {
  const issuer = await inMemoryIssuer(t)
  const controllers: ReadableStreamDefaultController<Uint8Array>[] = []
  issuer.answers.set(PATHS.stream, (_, { signal }) => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controllers.push(controller)
        signal?.addEventListener('abort', () => {
          try {
            controller.error(signal.reason)
          } catch {
            // It is closed already.
          }
        })
      },
    })
    const date = new Date(issuer.clock * 1_000).toUTCString()
    return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8', date } })
  })
  const verifier = issuer.verifier({ status: 'stream', client: CLIENT, reconnect_seconds: 0.01, ...options })
  await until(() => controllers.length === 1)
  await sleep(2)
  const requests = () => issuer.requests.filter(({ path }) => path === PATHS.stream)
  return {
    issuer,
    verifier,
    connections: () => requests().length,
    send: (text) => controllers.at(-1)?.enqueue(Buffer.from(text)),
    cut: () => controllers.at(-1)?.close(),
    headers: (connection) => new Headers(requests()[connection]?.init.headers),
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time')
    await sleep(2)
  }
}

const grant = (issuer: InMemoryIssuer, idx: number, id = idx) =>
  `id: ${id}\nevent: revocation\ndata: {"status_list":{"uri":"${issuer.list_uri}","idx":${idx}}}\n\n`

t.test('RFC 6749 §2.3.1: it authenticates by HTTP Basic, form-encoded, and asks for events', async (t) => {
  const { headers, issuer } = await connected(t)
  const basic = Buffer.from('an+api:p%3Ass+w%C3%B6rd').toString('base64')
  t.equal(headers(0).get('authorization'), `Basic ${basic}`)
  t.equal(headers(0).get('accept'), 'text/event-stream')
  t.equal(headers(0).get('last-event-id'), null)
  t.equal(issuer.problems.length, 0)
})

t.test('or by any method, with form parameters', async (t) => {
  const client = async () => ({ client_assertion_type: 'x', client_assertion: 'signed' })
  const { issuer } = await connected(t, { client })
  const init = issuer.requests.find(({ path }) => path === PATHS.stream)?.init
  t.equal(init?.method, 'POST')
  const body = init?.body instanceof URLSearchParams ? init.body.toString() : undefined
  t.equal(body, 'client_assertion_type=x&client_assertion=signed')
})

t.test('a grant that is revoked is refused at once, whether its list is at hand or not', async (t) => {
  const { issuer, verifier, send } = await connected(t)
  const [known, other] = [await issuer.listed(3), await issuer.listed(4)]
  t.equal(await verdict(verifier, known), good)
  send(grant(issuer, 3))
  await until(async () => (await verdict(verifier, known)) === 'invalid_token: revoked, by the stream')
  t.equal(await verdict(verifier, other), good)
  const uri = `${issuer.issuer}/status-lists/2`
  send(`event: revocation\ndata: {"status_list":{"uri":"${uri}","idx":9}}\n\n`)
  const elsewhere = await issuer.token({ status: { status_list: { idx: 9, uri } } })
  await until(async () => (await verdict(verifier, elsewhere)).includes('by the stream'))
})

t.test('an access token that is revoked alone is refused by its jti, also without a list', async (t) => {
  const { issuer, verifier, send } = await connected(t)
  const one = await issuer.token({ jti: 'one' })
  t.equal(await verdict(verifier, one), good)
  send(`event: revocation\ndata: {"jti":"one","exp":${START + 600}}\n\n`)
  await until(async () => (await verdict(verifier, one)) === 'invalid_token: revoked, by the stream')
  t.equal(await verdict(verifier, await issuer.token({ jti: 'two' })), good)
  const exchanged = (...names: unknown[]) => ({ exchanged_from: names.map((jti) => ({ jti, client_id: 'app' })) })
  const three = await issuer.token({ jti: 'three', ...exchanged('zero', 'one') })
  t.match(await verdict(verifier, three), /by the stream/, 'RFC 8693: so is what it was exchanged for')
  t.equal(await verdict(verifier, await issuer.token({ jti: 'four', ...exchanged('zero', 5) })), good)
  t.equal(await verdict(verifier, await issuer.token({ jti: 'five', exchanged_from: [null, 'one'] })), good)
})

t.test('while it is heard, a list that was made since is not fetched by its ttl, but by its exp', async (t) => {
  const { issuer, verifier } = await connected(t)
  const token = await issuer.listed(5)
  t.equal(await verdict(verifier, token), good)
  // It is hardly younger than the connection: another node may have made it that had not heard of everything.
  issuer.clock += 60
  t.equal(await verdict(verifier, token), good)
  t.equal(issuer.asked(PATHS.list), 2)
  issuer.clock += 2_000
  t.equal(await verdict(verifier, token), good)
  t.equal(issuer.asked(PATHS.list), 2, 'not by its ttl')
  issuer.clock += 1_600
  t.equal(await verdict(verifier, token), good)
  t.equal(issuer.asked(PATHS.list), 3, 'by its exp')
})

t.test('while it is down, lists count by their ttl again', async (t) => {
  const { issuer, verifier, cut } = await connected(t)
  const token = await issuer.listed(5)
  issuer.clock += 6
  t.equal(await verdict(verifier, token), good)
  issuer.clock += 1_000
  t.equal(await verdict(verifier, token), good)
  t.equal(issuer.asked(PATHS.list), 1)
  issuer.answers.set(PATHS.stream, unreachable)
  cut()
  issuer.revoked.add(5)
  await until(() => issuer.problems.length > 0)
  t.equal(await verdict(verifier, token), 'invalid_token: revoked, by the status list')
})

t.test('HTML §9.2.4: it comes back by itself, and says where it was', async (t) => {
  const { issuer, verifier, send, cut, connections, headers } = await connected(t)
  const token = await issuer.listed(8)
  t.equal(await verdict(verifier, token), good)
  send(grant(issuer, 7, 41))
  send('id: 42\n\n')
  await sleep(5)
  cut()
  await until(() => connections() === 2)
  t.equal(headers(1).get('last-event-id'), '42')
  await sleep(5)
  send(grant(issuer, 8, 43) + grant(issuer, 8, 43))
  await until(async () => (await verdict(verifier, token)).includes('by the stream'))
})

t.test('without a cursor it cannot know what it missed: lists count by their ttl until they are newer', async (t) => {
  const { issuer, verifier, cut, connections } = await connected(t)
  issuer.clock += 6
  const token = await issuer.listed(5)
  await verifier.verify(token)
  issuer.clock += 100
  issuer.revoked.add(5)
  cut()
  await until(() => connections() === 2)
  await sleep(5)
  t.equal(await verdict(verifier, token), 'invalid_token: revoked, by the status list')
})

t.test('reset: every list is read anew, past caches', async (t) => {
  const { issuer, verifier, send } = await connected(t)
  issuer.clock += 6
  const token = await issuer.listed(5)
  await verifier.verify(token)
  issuer.revoked.add(5)
  issuer.clock += 10
  send('id: 90\nevent: reset\ndata: {}\n\n')
  await until(async () => (await verdict(verifier, token)) === 'invalid_token: revoked, by the status list')
  t.equal(issuer.asked(PATHS.list), 2)
  t.equal(new Headers(issuer.requests.at(-1)?.init.headers).get('cache-control'), 'no-cache')
})

t.test('a stream on which nothing comes is dead, and a heartbeat keeps it alive', async (t) => {
  const { connections, send, issuer } = await connected(t, { heartbeat_seconds: 0.5 })
  for (let times = 0; times < 8; times += 1) {
    send(': heartbeat\n\n')
    await sleep(100)
  }
  t.equal(connections(), 1)
  await until(() => connections() === 2)
  t.match(issuer.problems[0], /no heartbeat/)
})

t.test('an issuer that refuses is not asked again at once, and lists do', async (t) => {
  for (const status of [401, 403]) {
    const issuer = await inMemoryIssuer(t)
    issuer.answers.set(PATHS.stream, () => new Response('', { status }))
    const verifier = issuer.verifier({ status: 'stream', client: CLIENT, reconnect_seconds: 0.001 })
    await until(() => issuer.problems.length > 0)
    issuer.revoked.add(5)
    t.match(await verdict(verifier, await issuer.listed(5)), /by the status list/)
    await sleep(20)
    t.equal(issuer.asked(PATHS.stream), 1)
  }
})

t.test('an answer that is no stream is none; the waits grow', async (t) => {
  const issuer = await inMemoryIssuer(t)
  issuer.answers.set(PATHS.stream, () => Response.json({}))
  issuer.verifier({ status: 'stream', client: CLIENT, reconnect_seconds: 0.01 })
  await sleep(200)
  // 5–10, 10–20, 20–40, 40–80, 80–160 ms, and so on: without growth it would be twenty times.
  t.ok(issuer.asked(PATHS.stream) >= 3 && issuer.asked(PATHS.stream) <= 8, `${issuer.asked(PATHS.stream)} times`)
})

t.test('nonsense on the stream breaks nothing', async (t) => {
  const { issuer, verifier, send, connections } = await connected(t)
  const nonsense = [
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"status_list":5}',
    '{"status_list":{"uri":5,"idx":1}}',
    '{"jti":5,"exp":1}',
    '{"jti":"x"}',
  ]
  for (const data of nonsense) send(`event: revocation\ndata: ${data}\n\n`)
  send(`event: something else\ndata: {"jti":"token_1","exp":${START + 600}}\n\n`)
  send(grant(issuer, 3))
  const token = await issuer.listed(3)
  await until(async () => (await verdict(verifier, token)).includes('by the stream'))
  t.equal(await verdict(verifier, await issuer.token()), good)
  t.equal(connections(), 1)
})

t.test('close() ends it', async (t) => {
  const { verifier, connections, cut } = await connected(t)
  verifier.close()
  try {
    cut()
  } catch {
    // It is closed already.
  }
  await sleep(50)
  t.equal(connections(), 1)
})

t.test('HTML §9.2.6: events are read in any pieces and with any line breaks', async (t) => {
  const text =
    ': a comment\nid: 1\nevent: revocation\ndata: one\ndata:two\n\nid: 2\ndata\n\ndata: three\r\n\r\nevent: x\rdata: four\r\r: end\n'
  const events = [
    { event: 'revocation', data: 'one\ntwo' },
    { event: 'message', data: '' },
    { event: 'message', data: 'three' },
    { event: 'x', data: 'four' },
  ]
  for (let length = 1; length <= text.length; length += 1) {
    const reader = eventReader()
    const read = []
    for (let at = 0; at < text.length; at += length) read.push(...reader.read(text.slice(at, at + length)))
    t.strictSame(read, events, `${length} characters at a time`)
    t.equal(reader.last_event_id, '2')
  }
  const reader = eventReader('before')
  t.strictSame(reader.read('event: x\n\ndata: half'), [], 'no data is no event, nor is half of one')
  t.equal(reader.last_event_id, 'before')
  t.throws(() => eventReader().read('x'.repeat(70_000)), 'an event has a limit')
  t.throws(() => eventReader().read('data: x\n'.repeat(70_000)))
})
