import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { testDatabase } from '../helpers/postgres.ts'
import {
  type CommandResult,
  runGatehouse,
  type ServerProcess,
  startServer,
  temporaryDirectory,
} from '../helpers/process.ts'
import { openSeeder } from '../helpers/seed.ts'

const PASSWORD = 'wander kettle plinth 4'
const PEOPLE = 8

/** A server with some people, of whom the first two know a password, and their refresh tokens. */
async function prepare(t: Test, env: Record<string, string> = {}) {
  const server = await startServer(t, env)
  const gatehouse = (...args: string[]) => runGatehouse(args, server.env)
  const seeder = await openSeeder(t, server.env)
  const tokens: string[] = []
  for (let index = 0; index < PEOPLE; index += 1) {
    const password = index < 2 ? { password: PASSWORD } : {}
    const { account_id } = await seeder.account({ username: `user-${index}`, ...password })
    tokens.push((await seeder.grant({ account_id })).token())
  }
  await seeder.deps.store.close()
  return { server, gatehouse, tokens }
}

async function post(server: Pick<ServerProcess, 'env'>, path: string, body: object) {
  const url = `http://127.0.0.1:${server.env.GATEHOUSE_PORT}${path}`
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

async function signIn(server: Pick<ServerProcess, 'env'>, username: string): Promise<string> {
  const { status, body } = await post(server, '/api/token/', { username, password: PASSWORD })
  if (status !== 200) throw new Error(`sign-in: ${status} ${JSON.stringify(body)}`)
  return body.refresh ?? ''
}

const refresh = (server: Pick<ServerProcess, 'env'>, token: string) =>
  post(server, '/api/token/refresh/', { refresh: token })

/** Refreshes again and again, each person with the last token that was acknowledged, until nothing is written any more. */
async function refreshUntilMoved(
  server: ServerProcess,
  tokens: string[],
): Promise<{ refreshed: number; other: number[] }> {
  let refreshed = 0
  const other: number[] = []
  await Promise.all(
    tokens.map(async (_, index) => {
      for (let turn = 0; turn < 5000; turn += 1) {
        const { status, body } = await refresh(server, tokens[index] ?? '')
        if (status !== 200) return void other.push(status)
        tokens[index] = body.refresh ?? ''
        refreshed += 1
      }
    }),
  )
  return { refreshed, other }
}

for (const engine of ['sqlite', 'postgres'] as const) {
  t.test(`moving to ${engine} under load: what was acknowledged by the old database is in the new one`, async (t) => {
    const { server, tokens } = await prepare(t)
    const to = engine === 'postgres' ? await testDatabase(t) : `sqlite:${join(temporaryDirectory(t), 'new.db')}`
    const file = join(temporaryDirectory(t), 'address')
    writeFileSync(file, `${to}\n`)
    const load = refreshUntilMoved(server, tokens)
    const copied = await runGatehouse(['db', 'copy', '--to-file', file, '--json'], server.env)
    t.equal(copied.code, 0, copied.stderr)
    t.match(JSON.parse(copied.stdout), { frozen: true, window_seconds: Number })
    const { refreshed, other } = await load
    t.ok(refreshed > PEOPLE, `${refreshed} refreshes`)
    t.strictSame([...new Set(other)], [503], 'the old server answers 503 from then on')
    t.match(server.output(), /this database has moved/)
    await server.stop()

    const moved = await startServer(t, { ...server.env, GATEHOUSE_DATABASE: to })
    for (const token of tokens) t.equal((await refresh(moved, token)).status, 200)
  })
}

t.test('a copy goes into an empty database, or into its own earlier copy, and nowhere else', async (t) => {
  const { gatehouse } = await prepare(t)
  const { server: other } = await prepare(t)
  const of = (server: ServerProcess) => `sqlite:${join(server.env.GATEHOUSE_DATA_DIR ?? '', 'gatehouse.db')}`
  t.match(await gatehouse('db', 'copy', '--to', of(other)), { code: 4, stderr: /another installation/ })
  t.match(await gatehouse('db', 'copy'), { code: 2 })
  t.match(await gatehouse('db', 'copy', '--to', 'postgres://u:hush@localhost/x'), {
    code: 2,
    stderr: /never an argument/,
  })
  t.match(await gatehouse('db', 'copy', '--from', 'sqlite:/nowhere/a.db', '--to', of(other)), { code: 3 })
  const fresh = `sqlite:${join(temporaryDirectory(t), 'fresh.db')}`
  t.match(await gatehouse('db', 'copy', '--to', fresh, '--keep'), { code: 0, stdout: /rehearsal/ })
  t.match(await gatehouse('db', 'copy', '--to', fresh), { code: 0, stdout: /refuses writes/ })
  t.match(await gatehouse('users', 'disable', 'user-1'), { code: 1, stderr: /has moved/ })
  t.match(await gatehouse('db', 'thaw'), { code: 0 })
  t.match(await gatehouse('users', 'disable', 'user-1'), { code: 0 })
})

t.test('a restored database brings back nothing that was revoked since', async (t) => {
  const { server, gatehouse, tokens } = await prepare(t)
  const [kept = '', revoked = ''] = tokens
  const backup = join(temporaryDirectory(t), 'backup.db')
  t.match(await gatehouse('backup', backup), { code: 0, stdout: /checked/ })
  t.equal(statSync(backup).mode & 0o777, 0o600)
  t.match(await gatehouse('backup', backup), { code: 1, stderr: /is there already/ })
  t.match(await gatehouse('grants', 'revoke', '--account', 'user-1', '--yes'), { code: 0 })
  t.equal((await refresh(server, revoked)).status, 401)

  t.match(await gatehouse('restore', backup), { code: 4, stderr: /A server has the database open/ })
  await server.stop()
  const restored = await gatehouse('restore', backup, '--json')
  t.match(JSON.parse(restored.stdout), { grants_ended: PEOPLE, put_away: /gatehouse\.db\.before-\d{8}T\d{6}Z$/ })
  const again = await startServer(t, server.env)
  for (const token of [kept, revoked]) t.equal((await refresh(again, token)).status, 401, 'everybody signs in again')
  const fresh = await signIn(again, 'user-1')
  t.equal((await refresh(again, fresh)).status, 200)
  const audit = await runGatehouse(['audit', 'list', '--event', 'database.restored', '--json'], again.env)
  t.match(audit.stdout, /"database.restored"/)
})

t.test('whoever knows that nothing was revoked keeps everybody signed in', async (t) => {
  const { server, gatehouse, tokens } = await prepare(t)
  const backup = join(temporaryDirectory(t), 'backup.db')
  await gatehouse('backup', backup)
  await server.stop()
  t.match(await gatehouse('restore', backup, '--keep-sessions'), { code: 0, stdout: /Nothing was ended/ })
  const again = await startServer(t, server.env)
  t.equal((await refresh(again, tokens[0] ?? '')).status, 200)
})

t.test('what cannot be restored leaves the database as it is', async (t) => {
  const { server, gatehouse, tokens } = await prepare(t)
  const { server: other } = await prepare(t)
  const folder = temporaryDirectory(t)
  const foreign = join(folder, 'foreign.db')
  const torn = join(folder, 'torn.db')
  await runGatehouse(['backup', foreign], other.env)
  writeFileSync(torn, 'SQLite format 3\0 and then nothing')
  await server.stop()
  const fails = async (args: string[], expected: Partial<Record<keyof CommandResult, unknown>>) =>
    t.match(await gatehouse('restore', ...args), expected)
  await fails([foreign], { code: 1, stderr: /key-encryption key/ })
  await fails([torn], { code: 1, stderr: /not a database that can be restored/ })
  await fails([join(folder, 'none.db')], { code: 3 })
  await fails([], { code: 2 })
  await fails([foreign, '--in-place'], { code: 2 })
  const again = await startServer(t, server.env)
  t.equal((await refresh(again, tokens[0] ?? '')).status, 200)
  t.strictSame(
    readdirSync(server.env.GATEHOUSE_DATA_DIR ?? '').filter((name) => /restoring|before/.test(name)),
    [],
  )
})

t.test('a database that other tools have put back ends its sessions in place', async (t) => {
  const { server, gatehouse, tokens } = await prepare(t, { GATEHOUSE_DATABASE: await testDatabase(t) })
  t.match(await gatehouse('backup', '/nowhere/a.db'), { code: 2, stderr: /pg_dump/ })
  t.match(await gatehouse('restore', '/nowhere/a.db'), { code: 2, stderr: /--in-place/ })
  await server.stop()
  t.match(await gatehouse('restore', '--in-place'), { code: 0, stdout: new RegExp(`Ended: ${PEOPLE} grants`) })
  const again = await startServer(t, server.env)
  t.equal((await refresh(again, tokens[0] ?? '')).status, 401)
})

t.test('a server that is told to makes the backup that is due', async (t) => {
  const directory = join(temporaryDirectory(t), 'backups')
  await prepare(t, { GATEHOUSE_BACKUP__DIRECTORY: directory })
  const made = () => readdirSync(directory).filter((name) => /^gatehouse-\d{8}T000000Z\.db$/.test(name))
  for (let tries = 0; tries < 100 && !(existsSync(directory) && made().length === 1); tries += 1) await sleep(100)
  t.equal(made().length, 1)
})
