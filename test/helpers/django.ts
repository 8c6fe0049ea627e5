/** Django sites with gatehouse_drf, with the packages of one version of Django, under gunicorn. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { apiClient, type Get } from './api_client.ts'
import { type RunningProgram, startProgram } from './child_process.ts'
import { temporaryDirectory } from './process.ts'
import { type PythonPackages, pythonPackages } from './python.ts'

const ROOT = new URL('../../', import.meta.url).pathname
export const SITE = join(ROOT, 'test/django/site')
const PACKAGE = join(ROOT, 'django')

/** The oldest and the newest that are supported. */
export const DJANGO_VERSIONS = ['4.2', '5.2'] as const
export type DjangoVersion = (typeof DJANGO_VERSIONS)[number]

/** Debian's, with Debian's Python in it. */
export const MOD_WSGI = '/usr/lib/apache2/modules/mod_wsgi.so'

/** Installs one version of Django and what is beside it. */
export function djangoPackages(version: DjangoVersion): Promise<PythonPackages> {
  const requirements = join(ROOT, `test/django/requirements_${version}.txt`)
  const python = existsSync(MOD_WSGI) ? '/usr/bin/python3' : 'python3'
  return pythonPackages(requirements, join(ROOT, `.python/django_${version}`), python)
}

/** What a site is told: the settings dict GATEHOUSE, and what `test/django/site/settings.py` reads besides. */
export interface SiteSettings {
  readonly gatehouse: Readonly<Record<string, unknown>>
  readonly secret_key?: string
  readonly database?: string
}

export interface DjangoSite {
  readonly bin: string
  readonly env: Readonly<Record<string, string>>
  /** Runs `manage.py`. @returns what it wrote; @throws with all that it wrote when it fails */
  readonly manage: (...args: string[]) => Promise<string>
}

/** A site with a database of its own, whose tables are made. */
export async function djangoSite(t: Test, bin: string, settings: SiteSettings): Promise<DjangoSite> {
  const database = join(temporaryDirectory(t), 'db.sqlite3')
  const env = {
    SITE: JSON.stringify({ database, ...settings }),
    PYTHONPATH: [PACKAGE, SITE, join(ROOT, 'test/django')].join(':'),
    PYTHONDONTWRITEBYTECODE: '1',
  }
  const manage: DjangoSite['manage'] = async (...args) => {
    const options = { env: { ...process.env, ...env }, cwd: SITE, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 }
    const { stdout } = await promisify(execFile)(join(bin, 'python'), ['manage.py', ...args], options)
    return stdout
  }
  await manage('migrate', '--verbosity=0')
  return { bin, env, manage }
}

/** Serves a site with gunicorn. It ends with the test. */
export async function startSite(
  t: Test,
  { bin, env }: DjangoSite,
  { workers = 1 } = {},
): Promise<{ get: Get; url: string; program: RunningProgram }> {
  const program = await startProgram({
    command: join(bin, 'gunicorn'),
    args: ['wsgi', `--workers=${workers}`, '--threads=4', '--bind=127.0.0.1:0', '--no-control-socket'],
    cwd: SITE,
    env,
    ready: /Listening at: (\S+)/,
  })
  t.teardown(() => program.stop())
  const url = String(program.match[1])
  return { get: apiClient(url), url, program }
}
