import t, { type Test } from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { temporaryDirectory } from '../helpers/process.ts'

const env = { GATEHOUSE_DATA_DIR: temporaryDirectory(t) }
const PASSWORD = 'wander kettle plinth 4'

/** A command that must succeed. @returns what it printed */
async function text(t: Test, args: string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await runInProcess(args, env, input)
  t.equal(code, 0, `gatehouse ${args.join(' ')}${stderr === '' ? '' : `\n${stderr}`}`)
  return stdout
}

/** The same with `--json`, which prints exactly one document. */
async function json(t: Test, args: string[], input = '') {
  return JSON.parse(await text(t, [...args, '--json'], input))
}

const run = (args: string[], input = '') => runInProcess(args, env, input)

t.test('no command makes an installation by the way: only what sets one up does, and says so', async (t) => {
  const elsewhere = {
    code: 3,
    stdout: '',
    stderr: /no installation here: no database at .*gatehouse\.db(.*\n)*.*--data-dir/,
  }
  t.match(await run(['users', 'list']), elsewhere)
  t.match(await run(['clients', 'create', 'x', '--grant-type', 'client_credentials']), elsewhere)
  t.match(await run(['users', 'create', 'x', '--no-password']), elsewhere)
  t.match(await run(['setup-link']), { code: 0, stderr: /There is no database yet: making .*gatehouse\.db/ })
  t.match(await run(['users', 'list']), { code: 0, stdout: 'None.\n' })
})

t.test('setup-link gives a link on the issuer until there is an administrator', async (t) => {
  t.match(await json(t, ['setup-link']), {
    setup_url: /^http:\/\/localhost:3000\/setup\?token=gth_su_/,
    expires_in: 3600,
  })
  t.match(await text(t, ['setup-link']), /It opens once, within 60 minutes/)
  await text(t, ['users', 'create', 'root', '--role', 'admin', '--password-stdin'], PASSWORD)
  t.match(await run(['setup-link']), { code: 4, stdout: '', stderr: /administrator already/ })
})

t.test('users: create, show, list, disable, enable, unlock', async (t) => {
  const options = [
    '--email',
    'alice@example.com',
    '--email-verified',
    '--name',
    'Alice',
    '--role',
    'staff',
    '--role',
    'x',
  ]
  const created = await json(t, ['users', 'create', 'alice', ...options, '--password-stdin'], `${PASSWORD}\n`)
  const roles = ['staff', 'x']
  t.match(created, {
    username: 'alice',
    email: 'alice@example.com',
    email_verified: true,
    name: 'Alice',
    roles,
    has_password: true,
  })
  t.match(await text(t, ['users', 'create', 'bot', '--no-password']), /^Created bot \(account \S+\)\.\n$/)
  t.match(await json(t, ['users', 'show', 'bot']), { has_password: false })
  t.match(await json(t, ['users', 'show', created.account_id]), created, 'by account id')
  const profile = ['--profile-json', '{"locale":"de-AT","given_name":"Al"}']
  t.match(await json(t, ['users', 'update', 'alice', ...profile]), { profile: { locale: 'de-AT', given_name: 'Al' } })
  const less = ['users', 'update', 'alice', '--profile-json', '{"given_name":null}']
  t.equal(await text(t, less), 'Changed alice.\n')
  t.strictSame((await json(t, ['users', 'show', 'alice'])).profile, { locale: 'de-AT' })
  t.match(await text(t, ['users', 'show', 'Alice']), /username +alice/, 'in any case')
  t.match(await text(t, ['users', 'list']), /^USERNAME .*\n(.*\n)*alice +alice@example\.com +Alice +staff x/)
  t.match(await json(t, ['users', 'disable', 'alice']), { username: 'alice', disabled_at: Number })
  t.match(await json(t, ['users', 'enable', 'alice']), { disabled_at: null })
  t.match(await text(t, ['users', 'unlock', 'alice']), /alice is not held up/)
})

t.test('what the server refuses is told in its words, by exit code, and nothing is printed as a result', async (t) => {
  const missing = /no such|not found|there is no/i
  const cases: [args: string[], code: number, said: RegExp, input?: string][] = [
    [['users', 'create', 'ALICE', '--no-password'], 4, /belongs to another account/],
    [['users', 'create', 'carol', '--password-stdin'], 1, /password/, 'short'],
    [['users', 'create', 'carol', '--password-stdin'], 2, /Standard input is empty/, '\n'],
    [['users', 'create', 'carol', '--password-stdin'], 2, /more than 4096 bytes/, 'x'.repeat(5000)],
    [['users', 'show', 'nobody'], 3, missing],
    [['users', 'disable', 'nobody'], 3, missing],
    [['users', 'show', 'a/b?c#d'], 3, missing],
    [['clients', 'show', 'nothing'], 3, missing],
    [['clients', 'delete', 'nothing', '--yes'], 3, missing],
    [['grants', 'show', 'nothing'], 3, missing],
    [['grants', 'revoke', 'nothing'], 3, missing],
    [['grants', 'list', '--account', 'nobody'], 3, missing],
    [['grants', 'revoke', '--account', 'nobody', '--yes'], 3, missing],
    [['resources', 'create', 'not a uri'], 1, /resource/],
  ]
  for (const [args, code, said, input] of cases) {
    t.match(await run(args, input), { code, stdout: '', stderr: said }, `gatehouse ${args.join(' ')}`)
  }
  const { stderr } = await run(['users', 'show', 'nobody', '--json'])
  t.match(JSON.parse(stderr), { error: { code: 'not_found', message: String } })
})

