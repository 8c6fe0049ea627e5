import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { complaintsAbout } from './helpers/tidy_rules.ts'

const ROOT = new URL('../', import.meta.url).pathname

/** Complaints about one made-up file. */
function about(path: string, text: string): string[] {
  return complaintsAbout([{ path, text }])
}

t.test('the repository keeps its own rules', async (t) => {
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  const paths = listing
    .toString()
    .split('\0')
    .filter((path) => /\.(ts|cjs|mjs|js|md|ya?ml|json|sql|py|sh)$/.test(path))
  const files = paths
    .filter((path) => path !== 'package-lock.json' && existsSync(`${ROOT}${path}`))
    .map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }))
  t.ok(files.length > 50, 'it was found at all')
  t.strictSame(complaintsAbout(files), [])
})

t.test('a layer imports what it may', async (t) => {
  const tidy: [string, string][] = [
    ['server/protocol/scope.ts', "import { createHash } from 'node:crypto'\nimport type { Seconds } from './time.ts'"],
    [
      'server/tokens/issue.ts',
      "import { signJwt } from '../../keys/signer.ts'\nimport type { Store } from '../storage/store.ts'",
    ],
    [
      'keys/vault.ts',
      "import type { Deps } from '../server/deps.ts'\nimport { type Store } from '../server/storage/store.ts'",
    ],
    ['server/endpoints/token.ts', "import type { FastifyReply } from 'fastify'\nimport jwt from '@fastify/jwt'"],
    ['server/storage/sqlite.ts', "import Database from 'better-sqlite3'"],
    ['server/storage/postgres.ts', "import { Pool } from 'pg'"],
    ['config/load.ts', "import { Value } from 'typebox/value'\nimport { readFileSync } from 'node:fs'"],
    ['server/accounts/password.ts', "import { auditRecord } from '../observe/audit.ts'"],
    [
      'resource_server/verifier.ts',
      "import { compactVerify } from 'jose'\nimport { readClaims } from './access_token.ts'",
    ],
    ['resource_server/fastify.ts', "import type { FastifyInstance } from 'fastify'"],
  ]
  for (const [path, text] of tidy) t.strictSame(about(path, text), [], path)
})

t.test('a layer does not import what it may not', async (t) => {
  const untidy: [string, string][] = [
    ['server/protocol/scope.ts', "import { signJwt } from '../tokens/issue.ts'"],
    ['server/protocol/scope.ts', "import type { Deps } from '../deps.ts'"],
    ['server/protocol/scope.ts', "import { readFileSync } from 'node:fs'"],
    ['server/protocol/scope.ts', "import { fastify } from 'fastify'"],
    ['server/tokens/issue.ts', "import { openStore } from '../storage/open.ts'"],
    ['server/tokens/issue.ts', "import { type Store, openStore } from '../storage/store.ts'"],
    ['server/tokens/issue.ts', "import type { FastifyRequest } from 'fastify'"],
    ['server/grant_types/password.ts', "import {\n  verify,\n} from '../accounts/password.ts'"],
    ['server/endpoints/token.ts', "import { setUp } from '../admin/accounts.ts'"],
    ['server/endpoints/token.ts', "const { pool } = await import('../storage/postgres.ts')"],
    ['server/storage/sqlite.ts', "import { Pool } from 'pg'"],
    ['server/storage/account_store.ts', "import Database from 'better-sqlite3'"],
    ['server/storage/sqlite.ts', "import { statements } from './statements.ts'"],
    ['keys/vault.ts', "import { deps } from '../server/deps.ts'"],
    ['keys/vault.ts', "import { buildApp } from '../server/app.ts'"],
    ['config/load.ts', "import type { Deps } from '../server/deps.ts'"],
    ['server/accounts/password.ts', "import 'pino'"],
    ['resource_server/verifier.ts', "import { confirms } from '../server/protocol/confirmation.ts'"],
    ['resource_server/verifier.ts', "import type { Confirmation } from '../server/protocol/confirmation.ts'"],
    ['resource_server/verifier.ts', "import { createHash } from 'node:crypto'"],
    ['resource_server/fastify.ts', "import { fastify } from 'fastify'"],
    ['server/somewhere/new.ts', "import type { Deps } from '../deps.ts'"],
  ]
  for (const [path, text] of untidy) t.equal(about(path, text).length, 1, `${path}: ${text}`)
})

