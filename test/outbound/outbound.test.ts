import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createOutbound, OutboundError, type Resolve } from '../../server/outbound/outbound.ts'
import { certificateMaker } from '../helpers/certificates.ts'

const LIMITS = { allow: [] as string[], timeout_seconds: 1, max_bytes: 1024 }

async function listen(t: Test, server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => new Promise((done) => server.close(done).closeAllConnections()))
  return (server.address() as AddressInfo).port
}

/** A server on loopback, which the operator allows. */
async function prepare(t: Test, listener: RequestListener) {
  const port = await listen(t, createServer(listener))
  const outbound = createOutbound({ ...LIMITS, allow: [`localhost:${port}`] })
  return { outbound, port, url: `http://localhost:${port}/keys?x=1` }
}

const json = (body: string, headers: Record<string, string> = {}): RequestListener => {
  return (_request, response) => response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)
}

const refuses = (t: Test, promise: Promise<unknown>, message: RegExp, title: string) =>
  t.rejects(promise, { name: 'OutboundError', message }, title)

t.test('a JSON document is fetched, with nothing in the request that says more than it must', async (t) => {
  const { outbound, url } = await prepare(t, ({ url, headers, method }, response) => {
    const { cookie, authorization, ...others } = headers
    const seen = JSON.stringify({ url, method, names: Object.keys(others).sort(), cookie, authorization })
    response.writeHead(200, { 'content-type': 'application/jwk-set+json', 'cache-control': 'max-age=60' }).end(seen)
  })
  const { json, cache_control } = await outbound.getJson(url)
  t.same(json, { url: '/keys?x=1', method: 'GET', names: ['accept', 'connection', 'host', 'user-agent'] })
  t.equal(cache_control, 'max-age=60')
})

t.test('a form is posted, and any 2xx will do', async (t) => {
  let body = ''
  const { outbound, url } = await prepare(t, (request, response) => {
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => response.writeHead(204).end())
  })
  await outbound.postForm(url, { logout_token: 'a b&c' })
  t.equal(body, 'logout_token=a+b%26c')
})

t.test('RFC 9700 §4.16: no redirect is followed', async (t) => {
  let asked = 0
  const { outbound, url } = await prepare(t, (_request, response) => {
    asked += 1
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  await refuses(t, outbound.getJson(url), /answered with 302/, 'get')
  await refuses(t, outbound.postForm(url, {}), /answered with 302/, 'post')
  t.equal(asked, 2)
})

t.test('what is not JSON, by name or by nature, is refused', async (t) => {
  for (const type of ['text/html', 'application/jsonp', 'application/octet-stream', '']) {
    const { outbound, url } = await prepare(t, json('{}', { 'content-type': type }))
    await refuses(t, outbound.getJson(url), /not of a JSON type/, type)
  }
  const { outbound, url } = await prepare(t, json('{'))
  await refuses(t, outbound.getJson(url), /not JSON/, 'half an object')
})

t.test('more than outbound.max_bytes is not read, announced or not', async (t) => {
  const padding = ' '.repeat(LIMITS.max_bytes)
  const announced = await prepare(t, json(`{}${padding}`, { 'content-length': String(LIMITS.max_bytes + 2) }))
  await t.rejects(announced.outbound.getJson(announced.url), OutboundError)
  const chunked = await prepare(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{}')
    response.end(padding)
  })
  await t.rejects(chunked.outbound.getJson(chunked.url), OutboundError)
  const enough = await prepare(t, json(`{}${' '.repeat(LIMITS.max_bytes - 2)}`))
  t.same((await enough.outbound.getJson(enough.url)).json, {})
})

t.test('an answer that takes longer than outbound.timeout_seconds is given up', async (t) => {
  const { outbound, url } = await prepare(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  })
  const started = performance.now()
  await refuses(t, outbound.getJson(url), /in time/, 'an answer that does not end')
  t.ok(performance.now() - started < 3000)
  const lost = createOutbound({ ...LIMITS }, (_hostname, signal) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))))
  })
  await refuses(t, lost.getJson('https://slow.example/'), /in time/, 'a name that is not resolved')
})

t.test('only https, and no credentials in the URL', async (t) => {
  const { port } = await prepare(t, json('{}'))
  const outbound = createOutbound({ ...LIMITS, allow: ['localhost'] })
  await refuses(t, outbound.getJson('http://example.com/'), /https/, 'http to a host that is not allowed')
  await refuses(t, outbound.getJson('ftp://localhost/'), /https/, 'another scheme')
  await refuses(t, outbound.getJson('file:///etc/passwd'), /https/, 'a file')
  await refuses(t, outbound.getJson(`http://a:b@localhost:${port}/`), /credentials/, 'credentials')
  await refuses(t, outbound.getJson('nonsense'), /not a URL/, 'no URL')
  await refuses(t, outbound.getJson(`https://example.com/${'a'.repeat(3000)}`), /not a URL/, 'too long')
})

t.test('a host that is not on the public internet is not connected to, by name or by number', async (t) => {
  let connected = 0
  const server = createServer(json('{}'))
  server.on('connection', () => {
    connected += 1
  })
  const port = await listen(t, server)
  const names: Record<string, string[]> = {
    'inside.example': ['127.0.0.1'],
    'both.example': ['1.1.1.1', '127.0.0.1'],
    'mapped.example': ['::ffff:127.0.0.1'],
    'nowhere.example': [],
  }
  const resolve: Resolve = async (hostname) => names[hostname] ?? []
  const outbound = createOutbound(LIMITS, resolve)
  const literals = ['127.0.0.1', '2130706433', '0x7f.1', '0177.1', '127.0.0.1.', '[::1]', '[::ffff:127.0.0.1]', '0']
  for (const host of [...literals, 'inside.example', 'both.example', 'mapped.example']) {
    await refuses(t, outbound.getJson(`https://${host}:${port}/`), /public internet/, host)
  }
  await refuses(t, outbound.getJson(`https://nowhere.example:${port}/`), /no address/, 'a name without an address')
  t.equal(connected, 0)
})

t.test('outbound.allow names a host, or a host with one port, exactly', async (t) => {
  const { port } = await prepare(t, json('{}'))
  const with_allow = (...allow: string[]) => createOutbound({ ...LIMITS, allow }, async () => [])
  const url = `http://localhost:${port}/`
  for (const allow of ['localhost', 'LOCALHOST', `localhost:${port}`]) {
    t.same((await with_allow(allow).getJson(url)).json, {}, allow)
  }
  for (const allow of [`localhost:${port + 1}`, 'host', 'localhost.', `127.0.0.1:${port}`, '*']) {
    await t.rejects(with_allow(allow).getJson(url), OutboundError, allow)
  }
  t.same((await with_allow('127.0.0.1').getJson(`http://127.0.0.1:${port}/`)).json, {}, 'an address')
  await t.rejects(with_allow('127.0.0.1').getJson(`http://127.0.0.2:${port}/`), OutboundError, 'another address')
})

t.test('RFC 9325 §3: the certificate has to be of a trusted authority', async (t) => {
  const { certificate, key } = certificateMaker(t).selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
  const port = await listen(t, createTlsServer({ cert: certificate, key }, json('{}')))
  const outbound = createOutbound({ ...LIMITS, allow: ['localhost'] })
  await refuses(t, outbound.getJson(`https://localhost:${port}/`), /self.signed|certificate/i, 'self-signed')
})
