/** Puts clients, accounts and grants straight into a server's database, where making each by a sign-in would take too long. */
import { loadConfig } from '../../config/load.ts'
import { newAccount } from '../../server/accounts/account.ts'
import { CLIENT_SECRET_LABEL } from '../../server/client_auth/client_secret.ts'
import type { Deps } from '../../server/deps.ts'
import { openDeps } from '../../server/main.ts'
import type { Account } from '../../server/protocol/account.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../../server/protocol/client.ts'
import type { Grant } from '../../server/protocol/grant.ts'
import { randomId } from '../../server/protocol/random_id.ts'
import { formatRefreshToken } from '../../server/protocol/refresh_token.ts'
import { makeGrant } from './grant.ts'
import { LOGIN_CLIENT, type Operator } from './server_client.ts'

export interface Seeder {
  readonly deps: Deps
  /** A client that may administer and introspect everything. */
  operator(): Promise<Operator>
  client(changes: Partial<Client> & { client_secret?: string }): Promise<Client>
  /** Without a password it can sign in nowhere, and costs no hashing. */
  account(wanted: Parameters<typeof newAccount>[1]): Promise<Account>
  /** A grant of the login API's client, unless `changes` says otherwise. */
  grant(changes: Partial<Grant> & { account_id: string }): Promise<SeededGrant>
}

export interface SeededGrant {
  readonly grant: Grant
  /** The token of a generation; of the current one when it is left out. */
  readonly token: (generation?: number) => string
}

type Test = { teardown(handler: () => Promise<void>): void }

/** @param env of the server, started or not */
export async function openSeeder(t: Test, env: Readonly<Record<string, string>>): Promise<Seeder> {
  const { config } = loadConfig({ env: { ...env, GATEHOUSE_LOG__LEVEL: 'fatal' } })
  const deps = await openDeps(config)
  t.teardown(() => deps.store.close())

  const client: Seeder['client'] = async ({ client_secret, ...changes }) => {
    const now = deps.clock.now()
    const made: Client = {
      client_id: randomId(deps.random),
      ...CLIENT_DEFAULTS,
      ...MADE_BY_ADMIN,
      client_secret_digest: client_secret === undefined ? null : deps.vault.digest(CLIENT_SECRET_LABEL, client_secret),
      grant_types: ['client_credentials', 'refresh_token'],
      token_endpoint_auth_method: client_secret === undefined ? 'none' : 'client_secret_basic',
      scope: 'openid profile email',
      resources: [config.issuer],
      first_party: true,
      refresh_token_profile: 'standard',
      disabled_at: null,
      created_at: now,
      updated_at: now,
      ...changes,
    }
    if ((await deps.store.createClient(made, [])) === 'exists') throw new Error(`the client ${made.client_id} exists`)
    return made
  }

  return {
    deps,
    client,
    async operator() {
      const operator = { client_id: 'operator', client_secret: randomId(deps.random) }
      const resources = [config.issuer, `${config.issuer}/admin/api`]
      await client({ ...operator, scope: 'gatehouse:read gatehouse:write', resources })
      return operator
    },
    async account(wanted) {
      const made = await newAccount(deps, wanted)
      if ('problems' in made) throw new Error(JSON.stringify(made.problems))
      if ((await deps.store.createAccount(made.account, [])) !== 'created') throw new Error('the name is taken')
      return made.account
    },
    async grant(changes) {
      const grant = makeGrant({
        grant_id: randomId(deps.random),
        session_id: randomId(deps.random),
        client_id: LOGIN_CLIENT,
        scope: 'openid profile email',
        resources: [config.issuer],
        created_at: deps.clock.now(),
        ...changes,
      })
      await deps.store.createGrant(grant, [], [])
      const { grant_id } = grant
      const token = (generation = grant.generation) =>
        formatRefreshToken({ grant_id, generation }, deps.vault.refreshTokenMacKey)
      return { grant, token }
    },
  }
}