t.test('the environment is read in one place', async (t) => {
  t.equal(about('server/app.ts', 'const port = process.env.PORT').length, 1)
  t.equal(about('server/app.ts', 'const { env } = process').length, 1)
  t.strictSame(about('config/load.ts', 'const port = process.env.PORT'), [])
  t.strictSame(about('bin/gatehouse.cjs', 'process.env.UV_THREADPOOL_SIZE = 4'), [])
  t.strictSame(about('server/app.ts', '// process.env is read elsewhere'), [])
})

t.test('time and randomness are made by the entry points', async (t) => {
  const calls = [
    'Date.now()',
    'new Date()',
    'Math.random()',
    'randomBytes(32)',
    'crypto.randomUUID()',
    'crypto.getRandomValues(b)',
  ]
  for (const call of calls) {
    t.equal(about('server/tokens/issue.ts', `const x = ${call}`).length, 1, call)
    t.strictSame(about('server/main.ts', `const x = ${call}`), [], `${call} in main.ts`)
    t.strictSame(about('test/helpers/clock.ts', `const x = ${call}`), [], `${call} in a test`)
  }
  t.strictSame(about('server/tokens/issue.ts', 'const x = new Date(at * 1000)'), [], 'an instant given is no clock')
})

t.test('the package for resource servers reads the clock in one place, and no environment', async (t) => {
  for (const text of ['Date.now()', 'new Date()', 'process.env.X', "console.log('hello')"])
    t.equal(about('resource_server/dpop.ts', `const x = ${text}`).length, 1, text)
  t.strictSame(about('resource_server/options.ts', 'const now = () => Date.now()'), [])
  t.strictSame(about('resource_server/dpop.ts', '// In this process. And console.log'), [])
})

t.test('only the command line prints', async (t) => {
  t.equal(about('server/app.ts', "console.log('hello')").length, 1)
  t.equal(about('keys/vault.ts', "process.stdout.write('hello')").length, 1)
  t.strictSame(about('server/cli/users.ts', "console.log('hello')"), [])
})

t.test('no default exports, no barrels', async (t) => {
  t.equal(about('server/app.ts', 'export default function app() {}').length, 1)
  t.equal(about('test/helpers/x.ts', "export * from './y.ts'").length, 1)
  t.equal(about('test/helpers/x.ts', "export { y } from './y.ts'").length, 1)
  t.equal(about('test/helpers/x.ts', "export type { Y } from './y.ts'").length, 1)
  t.strictSame(about('server/app.ts', 'export function app() {}\nexport const x = 1\nexport type { T }'), [])
})

t.test('no file is over 400 lines', async (t) => {
  t.strictSame(about('test/x.ts', 'x\n'.repeat(400)), [])
  t.equal(about('test/x.ts', 'x\n'.repeat(401)).length, 1)
  t.strictSame(about('docs/x.md', 'x\n'.repeat(401)), [], 'prose may be')
})

t.test('nothing is put off, and nothing points out of the repository', async (t) => {
  t.equal(about('server/app.ts', `// ${'TO'}${'DO'} later`).length, 1)
  t.equal(about('server/app.ts', `// ${'FIX'}${'ME'}`).length, 1)
  t.equal(about('README.md', `see ..${'/shared'}/design`).length, 1)
  t.equal(about('README.md', `see /${'work'}/main`).length, 1)
  t.strictSame(about('README.md', 'see network/shared and framework/main'), [])
})

t.test('code has no cycles; types may know each other', async (t) => {
  const a = { path: 'server/tokens/a.ts', text: "import { b } from './b.ts'" }
  t.strictSame(
    complaintsAbout([
      a,
      { path: 'server/tokens/b.ts', text: "import { c } from './c.ts'" },
      { path: 'server/tokens/c.ts', text: "import { a } from './a.ts'" },
    ]),
    ['cycle: server/tokens/a.ts → server/tokens/b.ts → server/tokens/c.ts → server/tokens/a.ts'],
  )
  t.strictSame(complaintsAbout([a, { path: 'server/tokens/b.ts', text: "import type { a } from './a.ts'" }]), [])
})
