import t from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { runGatehouse, startServer, temporaryDirectory } from '../helpers/process.ts'

const server = await startServer(t)
const { env, issuer } = server

t.test('the quickstart walks the whole main job on a running server and shows every exchange', async (t) => {
  const { code, stdout, stderr } = await runGatehouse(['quickstart'], env)
  t.match({ code, stderr }, { code: 0, stderr: '' }, stdout)
  const told = [
    /→ POST .*\/admin\/api\/accounts \{.*"password":"\*\*\*"/,
    /→ POST .*\/api\/token\/ \{.*"password":"\*\*\*"\}\n +← 200/,
    /alg +RS256/,
    /accepted\n +one character altered: refused/,
    /a retry gets the same successor/,
    /replays it: refused\n.*\n +← 401 .*token_not_valid/,
    /→ DELETE .*\/admin\/api\/grants\/\S+\n +← 204/,
    /← 200 \{"active":false\}/,
    /Every step ended as it should/,
  ]
  for (const what of told) t.match(stdout, what)
  t.notMatch(stdout, /eyJ[\w-]+\.[\w-]+\.[\w-]+|"client_secret":"(?!\*\*\*)/, 'no whole token, no secret')
})

t.test('with --json it prints one document of its steps', async (t) => {
  const { code, stdout } = await runInProcess(['quickstart', '--json'], env)
  const { ok, issuer: named, steps } = JSON.parse(stdout)
  t.match({ code, ok, named }, { code: 0, ok: true, named: issuer })
  const statuses = steps.map(({ exchanges }: { exchanges: { status: number }[] }) =>
    exchanges.map(({ status }) => status),
  )
  const refused = [[401], [401]]
  t.same(statuses, [
    [201, 201],
    [200],
    [],
    [],
    [200],
    [200],
    [200],
    ...refused,
    [200],
    [200],
    [204],
    [401],
    [200],
    [204, 204],
  ])
})

t.test('what it made is put away: the account is disabled, the client gone', async (t) => {
  const list = async (noun: string) => JSON.parse((await runInProcess([noun, 'list', '--json'], env)).stdout).items
  const accounts = await list('users')
  t.equal(accounts.length, 2)
  t.ok(accounts.every((account: { disabled_at: unknown }) => account.disabled_at !== null))
  t.notOk((await list('clients')).some(({ client_id }: { client_id: string }) => client_id.startsWith('quickstart')))
})

t.test('it goes through --url as well, with the rights of a client', async (t) => {
  const client = { client_id: 'administrator', client_secret: 'a client secret', grant_types: ['client_credentials'] }
  const document = { clients: [{ ...client, scope: 'gatehouse:read gatehouse:write' }] }
  await runInProcess(['apply', '-f', '-'], env, JSON.stringify(document))
  const away = { GATEHOUSE_DATA_DIR: '/nowhere', GATEHOUSE_CLIENT_SECRET: 'a client secret' }
  const result = await runInProcess(['quickstart', '--url', issuer, '--client-id', 'administrator'], away)
  t.match(result, { code: 0, stdout: /Every step ended as it should/ })
})

t.test('a step that ends otherwise fails the whole, with what to do', async (t) => {
  const elsewhere = { ...env, GATEHOUSE_DATA_DIR: temporaryDirectory(t) }
  await runInProcess(['setup-link'], elsewhere)
  const { code, stderr } = await runInProcess(['quickstart'], elsewhere)
  t.match({ code, stderr }, { code: 1, stderr: /Step 2, .*status 401.*\n.*same database.*--url/ })
  const accounts = JSON.parse((await runInProcess(['users', 'list', '--json'], elsewhere)).stdout).items
  t.match(accounts, [{ disabled_at: Number }], 'and what it had made by then is put away, too')
})
