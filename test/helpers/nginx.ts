/** nginx and Caddy as a test runs them: with ports and a folder of their own, whatever else the machine serves. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProgram } from './child_process.ts'
import { temporaryDirectory } from './process.ts'

type Test = { teardown(handler: () => Promise<void>): void }

const NGINX = '/usr/sbin/nginx'
const CADDY = '/usr/bin/caddy'

/** Why it cannot be run here; false: it can. */
export function noProxy(proxy: 'nginx' | 'caddy'): string | false {
  const path = proxy === 'nginx' ? NGINX : CADDY
  return existsSync(path) ? false : `there is no ${path}`
}

/** Replaces what a configuration has to have, so that it runs beside others. @throws where it has it not */
export function adapted(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((changed, [before, after]) => {
    if (!changed.includes(before)) throw new Error(`there is no ${before} in:\n${changed}`)
    return changed.replaceAll(before, after)
  }, text)
}

/** Starts nginx with a site; FOLDER in its text is a folder of the test's. It ends with the test. */
export async function startNginx(t: Test, site: string): Promise<void> {
  const folder = temporaryDirectory(t)
  // Started by root it becomes somebody else, who has to get in.
  chmodSync(folder, 0o755)
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log stderr notice; worker_processes 1;
    events { worker_connections 64; }
    http { access_log off; ${temporary.join(' ')}
    ${site.replaceAll('FOLDER', folder)} }`,
  )
  const nginx = await startProgram({
    command: NGINX,
    args: ['-c', file, '-e', 'stderr'],
    ready: /start worker process \d/,
  })
  t.teardown(() => nginx.stop())
}

/** Starts Caddy with a Caddyfile. It ends with the test. */
export async function startCaddy(t: Test, caddyfile: string): Promise<void> {
  const folder = temporaryDirectory(t)
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, `{\nadmin off\nauto_https off\n}\n${caddyfile}`)
  const caddy = await startProgram({
    command: CADDY,
    args: ['run', '--config', file, '--adapter', 'caddyfile'],
    cwd: folder,
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    ready: /serving initial configuration/,
  })
  t.teardown(() => caddy.stop())
}

/** Waits for a condition. @throws when it does not come true in time */
export async function eventually(isTrue: () => Promise<boolean>, seconds = 5): Promise<void> {
  const deadline = performance.now() + seconds * 1_000
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time')
    await sleep(50)
  }
}
