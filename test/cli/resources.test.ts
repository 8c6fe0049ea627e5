import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { temporaryDirectory } from '../helpers/process.ts'

const data_dir = temporaryDirectory(t)
const API = 'https://api.example.com'
const run = (...args: string[]) => runInProcess(args, { GATEHOUSE_DATA_DIR: data_dir })

t.test('an API is registered with a template, changed by a file, and its token is shown', async (t) => {
  await run('setup-link')
  await runInProcess(
    ['users', 'create', 'alice', '--role', 'editor', '--password-stdin'],
    { GATEHOUSE_DATA_DIR: data_dir },
    'wander kettle plinth 4',
  )
  t.match(await run('resources', 'create', API, '--claims-template', 'kubernetes'), {
    code: 0,
    stdout: /Created https/,
  })
  t.match(await run('resources', 'preview', API, '--account', 'alice'), {
    code: 0,
    stdout: /"typ": "at\+jwt"[\s\S]*"groups": \[\s*"editor"\s*\][\s\S]*about \d+ bytes/,
  })
  const file = join(data_dir, 'claims.json')
  writeFileSync(file, '{"plan":"{{role}}"}')
  t.match(await run('resources', 'update', API, '--claims-file', file, '--token-typ', 'JWT'), {
    code: 0,
    stdout: /token_typ +JWT/,
  })
  const shown = JSON.parse((await run('--json', 'resources', 'preview', API, '--account', 'alice')).stdout)
  t.match(shown, { header: { typ: 'JWT' }, claims: { plan: 'editor' } })
  t.notHas(shown.claims, { groups: [] }, 'what is given replaces what was there')
})

t.test('what cannot be registered is refused with the reason', async (t) => {
  const file = join(data_dir, 'broken.json')
  writeFileSync(file, '{"iss":"x"}')
  t.match(await run('resources', 'update', API, '--claims-file', file), {
    code: 1,
    stderr: /iss is a claim that every token/,
  })
  writeFileSync(file, '{')
  t.match(await run('resources', 'update', API, '--claims-file', file), { code: 2, stderr: /cannot be read as JSON/ })
  t.match(await run('resources', 'update', API, '--claims-file', join(data_dir, 'none')), { code: 2, stderr: /ENOENT/ })
  t.match(await run('resources', 'update', API, '--claims-template', 'nobody'), { code: 2, stderr: /hasura/ })
  t.match(await run('resources', 'update', 'https://none.example', '--token-typ', 'JWT'), { code: 3 })
  t.match(await run('resources', 'preview', 'https://none.example', '--account', 'alice'), { code: 4 })
})
