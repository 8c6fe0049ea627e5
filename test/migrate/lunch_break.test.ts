/** docs/migrate/django.md, done to a Django site of 1,000 people on simplejwt: nobody is logged out. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { claimsOf } from '../helpers/app.ts'
import { startProgram } from '../helpers/child_process.ts'
import { blocksOf } from '../helpers/markdown.ts'
import { runGatehouse, startServer, temporaryDirectory } from '../helpers/process.ts'
import { INSTALL_SECONDS, pythonPackages } from '../helpers/python.ts'

const SITE = new URL('django_site/', import.meta.url).pathname
const PAGE = readFileSync(new URL('../../docs/migrate/django.md', import.meta.url), 'utf8')
const PEOPLE = 1000
const SECRET_KEY = 'django-insecure-the-secret-of-a-site-that-is-gone-after-the-test'
const FORMS = ['pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256', 'bcrypt', 'scrypt']

interface Person {
  readonly username: string
  readonly password?: string
  readonly algorithm?: string
  refresh: string
}
interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, string>>
}

const run = promisify(execFile)

async function post(base: string, path: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${base}/api/token/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

/** A few at once, as clients do. */
async function each<T>(items: readonly T[], act: (item: T) => Promise<void>, at_once = 8): Promise<void> {
  const rest = items.values()
  await Promise.all(
    Array.from({ length: at_once }, async () => {
      for (const item of rest) await act(item)
    }),
  )
}

t.setTimeout((INSTALL_SECONDS + 120) * 1_000)
const folder = new URL('../../.python/migrate', import.meta.url).pathname
const python = await pythonPackages(join(SITE, 'requirements.txt'), folder)

