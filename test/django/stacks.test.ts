/**
 * docs/django.md, "In production": the servers that Django sites use, with several workers each, from the page's own
 * files. gatehouse-drf is installed as a package.
 */
import { execFile } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { apiClient, type Get, refusal } from '../helpers/api_client.ts'
import { startProgram } from '../helpers/child_process.ts'
import { djangoPackages, MOD_WSGI, SITE } from '../helpers/django.ts'
import { blocksOf } from '../helpers/markdown.ts'
import { freePort, startServer, temporaryDirectory } from '../helpers/process.ts'
import { INSTALL_SECONDS } from '../helpers/python.ts'
import { AUDIENCE, inTime, run, signIn, USER } from '../helpers/resource_server_flow.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const PAGE = readFileSync(join(ROOT, 'docs/django.md'), 'utf8')
const NGINX = '/usr/sbin/nginx'
const APACHE = '/usr/sbin/apache2'
const MODULES = '/usr/lib/apache2/modules'
const WORKERS = 3

const exec = promisify(execFile)

/** Who a web server that was started by root becomes has to get in as well. */
function isOpenToAll(path: string): boolean {
  return (statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || isOpenToAll(dirname(path)))
}

const MISSING = {
  nginx: absent(NGINX),
  mod_wsgi: absent(APACHE) || absent(MOD_WSGI) || (!isOpenToAll(ROOT) && `www-data cannot get into ${ROOT}`),
} as const

function absent(path: string): false | string {
  return !existsSync(path) && `there is no ${path}`
}

interface Place {
  readonly folder: string
  readonly port: number
  readonly bin: string
}

/** A file of the page, for this folder and port. There is no TLS here: other tests have that. */
function pageFile(name: string, { folder, port, bin }: Place): string {
  const block = blocksOf(PAGE).find(({ tag }) => tag === `file ${name}`)
  if (block === undefined) throw new Error(`docs/django.md has no ${name}`)
  return block.text
    .replace(/^.*(ssl_certificate|SSLEngine|SSLCertificate).*\n/gm, '')
    .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
    .replace('*:443', `127.0.0.1:${port}`)
    .replaceAll('/run/site', join(folder, 'run'))
    .replaceAll('/srv/site/venv', dirname(bin))
    .replaceAll('/srv/site', join(folder, 'site'))
}

async function startNginx(t: Test, place: Place, server: string): Promise<void> {
  const { folder } = place
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const lines = [
    'daemon off;',
    'worker_processes 2;',
    // Only root can become another user; others are warned.
    ...(process.getuid?.() === 0 ? ['user www-data;'] : []),
    `pid ${join(folder, 'nginx.pid')};`,
    'error_log stderr notice;',
    'events {}',
    'http {',
    'access_log off;',
    ...temporary.map((name) => `${name}_temp_path ${join(folder, name)};`),
    server,
    '}',
  ]
  writeFileSync(file, lines.join('\n'))
  const ready = /start worker process \d+/
  const nginx = await startProgram({ command: NGINX, args: ['-p', folder, '-c', file, '-e', 'stderr'], ready })
  t.teardown(() => nginx.stop())
}

/** How each is started. The process that the site runs in belongs to whom the test belongs to, but for Apache's. */
const STACKS: Readonly<
  Record<string, { readonly missing: string | false; readonly start: (t: Test, place: Place) => Promise<void> }>
> = {
  'gunicorn behind nginx': {
    missing: MISSING.nginx,
    async start(t, place) {
      const { bin, folder } = place
      writeFileSync(join(folder, 'site/gunicorn.conf.py'), pageFile('gunicorn.conf.py', place))
      const gunicorn = await startProgram({
        command: join(bin, 'gunicorn'),
        args: ['wsgi:application', '--no-control-socket'],
        cwd: join(folder, 'site'),
        ready: new RegExp(`(?:Booting worker[\\s\\S]*){${WORKERS}}`),
      })
      t.teardown(() => gunicorn.stop())
      await startNginx(t, place, pageFile('nginx_gunicorn.conf', place))
    },
  },
  'uWSGI behind nginx': {
    missing: MISSING.nginx,
    async start(t, place) {
      const { bin, folder } = place
      const ini = join(folder, 'site/uwsgi.ini')
      // On the page nginx and the site are one user, www-data.
      writeFileSync(ini, pageFile('uwsgi.ini', place).replace('chmod-socket = 660', 'chmod-socket = 666'))
      const ready = new RegExp(`(?:spawned uWSGI worker[\\s\\S]*){${WORKERS}}`)
      const uwsgi = await startProgram({ command: join(bin, 'uwsgi'), args: ['--ini', ini], ready })
      t.teardown(() => uwsgi.stop())
      await startNginx(t, place, pageFile('nginx_uwsgi.conf', place))
    },
  },
  'Apache with mod_wsgi': {
    missing: MISSING.mod_wsgi,
    async start(t, place) {
      const { folder, port } = place
      const modules = ['mpm_event', 'authn_core', 'authz_core', 'wsgi']
      const lines = [
        ...modules.map((name) => `LoadModule ${name}_module ${join(MODULES, `mod_${name}.so`)}`),
        `ServerRoot ${folder}`,
        `DefaultRuntimeDir ${folder}`,
        `PidFile ${join(folder, 'pid')}`,
        `WSGISocketPrefix ${join(folder, 'wsgi')}`,
        'User www-data',
        'Group www-data',
        // Node's pipes are sockets, which cannot be opened as a file.
        'ErrorLog "|/bin/cat"',
        `Listen 127.0.0.1:${port}`,
        pageFile('apache.conf', place),
      ]
      const file = join(folder, 'apache.conf')
      writeFileSync(file, lines.join('\n'))
      const ready = /resuming normal operations/
      const apache = await startProgram({ command: APACHE, args: ['-f', file, '-DFOREGROUND'], cwd: folder, ready })
      t.teardown(() => apache.stop())
    },
  },
}

