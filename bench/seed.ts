import { loadConfig } from '../config/load.ts'
import { newAccount } from '../server/accounts/account.ts'
import { signInSession } from '../server/accounts/session.ts'
import { CLIENT_SECRET_LABEL } from '../server/client_auth/client_secret.ts'
import type { Deps } from '../server/deps.ts'
import { openDeps } from '../server/main.ts'
import type { Account } from '../server/protocol/account.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../server/protocol/client.ts'
import type { Grant } from '../server/protocol/grant.ts'
import { randomId } from '../server/protocol/random_id.ts'
import { formatRefreshToken } from '../server/protocol/refresh_token.ts'
import { CLIENT_ID, REDIRECT_URI, REFRESH_SCOPE, SCOPE } from './neighbour.ts'

export const PASSWORD = 'correct horse battery staple'
const DAY = 86_400
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

export interface Seeded {
  readonly usernames: readonly string[]
  readonly password_hash: string
  /** One for each grant. */
  readonly tokens: readonly string[]
  /** Of a browser that is signed in. */
  readonly cookie: string
  /** Of a client that may introspect. */
  readonly basic: string
}

/** Puts a client, accounts and grants where a server started with `env` will find them. */
export async function seed(
  env: Readonly<Record<string, string>>,
  many: { accounts: number; grants: number },
): Promise<Seeded> {
  const { config } = loadConfig({ env: { ...env, GATEHOUSE_LOG__LEVEL: 'fatal' } })
  const deps = await openDeps(config)
  try {
    const client = benchClient(deps.clock.now())
    await deps.store.createClient(client, [])
    const first = await createAccount(deps, { username: 'user0', password: PASSWORD })
    const password_hash = first.password_hash ?? ''
    const accounts = [first]
    for (let i = 1; i < many.accounts; i += 1) {
      accounts.push(await createAccount(deps, { username: `user${i}`, password_hash }))
    }
    const tokens = Array.from({ length: many.grants }, async () => {
      const grant = newGrant(deps, client, first)
      await deps.store.createGrant(grant, [], [])
      return formatRefreshToken(grant, deps.vault.refreshTokenMacKey)
    })
    return {
      usernames: accounts.map(({ username }) => username),
      password_hash,
      tokens: await Promise.all(tokens),
      cookie: await signIn(deps, first),
      basic: await createService(deps, client),
    }
  } finally {
    await deps.store.close()
  }
}

async function createService(deps: Deps, bench: Client): Promise<string> {
  const client_id = 'service'
  const client_secret = Buffer.from(deps.random.bytes(32)).toString('base64url')
  const client: Client = {
    ...bench,
    client_id,
    client_secret_digest: deps.vault.digest(CLIENT_SECRET_LABEL, client_secret),
    token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
    scope: 'gatehouse:read',
  }
  await deps.store.createClient(client, [])
  return `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
}

async function signIn(deps: Deps, account: Account): Promise<string> {
  const caller = { address_prefix: '127.0.0.1', user_agent: null, request_id: 'seed' }
  const asked = { account, give_back: [], amr: ['pwd'], remember: true, current: undefined, interaction_id: null }
  const started = await signInSession(deps, asked, caller)
  if (started.outcome !== 'signed_in') throw new Error(`the first session could not be made: ${started.outcome}`)
  return `gatehouse_session=${started.handle}`
}

function benchClient(now: number): Client {
  return {
    client_id: CLIENT_ID,
    ...CLIENT_DEFAULTS,
    ...MADE_BY_ADMIN,
    client_name: 'Benchmark',
    client_secret_digest: null,
    redirect_uris: [REDIRECT_URI],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', DEVICE_CODE],
    token_endpoint_auth_method: 'none',
    scope: `${SCOPE} ${REFRESH_SCOPE}`,
    resources: [],
    first_party: true,
    refresh_token_profile: 'standard',
    disabled_at: null,
    created_at: now,
    updated_at: now,
  }
}

async function createAccount(deps: Deps, wanted: Parameters<typeof newAccount>[1]): Promise<Account> {
  const made = await newAccount(deps, wanted)
  if ('problems' in made) throw new Error(JSON.stringify(made.problems))
  await deps.store.createAccount(made.account, [])
  return made.account
}

function newGrant(deps: Deps, { client_id }: Client, { account_id }: Account): Grant {
  const now = deps.clock.now()
  return {
    grant_id: randomId(deps.random),
    client_id,
    account_id,
    session_id: randomId(deps.random),
    scope: REFRESH_SCOPE,
    resources: [deps.config.issuer],
    auth_time: now,
    amr: ['pwd'],
    acr: null,
    cnf: null,
    claims: null,
    authorization_details: [],
    generation: 0,
    rotated_at: now,
    late_replay_generation: null,
    idle_expires_at: now + DAY,
    absolute_expires_at: now + 90 * DAY,
    revoked_at: null,
    revoked_because: null,
    created_at: now,
    address_prefix: '127.0.0.1',
    user_agent: null,
    status_index: -1,
  }
}
