import { fastify } from 'fastify'
import t from 'tap'
import { createLog } from '../../server/observe/log.ts'

const HANDLE = 'gth_rt_AAAAQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo'
const JWT = 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'

function recorder(format: 'json' | 'pretty' = 'json') {
  const lines: string[] = []
  const log = createLog({ level: 'debug', format }, { write: (line: string) => void lines.push(line) })
  return { log, lines, text: () => lines.join('') }
}

t.test(
  'a logged request shows its method, path, parameter names, address prefix and id, and nothing secret',
  async (t) => {
    const { log, lines, text } = recorder()
    const app = fastify({ loggerInstance: log, requestIdLogLabel: 'request_id' })
    app.get('/callback', async (request) => {
      request.log.warn({ req: request, headers: request.headers, query: request.query }, 'careless')
      throw new Error(`could not use ${HANDLE}`)
    })
    const response = await app.inject({
      url: `/callback?code=sup3rs3cret&state=st4te&code=again`,
      remoteAddress: '2001:db8:1:2:3:4:5:6',
      headers: { authorization: 'Basic Y2xpZW50OnNlY3JldA==', cookie: '__Host-session=c00kie', 'x-proof': JWT },
    })
    t.equal(response.statusCode, 500)
    const [first = ''] = lines
    t.match(JSON.parse(first), {
      level: 'info',
      request_id: 'req-1',
      req: { method: 'GET', path: '/callback?code&state', address_prefix: '2001:db8:1:2::/64', request_id: 'req-1' },
    })
    for (const secret of ['Y2xpZW50OnNlY3JldA', 'c00kie', HANDLE, 'eyJhbGci', 'c2lnbmF0dXJl']) {
      t.notOk(text().includes(secret), `not ${secret}`)
    }
    t.notMatch(first, /sup3rs3cret|st4te|authorization|cookie/)
    t.ok(lines.length >= 3 && lines.every((line) => JSON.parse(line).level), 'and every line is still JSON')
  },
)

t.test("fastify's own line about an unknown route shows no parameter's value", async (t) => {
  const { log, text } = recorder()
  await fastify({ loggerInstance: log }).inject({ url: '/nowhere?code=sup3rs3cret&x=st4te' })
  t.match(text(), /nowhere/)
  t.notMatch(text(), /sup3rs3cret|st4te/)
})

t.test('a secret is redacted by its name, at any depth', async (t) => {
  for (const name of [
    'password',
    'new_password',
    'client_secret',
    'refresh_token',
    'access_token',
    'id_token',
    'client_assertion',
    'Authorization',
    'cookie',
    'set-cookie',
    'code_verifier',
    'password_hash',
    'private_key_sealed',
  ]) {
    const { log, text } = recorder()
    log
      .child({ [name]: 'hunter1' })
      .info({ body: { [name]: 'hunter2"\\', list: [{ [name]: ['hunter3', 'hunter4'] }] } }, 'x')
    t.notMatch(text(), /hunter/, name)
    t.match(JSON.parse(text()).body[name], '[redacted]')
  }
})

t.test('a secret is redacted by its shape, in messages and errors too', async (t) => {
  const secrets = [
    HANDLE,
    JWT,
    'Bearer abcdefgh12345678',
    '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
    '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----',
  ]
  for (const secret of secrets) {
    const { log, text } = recorder()
    log.info(`before ${secret} after`)
    log.error(new Error(secret, { cause: new Error(secret) }))
    log.warn({ note: secret, list: [secret] }, '%s', secret)
    t.match(text(), /before \[redacted\] after/, secret.slice(0, 12))
    t.notOk(text().includes(JSON.stringify(secret).slice(4, -4)))
  }
})

t.test('what is no secret stays readable', async (t) => {
  const { log, text } = recorder()
  const fields = {
    client_id: 'gatehouse-login',
    token_endpoint_auth_method: 'none',
    access_token_seconds: 300,
    code: 'ECONNREFUSED',
    kid: 'aBc-_1',
    grant_id: 'g1',
  }
  log.info(fields, 'token issued')
  t.match(JSON.parse(text()), { ...fields, msg: 'token issued' })
})

t.test('CR, LF and other control characters cannot begin a line of their own', async (t) => {
  for (const format of ['json', 'pretty'] as const) {
    const { log, lines, text } = recorder(format)
    log.info({ username: 'eve\r\n12:00:00 INFO  alice signed in\u001b[2J\u2028' }, 'refused\nINFO fake')
    t.equal(lines.length, 1)
    t.equal(text().split(/[\r\n]/).length, 2, `${format}: one line`)
  }
  const { log, text } = recorder('pretty')
  log.info({ username: 'eve\u001b[2J\u2028\u0085' }, 'refused')
  t.match(text(), /^\d\d:\d\d:\d\d INFO {2}refused username=eve\\u001b\[2J\\u2028\\u0085\n$/)
})

t.test('lines below the level are not written', async (t) => {
  const lines: string[] = []
  const log = createLog({ level: 'warn', format: 'json' }, { write: (line: string) => void lines.push(line) })
  log.info('no')
  log.child({ a: 1 }).info('no')
  t.same(lines, [])
  log.warn('yes')
  t.equal(lines.length, 1)
})
