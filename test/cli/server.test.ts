import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { freePort, runGatehouse, startServer, temporaryDirectory } from '../helpers/process.ts'

const PASSWORD = 'wander kettle plinth 4'
const server = await startServer(t)
const { issuer, env } = server
const data_dir = env.GATEHOUSE_DATA_DIR ?? ''
const run = (args: string[], input = '') => runInProcess(args, env, input)
/** As on another machine: nothing configured, no database. */
const remote = (args: string[], variables: Record<string, string> = {}, input = '') =>
  runInProcess([...args, '--url', issuer], { GATEHOUSE_DATA_DIR: '/nowhere', ...variables }, input)

const administrator = { client_id: 'administrator', scope: 'gatehouse:read gatehouse:write' }
const reader = { client_id: 'reader', scope: 'gatehouse:read' }
const clients = [administrator, reader].map((client) => {
  return { ...client, client_secret: 'a client secret', grant_types: ['client_credentials'] }
})
const users = [{ username: 'alice', password: PASSWORD }]
await run(['apply', '-f', '-'], JSON.stringify({ clients, users }))

t.test('the start says what a person needs to know, and keeps standard output for the log', async (t) => {
  t.match(server.output(), new RegExp(`Issuer +${issuer}\n.*${issuer}/\\.well-known/openid-configuration`))
  t.match(server.output(), new RegExp(`${issuer}/setup\\?token=gth_su_`))
  t.match(server.output(), /gatehouse quickstart/)
  t.match(server.output(), new RegExp(`Demo +${issuer}/demo\\n`))
  const silent = await startServer(t, { GATEHOUSE_DEMO: 'off' })
  t.notMatch(silent.output(), /Demo/, 'when it is off, nobody is sent there')
})

t.test('token gets an access token, and with --decode says what is in it', async (t) => {
  const mine = ['token', '--username', 'alice', '--password-stdin']
  const { code, stdout } = await run(mine, PASSWORD)
  t.match({ code, stdout }, { code: 0, stdout: /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/ })
  t.match(await run([...mine, '--decode'], PASSWORD), { code: 0, stdout: /typ +at\+jwt[\s\S]*aud .* the only API/ })
  t.match(JSON.parse((await run([...mine, '--json'], PASSWORD)).stdout), { access: String, refresh: /^gth_rt_/ })

  const service = ['token', '--client', 'administrator', '--secret-stdin', '--json', '--decode']
  const decoded = { payload: { sub: 'administrator', aud: `${issuer}/admin/api`, scope: 'gatehouse:read' } }
  const asked = await run([...service, '--scope', 'gatehouse:read'], 'a client secret')
  t.match(JSON.parse(asked.stdout), { access_token: String, token_type: 'Bearer', decoded })

  t.match(await run(mine, 'not it'), { code: 1, stdout: '', stderr: /No active account found/ })
  const wrong = await run(['token', '--client', 'administrator', '--secret-stdin'], 'not it')
  t.match(wrong, { code: 1, stdout: '', stderr: /invalid_client/ })
  const api = ['--resource', 'https://api.example.com']
  t.match(await run([...mine, ...api], PASSWORD), { code: 1, stdout: '' }, 'an API that is not registered')
})

t.test('with --url the same commands go through the server: as a client, or with a token', async (t) => {
  const as = { GATEHOUSE_CLIENT_SECRET: 'a client secret' }
  t.match(await remote(['users', 'list', '--client-id', 'administrator'], as), { code: 0, stdout: /alice/ })
  const created = await remote(['users', 'create', 'bob', '--no-password', '--client-id', 'administrator'], as)
  t.match(created, { code: 0, stdout: /^Created bob/ })
  const audit = await run(['audit', 'list', '--event', 'admin.account_created', '--limit', '1', '--json'])
  t.match(JSON.parse(audit.stdout), { items: [{ actor: 'administrator', detail: { username: 'bob' } }] })

  const { stdout } = await run(
    ['token', '--client', 'reader', '--secret-stdin', '--scope', 'gatehouse:read'],
    'a client secret',
  )
  t.match(await remote(['users', 'show', 'bob'], { GATEHOUSE_TOKEN: stdout }), { code: 0 })
  const token_file = join(data_dir, 'token')
  writeFileSync(token_file, stdout)
  t.match(await remote(['users', 'show', 'bob', '--token-file', token_file]), { code: 0 })

  const refused = await remote(['users', 'disable', 'bob'], { GATEHOUSE_TOKEN: stdout })
  t.match(refused, { code: 1, stdout: '', stderr: /needs the scope gatehouse:write/ }, 'reading is not writing')
  t.match(await remote(['users', 'show', 'nobody'], { GATEHOUSE_TOKEN: stdout }), { code: 3, stdout: '' })
  t.match(await remote(['users', 'list'], { GATEHOUSE_TOKEN: 'e30.e30.e30' }), { code: 1, stderr: /valid still/ })
  const wrong = await remote(['users', 'list', '--client-id', 'reader'], { GATEHOUSE_CLIENT_SECRET: 'no' })
  t.match(wrong, { code: 1, stdout: '', stderr: /reader got no token: .*\nCheck the secret/ })
})

