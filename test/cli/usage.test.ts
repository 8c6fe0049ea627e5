import { join } from 'node:path'
import t from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { runGatehouse, temporaryDirectory } from '../helpers/process.ts'

const env = { GATEHOUSE_DATA_DIR: temporaryDirectory(t) }
const run = (...args: string[]) => runInProcess(args, env)

t.test('wrong usage is exit code 2, says what and where to read on, and prints no result', async (t) => {
  const cases: [args: string[], said: RegExp][] = [
    [[], /gatehouse needs a command: serve, .*Read: gatehouse --help/s],
    [['usres'], /unknown command 'usres'.*Did you mean users/s],
    [['users'], /gatehouse users needs a command: create, list.*Read: gatehouse users --help/s],
    [['users', 'list', '--lmit', '3'], /unknown option '--lmit'.*Read: gatehouse users list --help/s],
    [['users', 'list', '--limit', '0'], /must be a whole number from 1/],
    [['users', 'show'], /missing required argument 'username'/],
    [['users', 'show', 'a', 'b'], /too many arguments/],
    [['users', 'show', '..'], /no name or id/],
    [['users', 'create', 'alice'], /The password is missing.*--password-stdin/s],
    [['clients', 'create', '--auth-method', 'magic'], /Allowed choices are none/],
    [['clients', 'delete', 'x'], /Nobody is there to ask.*--yes/s],
    [['grants', 'revoke'], /Which grants\?/],
    [['grants', 'revoke', 'id', '--client', 'x'], /not both/],
    [['grants', 'revoke', '--client', 'x'], /Nobody is there to ask.*--yes/s],
    [['grants', 'revoke', '--issued-before', 'soon'], /epoch seconds or a date/],
    [['token'], /either --username or --client/],
    [['apply'], /required option '-f, --file <file>'/],
    [['apply', '-f', 'missing.yaml'], /missing\.yaml cannot be read \(ENOENT\)/],
    [['users', 'list', '--url', 'http://login.example.com'], /is not an https URL/],
    [['users', 'list', '--url', 'https://login.example.com'], /needs a token/],
    [['users', 'list', '--client-id', 'service'], /are for a remote server/],
    [['users', 'list', '--database', 'mysql://x'], /The configuration has a problem.*--database/s],
    [['users', 'list', '--database', 'sqlite::memory:'], /in the memory of the server alone/],
  ]
  for (const [args, said] of cases) {
    const { code, stdout, stderr } = await run(...args)
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: said }, `gatehouse ${args.join(' ')}`)
  }
})

t.test('with --json an error is one JSON document on standard error', async (t) => {
  const { code, stdout, stderr } = await run('users', 'show', '--json')
  t.match({ code, stdout }, { code: 2, stdout: '' })
  t.match(JSON.parse(stderr), { error: { code: 'usage', message: /username/, remedy: /--help/ } })
  const configured = await runInProcess(['users', 'list', '--json'], {
    ...env,
    GATEHOUSE_PORT: 'x',
    GATEHOUSE_HSOT: 'y',
  })
  const problems = [{ source: 'GATEHOUSE_HSOT' }, { path: 'port' }]
  t.match(
    JSON.parse(configured.stderr),
    { error: { code: 'usage', problems } },
    'all problems of the configuration at once',
  )
})

t.test('help and version are results: standard output, exit code 0', async (t) => {
  t.match(await run('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
  t.match(await run('--help'), { code: 0, stdout: /Exit codes: 0 done/, stderr: '' })
  for (const command of [
    'serve',
    'quickstart',
    'doctor',
    'setup-link',
    'token',
    'apply',
    'keys rotate',
    'users create',
  ]) {
    const { code, stdout } = await run(...command.split(' '), '--help')
    t.match({ code, stdout }, { code: 0, stdout: `Example: gatehouse ${command}` }, command)
  }
})

t.test('the launcher passes arguments, streams and exit codes through', async (t) => {
  t.match(await runGatehouse(['--version'], env), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
  t.match(await runGatehouse(['usres'], env), { code: 2, stdout: '', stderr: /unknown command/ })
  const refused = await runGatehouse(['serve'], { ...env, GATEHOUSE_ISSUER: 'http://login.example.com' })
  t.match(refused, { code: 2, stdout: '', stderr: /GATEHOUSE_ISSUER[\s\S]*https/ }, 'serve refuses a plain http issuer')
})

t.test('config print says what is in force and where it came from, without the password of the database', async (t) => {
  const database = 'postgres://gatehouse:hunter2@db.example.com/gatehouse'
  const { code, stdout } = await run('config', 'print', '--sources', '--database', database)
  t.match(
    { code, stdout },
    { code: 0, stdout: /database +postgres:\/\/gatehouse:\*\*\*@db\.example\.com\/gatehouse +--database/ },
  )
  t.match(stdout, new RegExp(`data_dir +${join(env.GATEHOUSE_DATA_DIR)} +GATEHOUSE_DATA_DIR`))
  t.notMatch(stdout, 'hunter2')
  const json = await run('config', 'print', '--sources', '--json')
  t.match(JSON.parse(json.stdout).settings[0], { path: 'issuer', value: 'http://localhost:3000', source: 'default' })
  t.match(JSON.parse((await run('config', 'schema')).stdout), { type: 'object', properties: { issuer: {} } })
})