t.test('clients: a secret is shown when it is made, and at no other time', async (t) => {
  const scope = ['--grant-type', 'client_credentials', '--scope', 'read']
  const made = await json(t, ['clients', 'create', 'reports', '--name', 'Reports', ...scope])
  t.match(made, { client_id: 'reports', client_name: 'Reports', client_secret: /^gth_cs_/, scope: 'read' })
  t.match(await text(t, ['clients', 'create', 'batch', ...scope]), /^Created batch\.\nSecret: gth_cs_\S+\nKeep it now/)
  const rotated = await json(t, ['clients', 'rotate-secret', 'reports'])
  t.match(rotated, { client_secret: /^gth_cs_/ })
  t.not(rotated.client_secret, made.client_secret)
  const own = await text(t, ['clients', 'create', 'own', '--secret-stdin', ...scope], 'a secret of my own')
  t.notMatch(own, 'a secret of my own', 'one that was given is not repeated')

  const shown = [['list'], ['list', '--json'], ['show', 'reports'], ['show', 'own', '--json']]
  const all = (await Promise.all(shown.map((args) => text(t, ['clients', ...args])))).join()
  for (const secret of [made.client_secret, rotated.client_secret, 'a secret of my own', 'digest'])
    t.notMatch(all, secret)
  t.match(all, /reports +Reports +client_credentials/)

  t.match(await run(['clients', 'create', 'reports', ...scope]), { code: 4, stdout: '' })
  t.match(await json(t, ['clients', 'delete', 'reports', '--yes']), { client_id: 'reports', deleted: true })
  t.equal((await run(['clients', 'show', 'reports'])).code, 3)
})

t.test('resources: create and list', async (t) => {
  const uri = 'https://api.example.com'
  const options = ['--scope', 'read', '--scope', 'write', '--access-token-seconds', '120', '--signing-alg', 'ES256']
  const expected = { resource: uri, scopes: ['read', 'write'], access_token_seconds: 120, signing_alg: 'ES256' }
  t.match(await json(t, ['resources', 'create', uri, ...options]), expected)
  t.equal((await run(['resources', 'create', uri])).code, 4)
  t.match(await text(t, ['resources', 'list']), /https:\/\/api\.example\.com +read write +120 +ES256/)
})

t.test('keys: list and rotate', async (t) => {
  const { items } = await json(t, ['keys', 'list'])
  const next = items.find((key: { alg: string; state: string }) => key.alg === 'RS256' && key.state === 'next')
  t.match(await json(t, ['keys', 'rotate']), { kid: next.kid }, 'the founding next key is known to everybody')
  t.match(await run(['keys', 'rotate']), { code: 4, stderr: /Possible from 20\d\d-/ }, 'the one made just now is not')
  t.match(await text(t, ['keys', 'rotate', '--force']), / signs now\.\n$/)
  t.match(await text(t, ['keys', 'list']), /RS256 +retiring/)
  t.equal((await run(['keys', 'rotate', '--alg', 'HS256'])).code, 2)
})

t.test('audit: what the command line did is in the trail, and the trail is intact', async (t) => {
  const { items } = await json(t, ['audit', 'list', '--event', 'admin.account_created'])
  t.match(items.at(-1), { event: 'admin.account_created', actor: 'cli', detail: { username: 'root' } })
  t.match(await text(t, ['audit', 'list', '--account', 'alice', '--limit', '2']), /AT +EVENT +BY/)
  t.notMatch(await text(t, ['audit', 'list', '--limit', '1000']), PASSWORD)
  t.match(await json(t, ['audit', 'verify']), { outcome: 'intact' })
})

t.test('a list is printed to its end, page after page, or up to --limit', async (t) => {
  const users = Array.from({ length: 250 }, (_, index) => ({ username: `user-${index}` }))
  await text(t, ['apply', '-f', '-'], JSON.stringify({ users }))
  const names = (items: { username: string }[]) => new Set(items.map(({ username }) => username))
  t.equal(names((await json(t, ['users', 'list'])).items).size, 253)
  t.equal(names((await json(t, ['users', 'list', '--limit', '101'])).items).size, 101)
  t.match(await run(['users', 'list', '--limit', '3']), { code: 0, stderr: /first 3.*higher --limit/ })
})