if ('unavailable' in python) {
  const said = `SKIPPED: no Python packages: ${python.unavailable}`
  process.stderr.write(`test/migrate/lunch_break.test.ts ${said}\n`)
  t.pass('the lunch break', { skip: said })
} else {
  t.test('the lunch break', async (t) => {
    const { bin } = python
    const directory = temporaryDirectory(t)
    const site = join(directory, 'site')
    cpSync(SITE, site, { recursive: true })
    // The page's own program.
    const [command] = blocksOf(PAGE).filter(({ language }) => language === 'python')
    writeFileSync(join(site, 'app/management/commands/export_users.py'), command?.text ?? '')
    const site_env = {
      SITE_SECRET_KEY: SECRET_KEY,
      SITE_DATABASE: join(directory, 'site.sqlite3'),
      PYTHONDONTWRITEBYTECODE: '1',
    }
    const manage = async (...args: string[]) => {
      const options = { cwd: site, env: { ...process.env, ...site_env }, maxBuffer: 16 * 1024 * 1024 }
      return (await run(join(bin, 'python'), ['manage.py', ...args], options)).stdout
    }
    const people = new Map<string, Person>()
    const files = join(directory, 'files')
    mkdirSync(files)

    await t.test('a site with live sessions, some of which were rotated or ended there', async (t) => {
      await manage('migrate', '--verbosity=0')
      for (const person of JSON.parse(await manage('seed', String(PEOPLE))) as Person[])
        people.set(person.username, person)
      t.equal(people.size, PEOPLE + 1)
      t.same(new Set([...people.values()].flatMap(({ algorithm }) => algorithm ?? [])), new Set(FORMS))
      const server = await startProgram({
        command: join(bin, 'gunicorn'),
        args: ['wsgi', '--workers=2', '--bind=127.0.0.1:0', '--no-control-socket'],
        cwd: site,
        env: site_env,
        ready: /Listening at: (\S+)/,
      })
      t.teardown(() => server.stop())
      const base = String(server.match[1])
      for (let index = 0; index < 10; index++) {
        const person = people.get(`person${index}`)
        const { status, body } = await post(base, 'refresh/', { refresh: person?.refresh })
        t.equal(status, 200, 'rotated at the site')
        // The one before is on its blacklist now.
        people.set(`rotated${index}`, { username: `rotated${index}`, refresh: person?.refresh ?? '' })
        if (person !== undefined) person.refresh = body.refresh ?? ''
      }
      const { status, body } = await post(base, '', {
        username: 'person20',
        password: people.get('person20')?.password,
      })
      t.equal(status, 200, 'signed in at the site')
      t.equal((await post(base, 'blacklist/', { refresh: body.refresh })).status, 200)
      people.set('ended', { username: 'ended', refresh: body.refresh ?? '' })
      people.set('access', { username: 'access', refresh: body.access ?? '' })
    })

    const secret_file = join(directory, 'django_secret_key')
    writeFileSync(secret_file, `${SECRET_KEY}\n`, { mode: 0o600 })
    const hour = 3_600_000
    const instant = (milliseconds: number) => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
    const server = await startServer(t, {
      // Everybody signs in, and is hashed anew: both cores.
      GATEHOUSE_PASSWORDS__HASH_CONCURRENCY: '2',
      GATEHOUSE_TOKEN_API__LEGACY_SECRET_FILE: secret_file,
      GATEHOUSE_TOKEN_API__LEGACY_UNTIL: instant(Date.now() + hour),
    })
    const { issuer } = server
    const refresh = (token = '') => post(issuer, 'refresh/', { refresh: token })
    const live = () => [...people.values()].filter(({ username }) => /^person/.test(username))

    await t.test('exported and imported, by the commands of the page', async (t) => {
      writeFileSync(join(files, 'users.jsonl'), await manage('export_users'))
      writeFileSync(join(files, 'blacklist.jsonl'), await manage('export_users', '--blacklist'))
      const [imported, blocked] = [
        /^gatehouse users import users\.jsonl .*$/m,
        /^gatehouse legacy-tokens block .*$/m,
      ].map((line) => line.exec(PAGE)?.[0].split(' ').slice(1) ?? [])
      const here = (args: readonly string[] = []) =>
        args.map((arg) => (arg.endsWith('.jsonl') ? join(files, arg) : arg))
      t.match(await runGatehouse(here(imported), server.env), { code: 0, stdout: /1002 rows: 1002 created/ })
      t.match(await runGatehouse(here(blocked), server.env), { code: 0, stdout: /11 tokens: 11 blocked/ })
      t.equal(readFileSync(join(files, 'problems.jsonl'), 'utf8'), '')
      const shown = await runGatehouse(['users', 'show', 'person0', '--json'], server.env)
      t.match(JSON.parse(shown.stdout), {
        name: 'Person 0',
        roles: ['staff'],
        legacy_user_id: '1',
        email: 'Person0@example.com',
      })
    })

    const spent = new Map<string, string>()
    await t.test('every old session goes on', async (t) => {
      let [exchanged, rotated] = [0, 0]
      await each(live(), async (person) => {
        spent.set(person.username, person.refresh)
        const first = await refresh(person.refresh)
        if (first.status === 200) exchanged += 1
        const second = await refresh(first.body.refresh)
        if (second.status === 200) rotated += 1
        person.refresh = second.body.refresh ?? ''
        if (person.username !== 'person7') return
        t.match(claimsOf(String(second.body.access)), { iss: issuer, token_type: 'access' })
        t.equal((await post(issuer, 'verify/', { token: second.body.access })).status, 200, 'with tokens that work')
      })
      t.equal(exchanged, PEOPLE)
      t.equal(rotated, PEOPLE)
      t.equal(
        (await post(issuer, 'verify/', { token: people.get('access')?.refresh })).status,
        200,
        'an access token lives on',
      )
    })

    await t.test('what was rotated away or ended at the site stays so, and so does who was put out', async (t) => {
      const blacklisted = { status: 401, body: { detail: 'Token is blacklisted', code: 'token_not_valid' } }
      for (let index = 0; index < 10; index++)
        t.same(await refresh(people.get(`rotated${index}`)?.refresh), blacklisted)
      t.same(await refresh(people.get('ended')?.refresh), blacklisted)
      t.match(await refresh(people.get('left')?.refresh), { status: 401, body: { detail: /^No active account/ } })
    })

    await t.test('every password works, whatever its form, and then as a hash of our own', async (t) => {
      const all = live()
      let [right, again, wrong] = [0, 0, 0]
      const answers = async ({ username }: Person, password = '') =>
        (await post(issuer, '', { username, password })).status
      await each(
        all,
        async (person) => {
          if ((await answers(person, person.password)) === 200) right += 1
        },
        4,
      )
      t.equal(right, PEOPLE)
      for (const form of FORMS) {
        const person = all.find(({ algorithm }) => algorithm === form)
        if (person === undefined) continue
        if ((await answers(person, person.password)) === 200) again += 1
        if ((await answers(person, `${person.password}?`)) === 401) wrong += 1
      }
      t.same([again, wrong], [FORMS.length, FORMS.length])
      const exported = await runGatehouse(['users', 'export', '--with-password-hashes'], server.env)
      const hashes = new Map(
        exported.stdout
          .trim()
          .split('\n')
          .map((line): [string, string] => {
            const { username, password_hash } = JSON.parse(line)
            return [username, password_hash]
          }),
      )
      t.ok(all.every(({ username }) => hashes.get(username)?.startsWith('$argon2id$')))
    })

    await t.test('a replay is refused, and ends what the token became', async (t) => {
      for (const person of live().slice(100, 120)) {
        t.match(await refresh(spent.get(person.username)), { status: 401, body: { detail: 'Token is blacklisted' } })
        t.match(await refresh(person.refresh), { status: 401, body: { detail: 'Token is blacklisted' } })
      }
      const another = live()[200]
      t.equal((await refresh(another?.refresh)).status, 200, 'nobody else is touched')
    })

    await t.test('old tokens end with their window; what they became does not', async (t) => {
      const access = people.get('access')?.refresh
      await server.stop()
      const later = await startServer(t, {
        ...server.env,
        GATEHOUSE_TOKEN_API__LEGACY_UNTIL: instant(Date.now() - hour),
      })
      const invalid = { status: 401, body: { detail: 'Token is invalid' } }
      t.match(await post(later.issuer, 'refresh/', { refresh: people.get('left')?.refresh }), invalid)
      t.match(await post(later.issuer, 'refresh/', { refresh: spent.get('person300') }), invalid)
      t.match(await post(later.issuer, 'verify/', { token: access }), invalid)
      t.equal((await post(later.issuer, 'refresh/', { refresh: people.get('person300')?.refresh })).status, 200)
    })
  })
}
