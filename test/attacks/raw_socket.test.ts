import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { basic, buildTestApp, PASSWORD } from '../helpers/app.ts'

/** Bytes that no HTTP library would send, on a real socket. */

const SECRET = 'a client secret of some length'
const server = await buildTestApp(t, {
  config: {
    http: {
      request_timeout_seconds: 1,
      connection_timeout_seconds: 2,
      keep_alive_timeout_seconds: 1,
      max_event_loop_delay_milliseconds: 0,
    },
    throttle: { client_failures_per_minute: 100_000 },
  },
})
await server.createAccount()
await server.createClient({ client_secret: SECRET })
await server.app.listen({ host: '127.0.0.1', port: 0 })
const address = server.app.server.address()
const port = address !== null && typeof address === 'object' ? address.port : 0

const HOST = 'Host: localhost\r\n'
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n'
const SMUGGLED = `GET /livez HTTP/1.1\r\n${HOST}\r\n`
const post = (headers: string, body: string, path = '/token') =>
  `POST ${path} HTTP/1.1\r\n${HOST}${FORM}${headers}\r\n${body}`

interface Exchange {
  readonly statuses: readonly number[]
  readonly text: string
  /** Milliseconds until the server ended it; undefined when it was still open. */
  readonly closed_after: number | undefined
}

interface Behaviour {
  /** What comes after the first bytes. */
  readonly afterwards?: (socket: Socket) => void
  /** Sent every tenth of a second. */
  readonly drip?: string
  /** Milliseconds without an end after which the socket is left. */
  readonly patience?: number
}

async function exchange(
  bytes: string | Buffer,
  { afterwards, drip, patience = 300 }: Behaviour = {},
): Promise<Exchange> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const received: Buffer[] = []
  const started = performance.now()
  let closed_after: number | undefined
  const end = () => {
    closed_after ??= performance.now() - started
  }
  socket.on('data', (data: Buffer) => received.push(data))
  socket.on('error', end).on('end', end).on('close', end)
  await once(socket, 'connect')
  socket.write(bytes)
  afterwards?.(socket)
  const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 100)
  while (closed_after === undefined && performance.now() - started < patience) await sleep(10)
  clearInterval(dripping)
  socket.destroy()
  const text = Buffer.concat(received).toString('latin1')
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code)), text, closed_after }
}

/** What an honest client does on a socket of its own. */
async function honestWorks(): Promise<boolean> {
  const body = 'grant_type=client_credentials'
  const response = await fetch(`http://127.0.0.1:${port}/token`, {
    method: 'POST',
    headers: { ...basic('service', SECRET), 'content-type': 'application/x-www-form-urlencoded', connection: 'close' },
    body,
  })
  return response.status === 200 && (await response.text()).includes('access_token')
}

async function unharmed(t: Test): Promise<void> {
  t.ok(await honestWorks(), 'the next honest request works')
  const faults = server.logged.filter((line) => /"level":"(?:error|fatal)"/.test(line))
  t.strictSame(faults, [], 'nothing was our fault')
  t.notMatch(server.logged.join(''), /hush-hush/)
  server.logged.length = 0
}

