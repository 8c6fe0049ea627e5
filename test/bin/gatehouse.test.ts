import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'

const LAUNCHER = readFileSync(new URL('../../bin/gatehouse.cjs', import.meta.url), 'utf8')
const PACKAGE = '{ "type": "module" }'
const SAYS = (what: string) =>
  `export async function main(argv) { console.log('${what}', process.env.UV_THREADPOOL_SIZE, argv.join()); return 4 }`
const SOURCE = { cli: { 'index.ts': SAYS('source') } }
const BUILT = { server: { cli: { 'index.js': SAYS('built') } } }

/** Runs the launcher in a folder of its own, which is laid out as `folders` says. */
function launch(
  t: Test,
  folders: Record<string, object | string>,
  env: Record<string, string> = {},
  node: string[] = [],
) {
  const folder = t.testdir({ 'package.json': PACKAGE, bin: { 'gatehouse.cjs': LAUNCHER }, ...folders })
  const args = [...node.map((arg) => arg.replace('FOLDER', folder)), `${folder}/bin/gatehouse.cjs`, 'users', 'list']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

t.test('a clone runs its sources, a published package what was built', async (t) => {
  t.match(launch(t, { server: SOURCE, dist: BUILT }), { status: 4, stdout: /^source \d+ users,list\n$/, stderr: '' })
  t.match(launch(t, { dist: BUILT, server: {} }), { status: 4, stdout: /^built \d+ users,list\n$/ })
})

t.test('the thread pool has room beside the hashing of passwords, unless someone chose its size', async (t) => {
  const { stdout } = launch(t, { server: SOURCE })
  t.ok(Number(stdout.split(' ')[1]) >= 4, stdout)
  t.match(launch(t, { server: SOURCE }, { UV_THREADPOOL_SIZE: '3' }).stdout, /^source 3 /)
})

t.test('a Node that is too old is told so, with what to do', async (t) => {
  const old = "Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })"
  const result = launch(t, { server: SOURCE, 'old.cjs': old }, {}, ['--require', 'FOLDER/old.cjs'])
  t.match(result, { status: 2, stdout: '', stderr: /needs Node 24 or newer; this is Node 20\.20\.2 .*npm start/s })
})

t.test('a start that fails is a 1, with the reason', async (t) => {
  const result = launch(t, {
    server: { cli: { 'index.ts': "export const main = async () => { throw new Error('reason') }" } },
  })
  t.match(result, { status: 1, stderr: /reason/ })
})
