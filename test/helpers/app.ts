/** The whole server in one process: real database, real keys, real hashing, and a clock that the test moves. */
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { newAccount } from '../../server/accounts/account.ts'
import { buildApp } from '../../server/app.ts'
import { CLIENT_SECRET_LABEL } from '../../server/client_auth/client_secret.ts'
import type { Deps, Random } from '../../server/deps.ts'
import { openDeps } from '../../server/main.ts'
import { createLog } from '../../server/observe/log.ts'
import type { Outbound } from '../../server/outbound/outbound.ts'
import type { Account } from '../../server/protocol/account.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../../server/protocol/client.ts'
import type { Clock, Seconds } from '../../server/protocol/time.ts'

export const NOW = 1_800_000_000
export const PASSWORD = 'a passphrase of some length'

export interface TestClock extends Clock {
  advance(seconds: Seconds): void
}

export interface TestApp {
  readonly app: FastifyInstance
  readonly deps: Deps
  readonly clock: TestClock
  readonly issuer: string
  /** Everything that was logged. */
  readonly logged: string[]
  readonly inject: (request: InjectOptions) => Promise<LightMyRequestResponse>
  readonly postJson: (
    url: string,
    payload: unknown,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>
  readonly postForm: (
    url: string,
    form: Record<string, string> | string,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>
  readonly createAccount: (changes?: { username?: string; email?: string; roles?: string[] }) => Promise<Account>
  readonly createClient: (changes?: Partial<Client> & { client_secret?: string }) => Promise<Client>
  /** Signs in at the login API with {@link PASSWORD}. */
  readonly signIn: (username?: string, more?: object) => Promise<{ access: string; refresh: string }>
}

type Test = { teardown(handler: () => Promise<void>): void }
type Overrides = { [K in keyof Config]?: Config[K] extends object ? Partial<Config[K]> : Config[K] }

/**
 * @param options.config sections of the configuration to change
 * @param options.outbound what others publish, in place of the network
 */
export async function buildTestApp(
  t: Test,
  { config: overrides = {}, outbound }: { config?: Overrides; outbound?: Outbound } = {},
): Promise<TestApp> {
  const data_dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  cpSync(await firstStart(), data_dir, { recursive: true })
  // The machine's other tests slow the event loop down: shedding load is for the test that is about it.
  const http = { max_event_loop_delay_milliseconds: 0, ...overrides.http }
  const config = merge(loadConfig({ flags: { data_dir }, env: {}, cwd: data_dir }).config, { ...overrides, http })
  let now = NOW
  const clock: TestClock = {
    now: () => now,
    advance: (seconds) => {
      now += seconds
    },
  }
  const logged: string[] = []
  const log = createLog({ level: 'debug', format: 'json' }, { write: (line: string) => void logged.push(line) })
  const network = outbound === undefined ? {} : { outbound }
  const deps = await openDeps(config, { clock, random: seededRandom(), log, ...network })
  const app = await buildApp(deps)
  t.teardown(async () => {
    await app.close()
    await deps.store.close()
    rmSync(data_dir, { recursive: true, force: true })
  })

  const inject = (request: InjectOptions) => app.inject(request)
  const postJson: TestApp['postJson'] = (url, payload, headers = {}) =>
    app.inject({
      method: 'POST',
      url,
      payload: JSON.stringify(payload),
      headers: { 'content-type': 'application/json', ...headers },
    })
  const postForm: TestApp['postForm'] = (url, form, headers = {}) =>
    app.inject({
      method: 'POST',
      url,
      payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  return {
    app,
    deps,
    clock,
    issuer: config.issuer,
    logged,
    inject,
    postJson,
    postForm,
    async createAccount({ username = 'alice', email, roles = [] } = {}) {
      const made = await newAccount(deps, {
        username,
        password: PASSWORD,
        roles,
        ...(email === undefined ? {} : { email }),
      })
      if (!('account' in made)) throw new Error(JSON.stringify(made.problems))
      await deps.store.createAccount(made.account, [])
      return made.account
    },
    async createClient({ client_secret, ...changes } = {}) {
      const client: Client = {
        ...CLIENT_DEFAULTS,
        ...MADE_BY_ADMIN,
        client_id: 'service',
        client_secret_digest:
          client_secret === undefined ? null : deps.vault.digest(CLIENT_SECRET_LABEL, client_secret),
        grant_types: ['client_credentials', 'refresh_token'],
        token_endpoint_auth_method: client_secret === undefined ? 'none' : 'client_secret_basic',
        scope: 'read write',
        resources: [],
        first_party: true,
        refresh_token_profile: 'standard',
        disabled_at: null,
        created_at: now,
        updated_at: now,
        ...changes,
      }
      await deps.store.createClient(client, [])
      return client
    },
    async signIn(username = 'alice', more = {}) {
      const response = await postJson('/api/token/', { username, password: PASSWORD, ...more })
      if (response.statusCode !== 200) throw new Error(`sign-in: ${response.statusCode} ${response.body}`)
      return response.json()
    },
  }
}

let template: Promise<string> | undefined

/** A data directory as a first start leaves it, made once in a process: generating RSA keys takes longer than most tests. */
function firstStart(): Promise<string> {
  template ??= (async () => {
    const data_dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
    process.once('exit', () => rmSync(data_dir, { recursive: true, force: true }))
    const { config } = loadConfig({ flags: { data_dir }, env: {}, cwd: data_dir })
    const log = createLog({ level: 'fatal', format: 'json' })
    const { store } = await openDeps(config, { clock: { now: () => NOW }, random: seededRandom(), log })
    await store.close()
    return data_dir
  })()
  return template
}

/** The same bytes in every run, and never the same twice in one. */
function seededRandom(): Random {
  let counter = 0
  return {
    bytes: (length) => {
      const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
        createHash('sha256').update(`seed ${counter++}`).digest(),
      )
      return Buffer.concat(blocks).subarray(0, length)
    },
  }
}

function merge(config: Config, overrides: Overrides): Config {
  const entries = Object.entries(overrides).map(([name, value]) => {
    const section: unknown = config[name as keyof Config]
    const isSection = typeof section === 'object' && section !== null && typeof value === 'object'
    return [name, isSection ? { ...section, ...value } : value]
  })
  return { ...config, ...Object.fromEntries(entries) }
}

/** The claims of a JWT, unverified. */
export function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}

/** A Basic Authorization header. */
export function basic(client_id: string, client_secret: string): { authorization: string } {
  const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')
  return { authorization: `Basic ${Buffer.from(`${encode(client_id)}:${encode(client_secret)}`).toString('base64')}` }
}