const smuggling: Readonly<Record<string, string>> = {
  'RFC 9112 §6.1: Content-Length and Transfer-Encoding': post(
    'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'RFC 9112 §6.1: Transfer-Encoding before Content-Length': post(
    'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'RFC 9112 §6.1: two Transfer-Encodings': post(
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'RFC 9112 §6.1: an unknown Transfer-Encoding': post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'RFC 9112 §6.1: a Transfer-Encoding behind a control character': post(
    'Transfer-Encoding: \x0bchunked\r\n',
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'RFC 9112 §6.3: two Content-Lengths': post('Content-Length: 4\r\nContent-Length: 40\r\n', `a=bc${SMUGGLED}`),
  'RFC 9112 §6.3: a list of Content-Lengths': post('Content-Length: 4, 4\r\n', `a=bc${SMUGGLED}`),
  'RFC 9110 §8.6: a Content-Length with a sign': post('Content-Length: +4\r\n', `a=bc${SMUGGLED}`),
  'RFC 9110 §8.6: a Content-Length below nothing': post('Content-Length: -1\r\n', `a=bc${SMUGGLED}`),
  'RFC 9110 §8.6: a Content-Length beyond all numbers': post('Content-Length: 99999999999999999999\r\n', SMUGGLED),
  'RFC 9112 §7.1: a chunk size that is no hexadecimal number': post(
    'Transfer-Encoding: chunked\r\n',
    `0x4\r\na=bc\r\n0\r\n\r\n${SMUGGLED}`,
  ),
  'RFC 9112 §7.1: chunks that end in bare line feeds': post(
    'Transfer-Encoding: chunked\r\n',
    `4\na=bc\n0\n\n${SMUGGLED}`,
  ),
  'RFC 9112 §7.1.1: a chunk extension without end': post(
    'Transfer-Encoding: chunked\r\n',
    `4;${'x'.repeat(20_000)}\r\na=bc\r\n0\r\n\r\n${SMUGGLED}`,
  ),
  'RFC 9112 §2.2: lines that end in bare line feeds': `GET /livez HTTP/1.1\n${HOST.replace('\r', '')}\n${SMUGGLED}`,
  'RFC 9112 §2.2: lines that end in bare carriage returns': `GET /livez HTTP/1.1\r${HOST}\r\n${SMUGGLED}`,
  'RFC 9112 §5.1: a space before the colon': `GET /livez HTTP/1.1\r\n${HOST}Content-Length : 4\r\n\r\n${SMUGGLED}`,
  'RFC 9112 §5.2: a folded line': `GET /livez HTTP/1.1\r\n${HOST}X-A: b\r\n Content-Length: 4\r\n\r\n${SMUGGLED}`,
}

t.test('request smuggling: one refusal, and what was hidden behind it is not answered', async (t) => {
  for (const [title, bytes] of Object.entries(smuggling)) {
    const { statuses, closed_after } = await exchange(bytes)
    t.strictSame(statuses, [400], title)
    t.ok(closed_after !== undefined, `${title}: the connection is closed`)
  }
  await unharmed(t)
})

t.test('request smuggling: the same at every route that takes a form', async (t) => {
  const routes = [
    '/authorize',
    '/par',
    '/device_authorization',
    '/userinfo',
    '/login',
    '/consent',
    '/logout',
    '/device',
  ]
  const shapes = Object.entries(smuggling).filter(([, bytes]) => bytes.startsWith('POST /token '))
  t.ok(shapes.length > 10)
  const sent = routes.flatMap((route) =>
    shapes.map(([title, bytes]) => [`${route}: ${title}`, bytes.replace('POST /token ', `POST ${route} `)] as const),
  )
  for (const [title, bytes] of sent) {
    const { statuses, closed_after } = await exchange(bytes)
    if (statuses.join() !== '400' || closed_after === undefined) t.fail(`${title}: ${statuses.join()}`)
  }
  await unharmed(t)
})

const garbage: Readonly<Record<string, [bytes: string | Buffer, statuses: readonly number[]]>> = {
  'no HTTP at all': [Buffer.from([0, 1, 2, 255, 254, 10, 13, 10]), [400]],
  'a TLS hello': [Buffer.from('1603010200010001fc0303', 'hex'), [400]],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  'a method with strange characters': [`A"B{C /livez HTTP/1.1\r\n${HOST}\r\n`, [400]],
  'a method that nobody has registered': [`GRANT /livez HTTP/1.1\r\n${HOST}\r\n`, [400]],
  'a method without end': [`${'A'.repeat(9000)} /livez HTTP/1.1\r\n${HOST}\r\n`, [400]],
  'RFC 9110 §9.3.6: CONNECT': [`CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`, []],
  'RFC 9112 §3.2: no Host': ['GET /livez HTTP/1.1\r\n\r\n', [400]],
  'RFC 9110 §10.1.1: an unknown expectation': [post('Expect: a-miracle\r\nContent-Length: 4\r\n', 'a=bc'), [417]],
  'RFC 9110 §5.5: a NUL in a header': [`GET /livez HTTP/1.1\r\n${HOST}X-A: a\0b\r\n\r\n`, [400]],
  'RFC 9110 §5.5: an escape in a header': [`GET /livez HTTP/1.1\r\n${HOST}User-Agent: \x1b[31m\r\n\r\n`, [400]],
  'a NUL in the address': [`GET /li\0vez HTTP/1.1\r\n${HOST}\r\n`, [400]],
  'a space in the address': [`GET /li vez HTTP/1.1\r\n${HOST}\r\n`, [400]],
  'RFC 6585 §5: a header that is too large': [
    `GET /livez HTTP/1.1\r\n${HOST}X-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    [431],
  ],
  'RFC 6585 §5: headers without end': [`GET /livez HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(3000)}\r\n`, [431]],
  'RFC 6585 §5: an Authorization that is too large': [
    post(`Authorization: Basic ${'A'.repeat(20_000)}\r\nContent-Length: 0\r\n`, ''),
    [431],
  ],
  'an address without end': [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, [431]],
  'RFC 9110 §7.8: an upgrade that is not offered': [
    `GET /livez HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n`,
    [200],
  ],
  'RFC 9112 §3.2.2: an address of another server': [`GET http://evil.example/livez HTTP/1.1\r\n${HOST}\r\n`, [200]],
  'RFC 9112 §3.2.4: the asterisk': [`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, [404]],
  'RFC 9110 §6.5: credentials in a trailer': [
    post('Transfer-Encoding: chunked\r\n', `4\r\na=bc\r\n0\r\nAuthorization: Basic YTpi\r\n\r\n`),
    [401],
  ],
  'a body that was announced as too large': [post('Content-Length: 100000000\r\n', 'a'.repeat(10_000)), [413]],
  'chunks that become too large': [
    post('Transfer-Encoding: chunked\r\n', `1000\r\n${'a'.repeat(4096)}\r\n`.repeat(3)),
    [413],
  ],
  'garbage behind a request': [`${SMUGGLED}GARBAGE hush-hush\r\n\r\n${SMUGGLED}`, [400]],
  'more body than announced': [post('Content-Length: 4\r\n', `a=bc${SMUGGLED}`), [401, 200]],
}

t.test('garbage: the documented status, and nothing of ours breaks', async (t) => {
  for (const [title, [bytes, statuses]] of Object.entries(garbage)) {
    const answer = await exchange(bytes)
    // What was asked properly before the garbage may be answered first.
    const said = title === 'garbage behind a request' ? answer.statuses.slice(-1) : answer.statuses
    t.strictSame(said, statuses, title)
    t.notMatch(answer.text, /evil|hush-hush|node:|\/server\//, `${title}: nothing is echoed, and nothing of ours told`)
  }
  await unharmed(t)
})

const LOGIN = JSON.stringify({ username: 'alice', password: PASSWORD })
const json = (body: string, length = body.length) =>
  `POST /api/token/ HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`

t.test('half a conversation: who is gone costs nothing', async (t) => {
  const half = await exchange(SMUGGLED, { afterwards: (socket) => socket.end() })
  t.strictSame(half.statuses, [200], 'RFC 9112 §9.6: who only listens any more is answered')
  const cut = await exchange(json('{"username":"hush-hush', 400), { afterwards: (socket) => socket.end() })
  t.strictSame(cut.statuses, [400], 'RFC 9112 §8: an incomplete message is one')
  for (const bytes of [json(LOGIN), json('{"username":', 400), post('Content-Length: 4\r\n', 'a=bc'), 'GET /li', '']) {
    const gone = Array.from({ length: 10 }, () => exchange(bytes, { afterwards: (socket) => socket.resetAndDestroy() }))
    for (const { statuses } of await Promise.all(gone)) t.strictSame(statuses, [])
  }
  await sleep(200)
  await unharmed(t)
})

t.test('slow headers, slow bodies and silence are cut', async (t) => {
  const slow: [title: string, bytes: string, drip: string | undefined, statuses: readonly number[]][] = [
    ['headers', 'GET /livez HTTP/1.1\r\n', 'X-A: b\r\n', [408]],
    ['a request line', 'GET /livez', 'a', [408]],
    ['a form', post('Content-Length: 4000\r\n', 'a='), 'b', [408]],
    ['chunks', post('Transfer-Encoding: chunked\r\n', '1\r\na\r\n'), '1\r\na\r\n', [408]],
    ['JSON', json('{', 4000), ' ', [408]],
    ['a body that nobody wants', post('Content-Length: 4000\r\n', 'a', '/nothing'), 'b', [404, 408]],
    ['a body behind a refusal', post('Content-Length: 4000\r\n', 'a', '/admin/api/accounts'), 'b', [401, 408]],
    ['nothing at all', '', undefined, [408]],
    ['nothing after the headers', post('Content-Length: 4000\r\n', ''), undefined, [408]],
  ]
  const patience = 5000
  const started = slow.map(([, bytes, drip]) => exchange(bytes, { patience, ...(drip === undefined ? {} : { drip }) }))
  await sleep(500)
  t.ok(await honestWorks(), 'nobody waits for them')
  const answers = await Promise.all(started)
  for (const [index, [title, , , statuses]] of slow.entries()) {
    const { closed_after = patience, statuses: said } = answers[index] ?? { statuses: [] }
    // A second for the request, and another one until it is noticed.
    t.ok(closed_after < 3500, `${title}: ${Math.round(closed_after)} ms`)
    t.strictSame(said, statuses, title)
  }
  await unharmed(t)
})

t.test('an idle connection is kept for its time, and no longer', async (t) => {
  const { statuses, closed_after = 0 } = await exchange(SMUGGLED, { patience: 5000 })
  t.strictSame(statuses, [200])
  t.ok(closed_after > 900 && closed_after < 4000, `${Math.round(closed_after)} ms`)
  await unharmed(t)
})
