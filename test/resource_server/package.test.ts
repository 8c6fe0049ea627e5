/** The package as it is published: built, packed, and used by programs that have nothing of this repository. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const execute = promisify(execFile)
/** Without what tap has every process load. */
const run = (command: string, args: readonly string[], options: { cwd?: string; timeout?: number } = {}) =>
  execute('env', ['-u', 'NODE_OPTIONS', command, ...args], options)
const ROOT = new URL('../../', import.meta.url).pathname
const SOURCE = join(ROOT, 'resource_server')
const NAME = '@gatehouse/resource-server'
const TYPESCRIPT = join(ROOT, 'node_modules/typescript/bin/tsc')

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-package-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const [built, app] = [join(folder, 'built'), join(folder, 'app')]

/** Builds where nothing else is, packs, and unpacks where a program would have it installed. @returns the names in the tarball */
async function install(): Promise<string[]> {
  mkdirSync(built)
  for (const file of ['package.json', 'README.md', 'LICENSE']) cpSync(join(SOURCE, file), join(built, file))
  await run(process.execPath, [TYPESCRIPT, '-p', SOURCE, '--outDir', join(built, 'dist')])
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: built,
  })
  const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout)
  if (packed === undefined) throw new Error(`npm packed nothing: ${stdout}`)
  const installed = join(app, 'node_modules', NAME)
  mkdirSync(installed, { recursive: true })
  await run('tar', ['-xzf', join(folder, packed.filename), '--strip-components=1', '-C', installed])
  symlinkSync(join(ROOT, 'node_modules/jose'), join(app, 'node_modules/jose'))
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
  return packed.files.map(({ path }) => path)
}

const files = await install()
const manifest = JSON.parse(readFileSync(join(SOURCE, 'package.json'), 'utf8'))

const PROGRAM = `
import { createVerifier } from '${NAME}'
import { VerifierError } from '${NAME}/error'
import { hasScope } from '${NAME}/claims'
import { protectedResourceMetadataUrl } from '${NAME}/metadata'
import { withToken } from '${NAME}/fetch'
import { requireToken } from '${NAME}/express'
import { resourceServer } from '${NAME}/fastify'
import { mcpTokenVerifier } from '${NAME}/mcp'

const { issuer, audience, good, bad } = JSON.parse(process.argv[2])
const verifier = createVerifier({ issuer, audience })
const claims = await verifier.verify(good)
const refusal = await verifier.verify(bad).catch((error) => error)
const handler = withToken(verifier, { scope: 'read' }, (_request, claims) => Response.json(claims.sub))
const answer = await handler(new Request(audience, { headers: { authorization: 'Bearer ' + good } }))
console.log(JSON.stringify({
  sub: claims.sub,
  read: hasScope(claims, 'read'),
  refusal: [refusal instanceof VerifierError, refusal.status, refusal.challenge],
  answer: await answer.json(),
  url: protectedResourceMetadataUrl(audience),
  adapters: [requireToken, resourceServer, mcpTokenVerifier].map((adapter) => typeof adapter),
}))
`

t.test('it has what it needs, and nothing else', async (t) => {
  t.ok(files.includes('dist/verifier.js') && files.includes('dist/verifier.d.ts'))
  t.ok(files.includes('README.md') && files.includes('LICENSE'))
  t.strictSame(
    files.filter((path) => !/^(dist\/\w+\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/.test(path)),
    [],
  )
  t.strictSame(Object.keys(manifest.dependencies), ['jose'])
  t.equal(manifest.sideEffects, false)
  const exported = Object.values<{ types: string; default: string }>(manifest.exports)
  for (const path of exported.flatMap(({ types, default: code }) => [types, code]))
    t.ok(files.includes(path.slice(2)), path)
})

t.test('no module does anything when it is loaded, or loads more than jose', async (t) => {
  for (const name of readdirSync(join(built, 'dist')).filter((name) => name.endsWith('.js'))) {
    const code = readFileSync(join(built, 'dist', name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    const imported = [...code.matchAll(/^import [^;]*?from ['"]([^'"]+)['"]/gm)].map((match) => match[1] ?? '')
    t.strictSame(
      imported.filter((specifier) => specifier !== 'jose' && !specifier.startsWith('./')),
      [],
      name,
    )
    t.notMatch(code, /\b(?:process|Buffer|require|__dirname)\b\s*[.([]/, `${name}: nothing of Node alone`)
  }
})

// The second is the one that npm runs on, which may be older than the one that the tests run on.
for (const node of new Set([process.execPath, process.env.npm_node_execpath ?? process.execPath])) {
  const { stdout: version } = await run(node, ['--version'])
  t.test(`it runs on Node ${version.trim()}`, async (t) => {
    const issuer = await startStandInIssuer(t)
    writeFileSync(join(app, 'program.js'), PROGRAM)
    const [good, bad] = [await issuer.token(), await issuer.token({ aud: 'x' })]
    const trusted = JSON.stringify({ issuer: issuer.issuer, audience: issuer.audience, good, bad })
    const { stdout } = await run(node, [join(app, 'program.js'), trusted], { timeout: 20_000 })
    t.match(JSON.parse(stdout), {
      sub: 'account_1',
      read: true,
      refusal: [true, 401, /^Bearer error="invalid_token"/],
      answer: 'account_1',
      url: `${issuer.audience}/.well-known/oauth-protected-resource`,
      adapters: ['function', 'function', 'function'],
    })
  })
}

t.test('its types hold, and hold off what is wrong', async (t) => {
  const check = (text: string) => {
    writeFileSync(join(app, 'program.ts'), text)
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,dom',
      '--types',
      '',
    ]
    return run(process.execPath, [TYPESCRIPT, ...options, join(app, 'program.ts')], { cwd: app }).then(
      () => 'fine',
      ({ stdout }: { stdout: string }) => stdout,
    )
  }
  const start = `import { createVerifier, type Verifier } from '${NAME}'\nimport { VerifierError } from '${NAME}/error'\n`
  const verifier = `const verifier: Verifier = createVerifier({ issuer: 'https://i.example', audience: 'x' })\n`
  const use = `export const sub: Promise<string> = verifier.verify('x', { scope: 'read' }).then((claims) => claims.sub)\n`
  t.equal(
    await check(
      `${start}${verifier}${use}export const is = (e: unknown) => e instanceof VerifierError && e.challenge\n`,
    ),
    'fine',
  )
  t.match(await check(`${start}createVerifier({ issuer: 'https://i.example' })`), /audience/)
  t.match(await check(`${start}${verifier}verifier.verify(5)`), /TS2345/)
})