t.setTimeout((INSTALL_SECONDS + 120) * 1_000)
const nothing = Object.values(STACKS).every(({ missing }) => missing !== false) && 'there is neither nginx nor mod_wsgi'
const python = nothing ? { unavailable: nothing } : await djangoPackages('5.2')
const skip = 'unavailable' in python && python.unavailable
if (skip) process.stderr.write(`test/django/stacks.test.ts SKIPPED: ${skip}\n`)

t.test('the servers of docs/django.md', { skip }, async (t) => {
  if ('unavailable' in python) return
  const { bin } = python
  const top = temporaryDirectory(t)
  chmodSync(top, 0o755)
  cpSync(join(ROOT, 'django'), join(top, 'package'), { recursive: true })
  const options = ['--quiet', '--no-deps', '--no-build-isolation', '--force-reinstall']
  await exec(join(bin, 'python'), ['-m', 'pip', 'install', ...options, join(top, 'package')], { timeout: 60_000 })

  const server = await startServer(t, {
    GATEHOUSE_TOKENS__DEFAULT_RESOURCE: AUDIENCE,
    GATEHOUSE_STATUS_LISTS__TTL_SECONDS: '5',
  })
  await run(server, ['resources', 'create', AUDIENCE, '--scope', 'read', '--scope', 'write'])
  await run(server, ['users', 'create', USER.username, '--password-stdin'], USER.password)
  const token = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${server.issuer}/api/token/${path}/`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return (await answer.json()) as { access: string; refresh: string }
  }

  for (const [name, { missing, start }] of Object.entries(STACKS)) {
    if (missing) process.stderr.write(`test/django/stacks.test.ts ${name} SKIPPED: ${missing}\n`)
    t.test(name, { skip: missing }, async (t) => {
      const get = await startStack(t, start)
      const first = await signIn(server)
      const workers = new Set<number>()
      const seen = async () => {
        for (const answer of await Promise.all(Array.from({ length: 16 }, () => get('/me/', first.access)))) {
          if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
          workers.add(((await answer.json()) as { worker: number }).worker)
        }
        return workers.size >= 2
      }
      t.ok(await inTime(seen), 'several workers take the token')
      t.strictSame(await refusal(get('/me/')), [401, 'Bearer realm="api"'])
      t.match(
        await refusal(get('/me/', `${first.access.slice(0, -8)}AAAAAAAA`)),
        [401, /error="invalid_token"/],
        'forged',
      )

      t.equal((await get('/read/', first.access)).status, 200, 'the scope is there')
      const writer = await signIn(server, { ...USER, scope: 'write' })
      t.match(await refusal(get('/read/', writer.access)), [403, /error="insufficient_scope", scope="read"/], 'or not')
      t.equal((await get('/simplejwt/', first.access)).status, 200, 'plain simplejwt with JWK_URL takes it, too')

      const second = await token('refresh', { refresh: first.refresh })
      t.equal((await get('/me/', second.access)).status, 200, 'refreshed')
      await token('blacklist', { refresh: second.refresh })
      const refused = async () => {
        const answers = await Promise.all(Array.from({ length: 24 }, () => get('/me/', second.access)))
        return answers.every(({ status }) => status === 401)
      }
      t.ok(await inTime(refused), 'revoked: refused by every worker')
      t.equal((await get('/me/', writer.access)).status, 200, 'another session goes on')
    })
  }

  /** A folder of its own, whose database anybody may write: the site runs as whoever the stack makes it. */
  async function startStack(t: Test, start: (t: Test, place: Place) => Promise<void>): Promise<Get> {
    const folder = join(top, String(await freePort()))
    const place = { folder, port: await freePort(), bin }
    for (const name of ['run', 'data']) mkdirSync(join(folder, name), { recursive: true })
    cpSync(SITE, join(folder, 'site'), { recursive: true })
    const gatehouse = { ISSUER: server.issuer, AUDIENCE }
    const database = join(folder, 'data/db.sqlite3')
    writeFileSync(join(folder, 'site/site.json'), JSON.stringify({ gatehouse, database }))
    const options = { cwd: join(folder, 'site'), env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } }
    await exec(join(bin, 'python'), ['manage.py', 'migrate', '--verbosity=0'], options)
    chmodSync(join(folder, 'data'), 0o777)
    chmodSync(database, 0o666)
    await start(t, place)
    return apiClient(`http://127.0.0.1:${place.port}`)
  }
})