t.test('grants: list, show, and revoke by id or by what they have in common', async (t) => {
  const list = async () => JSON.parse((await run(['grants', 'list', '--account', 'alice', '--json'])).stdout).items
  const live = async () => (await list()).filter((grant: { revoked_at: unknown }) => grant.revoked_at === null)
  const [first] = await live()
  t.match(await run(['grants', 'show', first.grant_id]), { code: 0, stdout: first.grant_id })
  t.match(await run(['grants', 'revoke', first.grant_id]), { code: 0, stdout: `Revoked ${first.grant_id}.\n` })
  t.match(await run(['grants', 'revoke', '--account', 'alice', '--issued-before', '2020-01-01', '--yes']), {
    code: 0,
    stdout: 'Revoked 0 grants.\n',
  })
  const remaining = (await live()).length
  t.ok(remaining > 0)
  const all = await run(['grants', 'revoke', '--client', 'gatehouse-login', '--yes', '--json'])
  t.same(JSON.parse(all.stdout), { revoked: remaining })
  t.same(await live(), [])
})

t.test('doctor finds nothing to mend on a healthy server, and changes nothing', async (t) => {
  const { code, stdout } = await run(['doctor', '--json'])
  const { ok, findings } = JSON.parse(stdout)
  t.match({ code, ok }, { code: 0, ok: true }, stdout)
  const checks = new Set(findings.map(({ check }: { check: string }) => check))
  const expected = ['configuration', 'issuer', 'files', 'database', 'migrations', 'durability', 'vault', 'keys']
  t.same([...checks], [...expected, 'server', 'discovery', 'clock', 'jwks'])
})

t.test('doctor gives each failure with its remedy, and exit code 1', async (t) => {
  const doctor = async (overrides: Record<string, string>) => {
    const { code, stdout } = await runInProcess(['doctor'], { ...env, ...overrides })
    t.equal(code, 1)
    return stdout
  }
  t.match(await doctor({ GATEHOUSE_PORT: 'x' }), /fail {2}configuration: [\s\S]*GATEHOUSE_PORT/)
  t.match(
    await doctor({ GATEHOUSE_ISSUER: `${issuer.replace('localhost', '127.0.0.1')}` }),
    /fail {2}discovery: .*\n +Start/,
  )
  t.match(await doctor({ GATEHOUSE_ISSUER: `http://localhost:${await freePort()}` }), /fail {2}server: .*\n +Start it/)
  t.match(await doctor({ GATEHOUSE_DATABASE: 'sqlite:elsewhere.db' }), /fail {2}database: .*is not there\n +Make it/)
  const key_file = join(temporaryDirectory(t), 'key')
  writeFileSync(key_file, `00000000:${Buffer.alloc(32).toString('base64')}\n`, { mode: 0o600 })
  const wrong_key = await doctor({ GATEHOUSE_KEYS__KEY_ENCRYPTION_KEY_FILE: key_file })
  t.match(wrong_key, /fail {2}vault: .*\n +Put the right key-encryption key file back/)
  chmodSync(join(data_dir, 'key_encryption_key'), 0o644)
  t.match(await doctor({}), /fail {2}files: .*key_encryption_key is open to other users\n +Run: chmod/)
  chmodSync(join(data_dir, 'key_encryption_key'), 0o600)
  const other = temporaryDirectory(t)
  await runInProcess(['setup-link'], { GATEHOUSE_DATA_DIR: other })
  t.match(
    await doctor({ GATEHOUSE_DATA_DIR: other }),
    /fail {2}jwks: .*is not in it\n +Does the server use this database/,
  )
})

t.test('an unreachable server is exit code 5, with what to do', async (t) => {
  const nowhere = `http://localhost:${await freePort()}`
  const expected = { code: 5, stdout: '', stderr: /No answer from .*ECONNREFUSED.*\n.*gatehouse serve/ }
  t.match(await run(['users', 'list', '--url', nowhere]), { code: 2 }, 'not before there is a token to send')
  t.match(await runInProcess(['users', 'list', '--url', nowhere], { GATEHOUSE_TOKEN: 'x' }), expected)
  t.match(await run(['token', '--username', 'alice', '--password-stdin', '--issuer', nowhere], PASSWORD), expected)
  t.match(await run(['quickstart', '--issuer', nowhere]), expected)
})

t.test('a second server on the same port ends with exit code 1, and says what to do', async (t) => {
  t.match(await runGatehouse(['serve'], env), { code: 1, stderr: /EADDRINUSE.*\n.*--port/ })
})

t.test('SIGTERM ends the server with exit code 0', async (t) => {
  t.equal(await server.stop(), 0)
  t.match(await runGatehouse(['users', 'show', 'alice'], env), { code: 0 }, 'and the database is at rest')
})
