import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Value } from 'typebox/value'
import { type LoadedConfig, loadConfig } from '../../config/load.ts'
import { ConfigError, type ConfigProblem } from '../../config/problems.ts'
import { ConfigSchema } from '../../config/schema.ts'

type Env = Record<string, string>

function load(cwd: string, options: { env?: Env; flags?: Record<string, unknown>; file?: string } = {}): LoadedConfig {
  if (options.file !== undefined) writeFileSync(join(cwd, 'gatehouse.yaml'), options.file)
  return loadConfig({ env: options.env ?? {}, flags: options.flags ?? {}, cwd })
}

function problemsOf(cwd: string, options: Parameters<typeof load>[1]): readonly ConfigProblem[] {
  try {
    load(cwd, options)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('with nothing given, everything has its default', async (t) => {
  const cwd = t.testdir()
  const { config, sources } = load(cwd)
  t.equal(config.issuer, 'http://localhost:3000')
  t.equal(config.host, '127.0.0.1')
  t.equal(config.data_dir, join(cwd, 'data'))
  t.equal(config.database, `sqlite:${join(cwd, 'data', 'gatehouse.db')}`)
  t.equal(config.keys.key_encryption_key_file, join(cwd, 'data', 'key_encryption_key'))
  t.equal(config.tokens.access_token_seconds, 300)
  t.equal(config.tokens.default_resource, null)
  t.same(config.http.trust_proxy, [])
  t.equal(sources.get('port'), 'default')
  t.ok(Object.isFrozen(config.http.trust_proxy), 'and none of it can be changed')
})

t.test('default < file < environment < flags', async (t) => {
  const cwd = t.testdir()
  const file = 'host: 0.0.0.0\nport: 1000\ntokens:\n  access_token_seconds: 100\n  reuse_window_seconds: 20\n'
  const env = { GATEHOUSE_PORT: '2000', GATEHOUSE_TOKENS__ACCESS_TOKEN_SECONDS: '200' }
  const { config, sources } = load(cwd, { file, env, flags: { port: '3001', host: undefined } })
  t.match(config, { host: '0.0.0.0', port: 3001, tokens: { access_token_seconds: 200, reuse_window_seconds: 20 } })
  t.equal(sources.get('port'), '--port')
  t.equal(sources.get('tokens.access_token_seconds'), 'GATEHOUSE_TOKENS__ACCESS_TOKEN_SECONDS')
  t.equal(sources.get('tokens.reuse_window_seconds'), 'gatehouse.yaml:5')
})

t.test('the default issuer follows the port, a given one does not', async (t) => {
  const cwd = t.testdir()
  t.equal(load(cwd, { flags: { port: 4000 } }).config.issuer, 'http://localhost:4000')
  const env = { GATEHOUSE_ISSUER: 'https://login.example.com', GATEHOUSE_PORT: '4000' }
  t.equal(load(cwd, { env }).config.issuer, 'https://login.example.com')
  t.match(problemsOf(cwd, { flags: { port: 0 } }), [{ path: 'issuer', source: '--port' }])
})

t.test('the file is where --config or GATEHOUSE_CONFIG says, and then it must be there', async (t) => {
  const cwd = t.testdir({ 'a.yaml': 'port: 1', 'b.json': '{ "port": 2 }' })
  t.equal(load(cwd, { flags: { config: 'a.yaml' } }).config.port, 1)
  t.equal(load(cwd, { env: { GATEHOUSE_CONFIG: 'b.json' } }).config.port, 2, 'JSON is YAML')
  t.match(problemsOf(cwd, { flags: { config: 'c.yaml' } }), [{ source: 'c.yaml', message: /cannot be read/ }])
})

t.test('an empty file and an empty section change nothing', async (t) => {
  const cwd = t.testdir()
  t.equal(load(cwd, { file: '# nothing yet\n' }).config.port, 3000)
  t.equal(load(cwd, { file: 'tokens:\n' }).config.tokens.access_token_seconds, 300)
})

t.test('the environment is typed strictly', async (t) => {
  const cwd = t.testdir()
  const env = {
    GATEHOUSE_TOKEN_API__ENABLED: 'false',
    GATEHOUSE_HTTP__CORS_ORIGINS: 'https://a.example, https://b.example',
    GATEHOUSE_TOKENS__DEFAULT_RESOURCE: '',
  }
  const { config } = load(cwd, { env })
  t.equal(config.token_api.enabled, false)
  t.same(config.http.cors_origins, ['https://a.example', 'https://b.example'])
  t.equal(config.tokens.default_resource, null)
  for (const text of ['3000.5', '0x10', '3e3', ' 3000', '', '99999999999999999999']) {
    t.match(
      problemsOf(cwd, { env: { GATEHOUSE_PORT: text } }),
      [{ path: 'port', example: 'GATEHOUSE_PORT=3000' }],
      text,
    )
  }
  for (const text of ['yes', '1', 'TRUE', '']) {
    t.match(problemsOf(cwd, { env: { GATEHOUSE_TOKEN_API__ENABLED: text } }), [{ path: 'token_api.enabled' }], text)
  }
})

t.test('_FILE reads a value from a file, without its last line break', async (t) => {
  const cwd = t.testdir({ secret: 'postgres://gatehouse:hunter2@db/gatehouse\n' })
  const env = { GATEHOUSE_DATABASE_FILE: 'secret' }
  t.equal(load(cwd, { env }).config.database, 'postgres://gatehouse:hunter2@db/gatehouse')
  const both = { GATEHOUSE_DATABASE: 'sqlite:x', ...env }
  t.match(problemsOf(cwd, { env: both }), [{ source: 'GATEHOUSE_DATABASE_FILE', message: /too/ }])
  t.match(problemsOf(cwd, { env: { GATEHOUSE_DATABASE_FILE: 'none' } }), [{ message: /ENOENT/ }])
  const own = { GATEHOUSE_KEYS__KEY_ENCRYPTION_KEY_FILE: 'secret' }
  t.equal(load(cwd, { env: own }).config.keys.key_encryption_key_file, join(cwd, 'secret'), 'its own name ends so')
})

t.test('all problems are told at once, with file and line', async (t) => {
  const cwd = t.testdir()
  const file = 'port: hello\ntokens:\n  acces_token_seconds: 5\n  refresh_idle_seconds: 1\ncolour: red\n'
  const problems = problemsOf(cwd, { file, env: { GATEHOUSE_HTTP__BODY_LIMT_BYTES: '1' } })
  t.strictSame(
    problems.map(({ path, source, suggestion }) => [path, source, suggestion]),
    [
      ['tokens.acces_token_seconds', 'gatehouse.yaml:3', 'tokens.access_token_seconds'],
      ['colour', 'gatehouse.yaml:5', undefined],
      ['GATEHOUSE_HTTP__BODY_LIMT_BYTES', 'GATEHOUSE_HTTP__BODY_LIMT_BYTES', 'GATEHOUSE_HTTP__BODY_LIMIT_BYTES'],
      ['port', 'gatehouse.yaml:1', undefined],
      ['tokens.refresh_idle_seconds', 'gatehouse.yaml:4', undefined],
    ],
  )
  const { message } = new ConfigError(problems)
  t.match(message, /5 problems/)
  t.match(message, /Did you mean tokens\.access_token_seconds\?/)
  t.match(message, /For example: tokens: \{ refresh_idle_seconds: 2592000 \}/)
})

t.test('a key at the wrong level, or the wrong section, is pointed to the right one', async (t) => {
  const cwd = t.testdir()
  const suggested = (file: string) => problemsOf(cwd, { file }).map((problem) => problem.suggestion)
  t.same(suggested('access_token_seconds: 60'), ['tokens.access_token_seconds'])
  t.same(suggested('token:\n  access_token_seconds: 60'), ['tokens'])
  t.match(problemsOf(t.testdir({}), { flags: { prot: 1 } }), [{ source: '--prot', suggestion: 'port' }])
})

t.test('a broken file is a problem with its line', async (t) => {
  const cwd = t.testdir()
  t.match(problemsOf(cwd, { file: 'port: 1\nport: 2\n' }), [{ source: 'gatehouse.yaml:2', message: /unique/ }])
  t.match(problemsOf(cwd, { file: 'port: 1\n  host: [\n' }), [{ source: /gatehouse\.yaml:\d/ }])
  t.match(problemsOf(cwd, { file: '- port\n' }), [{ example: 'port: 3000' }])
  t.match(problemsOf(cwd, { file: 'tokens: 5\n' }), [{ path: 'tokens', message: 'must be a group of keys' }])
  t.match(problemsOf(cwd, { file: 'port:\n' }), [{ path: 'port', message: /not nothing/ }])
  t.match(problemsOf(cwd, { file: '[a, b]: 1\n__proto__: 2\nconstructor: 3\n' }).length, 3)
})

t.test('what is set by half is refused, and told what it needs', async (t) => {
  const cwd = t.testdir()
  const [certificate, key] = ['http.tls_certificate_file', 'http.tls_key_file']
  const header = { 'http.client_certificate_header': 'client-cert' }
  const proxy = { 'http.trust_proxy': ['10.0.0.0/8'] }
  const told = (flags: Record<string, unknown>) => problemsOf(cwd, { flags }).map(({ path }) => path)
  t.same(told({ [certificate]: 'a.pem' }), [certificate])
  t.same(told({ [key]: 'a.key' }), [key])
  t.same(told(header), ['http.client_certificate_header'])
  t.same(told({ ...header, ...proxy, [certificate]: 'a.pem', [key]: 'a.key' }), ['http.client_certificate_header'])
  t.same(told({ ...header, ...proxy }), [])
  const origins = { 'forward_auth.origins': ['https://app.example.com'] }
  t.same(told(origins), ['forward_auth.origins'])
  t.same(told({ ...origins, ...proxy, profile: 'fapi2' }), ['forward_auth.origins'])
  t.same(told({ ...origins, ...proxy }), [])
  const { http } = load(cwd, { flags: { [certificate]: 'a.pem', [key]: '/secrets/a.key' } }).config
  t.match(http, { tls_certificate_file: join(cwd, 'a.pem'), tls_key_file: '/secrets/a.key' }, 'and paths are absolute')
})

t.test('lifetimes that contradict each other are refused, and told with both values', async (t) => {
  const cwd = t.testdir()
  const refused: [string, Env][] = [
    ['tokens.refresh_idle_seconds', { GATEHOUSE_TOKENS__REFRESH_ABSOLUTE_SECONDS: '3600' }],
    ['token_api.refresh_idle_seconds', { GATEHOUSE_TOKEN_API__REFRESH_ABSOLUTE_SECONDS: '3600' }],
    ['tokens.access_token_seconds', { GATEHOUSE_TOKENS__REFRESH_IDLE_SECONDS: '299' }],
    ['tokens.access_token_seconds', { GATEHOUSE_TOKEN_API__REFRESH_IDLE_SECONDS: '299' }],
    ['tokens.reuse_window_seconds', { GATEHOUSE_TOKENS__ACCESS_TOKEN_SECONDS: '29' }],
    ['keys.publish_ahead_seconds', { GATEHOUSE_KEYS__ROTATION_SECONDS: '86400' }],
    ['throttle.lock_base_seconds', { GATEHOUSE_THROTTLE__LOCK_MAX_SECONDS: '59' }],
    ['http.token_body_limit_bytes', { GATEHOUSE_HTTP__BODY_LIMIT_BYTES: '1024' }],
  ]
  for (const [path, env] of refused) {
    const [name = ''] = Object.keys(env)
    t.match(problemsOf(cwd, { env }), [{ path, source: name, message: /from default/ }], `${path} against ${name}`)
  }
  const equal = { GATEHOUSE_TOKENS__REFRESH_IDLE_SECONDS: '300', GATEHOUSE_TOKENS__REFRESH_ABSOLUTE_SECONDS: '300' }
  t.same(problemsOf(cwd, { env: equal }), [], 'equal lifetimes are fine')
})

t.test('what the commands authenticate with is no setting, and no mistake either', async (t) => {
  const env = { GATEHOUSE_TOKEN: 'a', GATEHOUSE_CLIENT_SECRET: 'b' }
  t.same(problemsOf(t.testdir(), { env }), [])
  t.equal(problemsOf(t.testdir(), { env: { GATEHOUSE_TOKENS: 'a' } }).length, 1)
})

t.test('Kubernetes service links are explained', async (t) => {
  const cwd = t.testdir()
  const env = { GATEHOUSE_SERVICE_HOST: '10.0.0.1', GATEHOUSE_PORT_3000_TCP: 'tcp://10.0.0.1:3000' }
  t.match(problemsOf(cwd, { env }), [{ suggestion: /enableServiceLinks/ }, { suggestion: /enableServiceLinks/ }])
})

t.test('what was loaded is what the schema describes', async (t) => {
  const { config } = loadConfig({ env: {}, cwd: t.testdir() })
  t.ok(Value.Check(ConfigSchema, config))
  t.notOk(Value.Check(ConfigSchema, { ...config, port: '3000' }))
})
