import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { temporaryDirectory } from '../helpers/process.ts'

const directory = temporaryDirectory(t)
const SECRETS = ['correct horse 17 battery', 'a client secret', 'another client secret']
const run = (args: string[], input = '') =>
  runInProcess(['apply', ...args], { GATEHOUSE_DATA_DIR: join(directory, 'data') }, input)

const DOCUMENT = `
resources:
  - { resource: https://api.example.com, scopes: [read, write], access_token_seconds: 300 }
clients:
  - client_id: service
    client_secret: ${SECRETS[1]}
    grant_types: [client_credentials]
    token_endpoint_auth_method: client_secret_basic
    scope: read gatehouse:read
    resources: [https://api.example.com]
users:
  - { username: alice, name: Alice, roles: [admin], password: ${SECRETS[0]} }
`
const CREATED = '+ resource https://api.example.com\n+ client service\n+ user alice\n'

t.test('a dry run prints what would change and changes nothing', async (t) => {
  const dry = await run(['-f', '-', '--dry-run'], DOCUMENT)
  t.match(dry, { code: 0, stdout: `${CREATED}(dry run: nothing was changed)\n` })
  t.match(await run(['-f', '-', '--dry-run'], DOCUMENT), { stdout: dry.stdout }, 'the next one finds the same')
})

t.test('apply is idempotent: the second time there is nothing to change', async (t) => {
  writeFileSync(join(directory, 'gatehouse.apply.yaml'), DOCUMENT)
  const file = ['-f', join(directory, 'gatehouse.apply.yaml')]
  t.match(await run(file), { code: 0, stdout: CREATED, stderr: '' })
  t.match(await run(file), { code: 0, stdout: 'nothing to change\n', stderr: '' })
  t.match(JSON.parse((await run([...file, '--json'])).stdout), { dry_run: false, changes: [], unchanged: 3 })
})

t.test('the difference is shown member by member, secrets excepted', async (t) => {
  const changed = DOCUMENT.replace('name: Alice', 'name: Alicia').replace(SECRETS[1] ?? '', SECRETS[2] ?? '')
  const { code, stdout } = await run(['-f', '-'], changed)
  const lines = ['~ client service: client_secret "(set)" → "(changed)"', '~ user alice: name "Alice" → "Alicia"']
  t.match({ code, stdout }, { code: 0, stdout: `${lines.join('\n')}\n` })
  const again = await run(['-f', '-', '--json'], JSON.stringify({ users: [{ username: 'alice', name: 'Alice' }] }))
  t.match(
    JSON.parse(again.stdout),
    { changes: [{ kind: 'user', id: 'alice', action: 'update' }] },
    'JSON will do as well',
  )
  for (const secret of SECRETS) t.notMatch(stdout + again.stdout, secret)
})

t.test('a file that cannot be applied changes nothing, and no secret of it is repeated', async (t) => {
  const cases: [document: string, code: number, said: RegExp][] = [
    ['users: [{ username: bob, pasword: hunter2 hunter2 }]', 1, /users/],
    ['users: [{ username: bob, password: hunter2 }, { username: carol }]', 1, /users\/0\/password/],
    ['users: [{ username: bob }, { username: BOB }]', 1, /more than once/],
    ['users:\n  - { username: bob, password: hunter2', 2, /standard input, line \d, is neither JSON nor YAML/],
    ['- hunter2', 2, /none of the members resources, clients and users/],
    ['', 2, /none of the members/],
  ]
  for (const [document, code, said] of cases) {
    const { stdout, stderr, ...ended } = await run(['-f', '-'], document)
    t.match({ ...ended, stdout, stderr }, { code, stdout: '', stderr: said }, document)
    t.notMatch(stderr, 'hunter2')
  }
  t.match(await run(['-f', '-', '--dry-run'], 'users: [{ username: bob }]'), { stdout: /^\+ user bob/ })
})
