import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { fillSnippet, SNIPPETS, snippetProblem } from '../../server/cli/snippet_catalog.ts'
import { runInProcess } from '../helpers/cli.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const OPTIONS = ['--issuer', 'https://id.example', '--audience', 'https://a.example/v1', '--scope', 'a.b']
const run = (...args: string[]) => runInProcess(['snippet', ...args], {})

t.test('it lists what there is, and says what a test runs', async (t) => {
  const { code, stdout } = await run()
  t.equal(code, 0)
  const { snippets } = JSON.parse((await run('--json')).stdout)
  t.strictSame(
    snippets.map(({ stack }: { stack: string }) => stack),
    Object.keys(SNIPPETS),
  )
  for (const [stack, { run_by }] of Object.entries(SNIPPETS)) {
    t.match(stdout, new RegExp(`^${stack} .* ${run_by === null ? 'no' : 'yes'}$`, 'm'))
  }
})

t.test('what is said to be run by a test is named there, and in docs/resource_servers.md', async (t) => {
  const documented = readFileSync(join(ROOT, 'docs/resource_servers.md'), 'utf8')
  for (const [stack, { run_by }] of Object.entries(SNIPPETS)) {
    const run_here = run_by === null ? 'no' : `[yes](../${run_by})`
    t.ok(new RegExp(`^\\| \`${stack}\` +\\|.*\\|`, 'm').test(documented), `${stack} has a row`)
    const row = documented.split('\n').find((line) => line.startsWith(`| \`${stack}\` `)) ?? ''
    t.ok(row.includes(`| ${run_here} `), `${stack}: ${run_here} in ${row}`)
    if (run_by === null) continue
    t.ok(new RegExp(`['"]${stack}['"]`).test(readFileSync(join(ROOT, run_by), 'utf8')), `${stack} in ${run_by}`)
  }
})

t.test('every file of every folder is printed, with what was asked for and nothing that stood for it', async (t) => {
  t.strictSame(readdirSync(join(ROOT, 'snippets')).sort(), Object.keys(SNIPPETS).sort())
  for (const [stack, { files, run_by }] of Object.entries(SNIPPETS)) {
    t.strictSame(readdirSync(join(ROOT, 'snippets', stack)).sort(), [...files].sort(), stack)
    const { code, stdout, stderr } = await run(stack, ...OPTIONS)
    t.equal(code, 0, `${stack} ${stderr}`)
    t.notMatch(stdout, /login\.example\.com|api\.example\.com|orders:read|orders\[:\]/, stack)
    t.match(stdout, 'https://id.example', stack)
    t.equal(stderr === '', run_by !== null, `${stack}: ${stderr}`)
    const json = JSON.parse((await run(stack, ...OPTIONS, '--json')).stdout)
    t.strictSame(
      json.files.map(({ name }: { name: string }) => name),
      files,
    )
  }
})

t.test('what is YAML or JSON is so after it was filled in', async (t) => {
  for (const stack of ['envoy', 'traefik', 'kong', 'kubernetes']) {
    t.type(parse((await run(stack, ...OPTIONS)).stdout), 'object', stack)
  }
  const { files } = JSON.parse((await run('hasura', ...OPTIONS, '--json')).stdout)
  t.match(JSON.parse(files[0].text), {
    jwk_url: 'https://id.example/.well-known/jwks.json',
    issuer: 'https://id.example',
  })
})

t.test('the values go where they belong, as the place takes them', async (t) => {
  const values = { issuer: 'http://localhost:3000/id', audience: 'https://a.example/v1?x=1', scope: 'a.b' }
  const text = [
    'iss https://login.example.com aud https://api.example.com scope orders:read',
    'resource=https%3A%2F%2Fapi.example.com&scope=orders:read regex (orders[:]read)',
    'address: login.example.com, port_value: 443',
    'uri /forward-auth?x',
    'path_prefix: /forward-auth/with/',
    'reverse_proxy https://login.example.com {',
  ].join('\n')
  t.equal(
    fillSnippet(text, values),
    [
      'iss http://localhost:3000/id aud https://a.example/v1?x=1 scope a.b',
      'resource=https%3A%2F%2Fa.example%2Fv1%3Fx%3D1&scope=a.b regex (a[.]b)',
      'address: localhost, port_value: 3000',
      'uri /id/forward-auth?x',
      'path_prefix: /id/forward-auth/with/',
      'reverse_proxy http://localhost:3000 {',
    ].join('\n'),
  )
  const swapped = { ...values, issuer: 'https://api.example.com', audience: 'https://login.example.com' }
  t.equal(
    fillSnippet('https://login.example.com https://api.example.com', swapped),
    'https://api.example.com https://login.example.com',
  )
})

t.test('a value that would mean something else in one of the files is refused', async (t) => {
  const good = { issuer: 'https://id.example', audience: 'urn:example:api', scope: 'a:b.c/d_e-f' }
  t.equal(snippetProblem(good), undefined)
  for (const audience of [
    'api',
    "https://a.example/'",
    'https://a.example/"',
    'https://a.example/\n',
    'https://a.example/$x',
    'https://a.example/;x',
    'https://a b',
    'https://a.example,x',
    '',
  ]) {
    t.match(snippetProblem({ ...good, audience }), /audience/, audience)
  }
  for (const scope of ['', 'a b', "a'", 'a"', 'a$', 'a;b', 'a\\b', 'a|b', 'é'])
    t.match(snippetProblem({ ...good, scope }), /scope/)
  t.match(await run('fastify', '--audience', "x'"), { code: 2, stdout: '' })
  t.match(await run('fastify', '--issuer', 'https://id.example/'), { code: 2, stdout: '' })
  t.match(await run('cobol'), { code: 3, stderr: /There is no snippet for cobol/ })
  t.match(await run('constructor'), { code: 3 })
})

t.test('left out, the audience is the default resource, and the issuer is as configured', async (t) => {
  const env = { GATEHOUSE_ISSUER: 'https://id.example', GATEHOUSE_TOKENS__DEFAULT_RESOURCE: 'https://default.example' }
  const { stdout } = await runInProcess(['snippet', 'fastify'], env)
  t.match(stdout, "const AUDIENCE = 'https://default.example'")
  t.match(stdout, "const ISSUER = 'https://id.example'")
  t.match(stdout, "requireScope('read')")
})

t.test('--output writes the files, and over none', async (t) => {
  const folder = join(t.testdir(), 'new')
  const { code, stdout } = await run('go', ...OPTIONS, '--output', folder)
  t.match([code, stdout], [0, /main\.go/])
  t.ok(existsSync(join(folder, 'go.sum')))
  t.match(await run('go', ...OPTIONS, '--output', folder), { code: 4, stderr: /is there already/ })
})
