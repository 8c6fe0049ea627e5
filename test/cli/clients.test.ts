import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { temporaryDirectory } from '../helpers/process.ts'

const directory = temporaryDirectory(t)
const run = (...args: string[]) => runInProcess(args, { GATEHOUSE_DATA_DIR: directory })

await run('setup-link')

async function json(...args: string[]) {
  const { code, stdout, stderr } = await run(...args, '--json')
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

t.test('clients create: the options are members of its metadata, and a file has the rest', async (t) => {
  const web = ['--redirect-uri', 'https://a.example/cb', '--redirect-uri', 'https://a.example/other']
  const after = [
    '--post-logout-redirect-uri',
    'https://a.example/',
    '--backchannel-logout-uri',
    'https://a.example/out',
  ]
  t.match(await json('clients', 'create', 'web', ...web, ...after, '--scope', 'openid'), {
    client_secret: /^gth_cs_/,
    redirect_uris: ['https://a.example/cb', 'https://a.example/other'],
    post_logout_redirect_uris: ['https://a.example/'],
    backchannel_logout_uri: 'https://a.example/out',
    grant_types: ['authorization_code'],
    application_type: 'web',
  })
  const native = await json(
    'clients',
    'create',
    'desktop',
    '--public',
    '--native',
    '--redirect-uri',
    'com.example.a:/cb',
  )
  t.match(native, { token_endpoint_auth_method: 'none', application_type: 'native' })
  t.notHas(native, 'client_secret')
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = { keys: [publicKey.export({ format: 'jwk' })] }
  const keys = ['--jwks-file', file('jwks.json', JSON.stringify(jwks))]
  const others = file(
    'client.yaml',
    'client_name: From the file\ngrant_types: [client_credentials]\ndpop_bound_access_tokens: true\n',
  )
  const service = [
    'clients',
    'create',
    'service',
    '--auth-method',
    'private_key_jwt',
    ...keys,
    '--metadata-file',
    others,
  ]
  const made = await json(...service, '--name', 'Service')
  t.match(made, { jwks, client_name: 'Service', grant_types: ['client_credentials'], dpop_bound_access_tokens: true })
  t.match(await run('clients', 'create', 'x', '--public', '--auth-method', 'none'), {
    code: 2,
    stderr: /cannot be used/,
  })
  t.match(await run('clients', 'create', 'x', '--jwks-file', 'nowhere'), { code: 2, stderr: /cannot be read/ })
  const wrong = await run('clients', 'create', 'x', '--redirect-uri', 'http://a.example/')
  t.match(wrong, { code: 1, stderr: /redirect_uris.*is http/s })
  t.strictSame((await json('clients', 'list', '--origin', 'registered')).items, [])
})

t.test('clients update: what is named changes, the rest stays, null takes away', async (t) => {
  const made = await json('clients', 'create', 'shop', '--redirect-uri', 'https://shop.example/cb', '--name', 'Shop')
  const more = ['--redirect-uri', 'https://shop.example/b', '--redirect-uri', 'https://shop.example/c']
  const changed = await json('clients', 'update', 'shop', ...more, '--scope', 'openid email')
  t.match(changed, { client_name: 'Shop', redirect_uris: ['https://shop.example/b', 'https://shop.example/c'] })
  t.match(changed, { scope: 'openid email', created_at: made.created_at })
  t.notHas(changed, 'client_secret', 'the secret stays')
  const others = file(
    'change.json',
    '{"client_name": null, "client_name#de": "Laden", "client_uri": "https://shop.example"}',
  )
  t.match(await run('clients', 'update', 'shop', '--metadata-file', others), { code: 0, stdout: 'Changed shop.\n' })
  const shown = await json('clients', 'show', 'shop')
  t.match(shown, { 'client_name#de': 'Laden', client_uri: 'https://shop.example', scope: 'openid email' })
  t.notHas(shown, 'client_name')

  t.notHas(await json('clients', 'update', 'shop', '--public'), 'client_secret')
  const again = await run('clients', 'update', 'shop', '--auth-method', 'client_secret_post')
  t.match(again, { code: 0, stdout: /^Changed shop\.\nSecret: gth_cs_/ })
  t.match(await run('clients', 'update', 'shop'), { code: 2, stderr: /What is to change/ })
  t.match(await run('clients', 'update', 'nobody', '--name', 'x'), { code: 3 })
  const wrong = await run('clients', 'update', 'shop', '--redirect-uri', 'http://shop.example/')
  t.match(wrong, { code: 1, stderr: /redirect_uris.*is http/s })
})

t.test('clients initial-access-token: made and shown once, listed, deleted', async (t) => {
  const made = await json('clients', 'initial-access-token', 'create', '--uses', '5', '--expires-in', '600')
  t.match(made, { initial_access_token: /^gth_iat_/, uses_left: 5, expires_at: made.created_at + 600 })
  t.match(await json('clients', 'initial-access-token', 'create', '--unlimited'), { uses_left: null })
  const listed = await run('clients', 'initial-access-token', 'list')
  t.match(listed.stdout, made.token_id)
  t.notMatch(listed.stdout, /gth_iat_/)
  const remove = ['clients', 'initial-access-token', 'delete', made.token_id]
  t.match(await run(...remove), { code: 0, stdout: `Deleted ${made.token_id}.\n` })
  t.equal((await run(...remove)).code, 3)
})

t.test('clients disable and enable: shown in lists, and told by exit code', async (t) => {
  await json('clients', 'create', 'agent', '--grant-type', 'client_credentials')
  t.match(await json('clients', 'disable', 'agent'), { client_id: 'agent', disabled_at: Number })
  t.match((await run('clients', 'list')).stdout, /DISABLED\n(.*\n)*agent .*client_secret_basic +20\d\d-/)
  t.match(await run('clients', 'enable', 'agent'), { code: 0, stdout: 'agent may ask for tokens again.\n' })
  t.match(await json('clients', 'show', 'agent'), { disabled_at: null })
  for (const verb of ['disable', 'enable']) t.equal((await run('clients', verb, 'nobody')).code, 3)
})
