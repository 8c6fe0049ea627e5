import fastify from 'fastify'
import t from 'tap'
import { mintCliToken } from '../../server/admin/cli_token.ts'
import { adminScope } from '../../server/admin/index.ts'
import { StorageUnavailable } from '../../server/storage/driver.ts'
import { buildTestAdmin } from '../helpers/admin.ts'

const admin = await buildTestAdmin(t)
const authorization = `Bearer ${await mintCliToken(admin.deps)}`

/** The routes that take a body, and one member of it. */
const bodies = [
  ['POST', 'accounts', 'username'],
  ['POST', 'clients', 'scope'],
  ['POST', 'resources', 'resource'],
  ['POST', 'keys/rotate', 'alg'],
  ['POST', 'revocations', 'account'],
  ['POST', 'apply', 'clients'],
  ['PATCH', 'clients/gatehouse-login', 'scope'],
] as const

function send(method: 'POST' | 'PATCH', path: string, payload: string | Buffer, type = 'application/json') {
  const headers = { authorization, 'content-type': type }
  return admin.inject({ method, url: `/admin/api/${path}`, headers, payload })
}

t.test('RFC 9457 §3: whatever comes in, what goes out is a problem and not a fault', async (t) => {
  const values: unknown[] = [
    null,
    true,
    5,
    -1.5,
    {},
    [[]],
    [null],
    { toString: 1 },
    '\u0000',
    '\ud800',
    'x'.repeat(60_000),
  ]
  for (const [method, path, member] of bodies) {
    for (const value of values) {
      // RFC 7592 §2.2: null takes a member away.
      if (path.startsWith('clients/') && member === 'scope' && value === null) continue
      const response = await send(method, path, JSON.stringify({ [member]: value }))
      const said = `${method} ${path} ${member} ${JSON.stringify(value).slice(0, 20)}: ${response.statusCode}`
      if (response.statusCode < 400 || response.statusCode > 499) t.fail(said)
      t.match(response.headers['content-type'], /^application\/problem\+json/, said)
    }
  }
})

t.test('a body that is no JSON object is a 400', async (t) => {
  const payloads = ['', '{', '[]', '"text"', '5', '{"a":1}}', '{"__proto__":{"a":1}}', '['.repeat(50_000), '\ufeff']
  const broken = Buffer.from('7b22757365726e616d65223a22ff227d', 'hex')
  for (const [method, path] of bodies) {
    for (const payload of [...payloads, broken]) {
      // Without a body there is nothing wrong with a rotation.
      if (path === 'keys/rotate' && payload === '') continue
      const { statusCode } = await send(method, path, payload)
      t.equal(statusCode, 400, `${path} ${payload.toString().slice(0, 20)}`)
    }
  }
  const { body } = await send('POST', 'accounts', '{"password":"secret" oops')
  t.notMatch(body, /secret/, 'what was sent is not sent back')
})

t.test('another content type is a 415, and more than the limit a 413', async (t) => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
  ]) {
    t.equal((await send('POST', 'accounts', 'username=x', type)).statusCode, 415, type)
  }
  for (const path of ['accounts', 'clients', 'revocations']) {
    t.equal((await send('POST', path, `{"account":"${'x'.repeat(1_000_000)}"}`)).statusCode, 413, path)
  }
})

t.test('a path that names nothing is a 404, and one that is no path a 400', async (t) => {
  const get = (url: string) => admin.inject({ url: `/admin/api/${url}`, headers: { authorization } })
  for (const path of ['nothing', 'accounts/nobody', 'clients/nobody', 'grants/none', `accounts/${'x'.repeat(200)}`]) {
    const response = await get(path)
    t.equal(response.statusCode, 404, path)
    t.match(response.headers['content-type'], /^application\/problem\+json/)
  }
  const malformed = [
    'accounts/%00',
    'clients/a%0a',
    'accounts/%zz',
    'grants?cursor=%00',
    'audit?cursor[]=1&cursor=2',
    'accounts?x=1',
  ]
  for (const path of malformed) t.equal((await get(path)).statusCode, 400, path)
  for (const cursor of ['x', 'e30', 'WzEsMl0', 'W251bGwsbnVsbF0']) {
    for (const list of ['accounts', 'clients', 'resources', 'grants', 'audit']) {
      t.equal((await get(`${list}?cursor=${cursor}`)).statusCode, 200, `${list} ${cursor}`)
    }
  }
})

t.test('no answer is stored, and no other origin is let in', async (t) => {
  const headers = { authorization, origin: 'https://evil.example' }
  const response = await admin.inject({ url: '/admin/api/keys', headers })
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(response.headers['access-control-allow-origin'], undefined)
})

t.test('a database that cannot answer is a 503 with Retry-After', async (t) => {
  const store = { ...admin.deps.store, listClients: () => Promise.reject(new StorageUnavailable('gone')) }
  const app = fastify()
  await app.register(adminScope({ ...admin.deps, store }), { prefix: '/admin/api' })
  const response = await app.inject({ url: '/admin/api/clients', headers: { authorization } })
  t.equal(response.statusCode, 503)
  t.ok(response.headers['retry-after'])
  t.match(response.json(), { status: 503, error: 'temporarily_unavailable' })
})

t.test('the next honest request works', async (t) => {
  t.equal((await send('POST', 'accounts', '{"username":"honest"}')).statusCode, 201)
})
