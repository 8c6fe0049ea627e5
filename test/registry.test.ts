import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { clientAuthMethods } from '../server/client_auth/index.ts'
import { endpoints } from '../server/endpoints/index.ts'
import { grantTypes, grantTypesFor } from '../server/grant_types/index.ts'
import { TOKEN_ENDPOINT_AUTH_METHODS } from '../server/protocol/client.ts'
import { DEVICE_CODE_GRANT } from '../server/protocol/device_code.ts'
import { JWT_BEARER_GRANT } from '../server/protocol/jwt_bearer.ts'
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../server/protocol/token_exchange.ts'
import { basic, buildTestApp, type TestApp } from './helpers/app.ts'
import { codeFor, codeForm } from './helpers/code.ts'
import { DEVICE_CLIENT, decideAbout, pollDevice, startDevice } from './helpers/device.ts'
import { signToken, startStandInIssuer } from './helpers/stand_in_issuer.ts'
import { WEB_CLIENT } from './helpers/web_client.ts'

/**
 * What holds for everything in a registry. A new grant type without a row here fails, so that nobody forgets to say who
 * may have a token by it.
 */
const SECRET = 'a client secret of some length'
const SERVER = join(import.meta.dirname, '../server')
const idp = await startStandInIssuer(t)
const WITH_ISSUER = { jwt_bearer: { issuers: [idp.issuer] }, outbound: { allow: [new URL(idp.issuer).host] } }

t.test('a file is named as its registry value', async (t) => {
  for (const { grant_type } of grantTypes) {
    // Of an extension's URN, its last part.
    const name = grant_type.split(':').at(-1)?.replaceAll('-', '_')
    t.ok(existsSync(join(SERVER, 'grant_types', `${name}.ts`)), grant_type)
  }
  for (const { token_endpoint_auth_method: name } of clientAuthMethods) {
    t.ok(existsSync(join(SERVER, 'client_auth', `${name}.ts`)), name)
  }
  t.same(
    clientAuthMethods.map((method) => method.token_endpoint_auth_method).sort(),
    [...TOKEN_ENDPOINT_AUTH_METHODS].sort(),
  )
})

t.test('RFC 8414 §2: discovery says what the registries hold, and every URL in it is there', async (t) => {
  const server = await buildTestApp(t, { config: WITH_ISSUER })
  const metadata = (await server.inject({ url: '/.well-known/oauth-authorization-server' })).json()
  t.strictSame(metadata, (await server.inject({ url: '/.well-known/openid-configuration' })).json())
  t.strictSame(
    metadata.grant_types_supported,
    grantTypes.map(({ grant_type }) => grant_type),
  )
  const bare = await buildTestApp(t)
  t.strictSame(
    (await bare.inject({ url: '/.well-known/oauth-authorization-server' })).json().grant_types_supported,
    grantTypesFor(bare.deps.config).map(({ grant_type }) => grant_type),
  )
  t.equal(metadata.issuer, server.issuer)
  for (const endpoint of endpoints) t.match(metadata, endpoint.metadata(server.deps.config), endpoint.name)
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== 'string' || name === 'issuer') continue
    t.ok(value.startsWith(`${server.issuer}/`), name)
    const { statusCode } = await server.inject({ url: new URL(value).pathname })
    t.not(statusCode, 404, name)
  }
})

t.test('RFC 8414 §3.1: an issuer with a path has its metadata in front of it and behind', async (t) => {
  const server = await buildTestApp(t, { config: { issuer: 'http://localhost:3000/id' } })
  for (const url of [
    '/.well-known/oauth-authorization-server/id',
    '/.well-known/openid-configuration/id',
    '/id/.well-known/openid-configuration',
  ]) {
    t.equal((await server.inject({ url })).json().issuer, 'http://localhost:3000/id', url)
  }
  t.equal((await server.inject({ url: '/id/.well-known/jwks.json' })).statusCode, 200)
  t.equal((await server.inject({ url: '/.well-known/openid-configuration' })).statusCode, 404)
  await server.createAccount()
  const response = await server.postJson('/id/api/token/', { username: 'alice', password: 'wrong' })
  t.equal(response.statusCode, 401)
})

const CLIENT_STATES = ['ok', 'disabled', 'deleted', 'grant type taken away'] as const
// Whatever else an account may come to be is not there yet: nobody deletes one, its locks are the sign-in's, and there is
// neither a password that has to be reset nor a second factor.
const ACCOUNT_STATES = ['ok', 'disabled'] as const
type States = { client: (typeof CLIENT_STATES)[number]; account: (typeof ACCOUNT_STATES)[number] }

interface Row {
  /** Prepares a request that succeeds while everybody is in order. */
  readonly prepare: (server: TestApp) => Promise<() => Promise<number>>
  /** The client behind it, and whether an account is. */
  readonly client_id: string
  readonly account: boolean
}

const ROWS: Readonly<Record<string, Row>> = {
  [JWT_BEARER_GRANT]: {
    client_id: 'service',
    account: true,
    prepare: async (server) => {
      await server.createClient({ client_secret: SECRET, grant_types: [JWT_BEARER_GRANT] })
      const now = server.clock.now()
      const claims = { iss: idp.issuer, sub: 'alice', aud: server.issuer, iat: now, exp: now + 60, jti: 'once' }
      const assertion = await signToken(idp.keys[0], claims, { typ: 'JWT' })
      const form = { grant_type: JWT_BEARER_GRANT, assertion }
      return async () => (await server.postForm('/token', form, basic('service', SECRET))).statusCode
    },
  },
  [TOKEN_EXCHANGE_GRANT]: {
    client_id: 'web',
    account: true,
    prepare: async (server) => {
      const grant_types = ['authorization_code', TOKEN_EXCHANGE_GRANT]
      const client = await server.createClient({ ...WEB_CLIENT, grant_types, client_secret: SECRET })
      const account = await server.deps.store.findAccountByIdentifier('alice')
      if (account === undefined) throw new Error('alice has no account')
      const form = codeForm(client, await codeFor(server, client, account))
      const { access_token } = (await server.postForm('/token', form, basic('web', SECRET))).json()
      const types = { grant_type: TOKEN_EXCHANGE_GRANT, subject_token_type: ACCESS_TOKEN_TYPE }
      const exchange = { ...types, subject_token: access_token }
      return async () => (await server.postForm('/token', exchange, basic('web', SECRET))).statusCode
    },
  },
  [DEVICE_CODE_GRANT]: {
    client_id: 'tv',
    account: true,
    prepare: async (server) => {
      await server.createClient(DEVICE_CLIENT)
      const alice = await server.deps.store.findAccountByIdentifier('alice')
      const { device_code, user_code } = await startDevice(server)
      await decideAbout(server, alice?.account_id ?? '', user_code)
      return async () => (await pollDevice(server, device_code)).status
    },
  },
  authorization_code: {
    client_id: 'web',
    account: true,
    prepare: async (server) => {
      const client = await server.createClient(WEB_CLIENT)
      const account = await server.deps.store.findAccountByIdentifier('alice')
      if (account === undefined) throw new Error('alice has no account')
      const code = await codeFor(server, client, account)
      return async () => (await server.postForm('/token', codeForm(client, code))).statusCode
    },
  },
  refresh_token: {
    client_id: 'gatehouse-login',
    account: true,
    prepare: async (server) => {
      const { refresh } = await server.signIn()
      const form = { grant_type: 'refresh_token', client_id: 'gatehouse-login', refresh_token: refresh }
      return async () => (await server.postForm('/token', form)).statusCode
    },
  },
  client_credentials: {
    client_id: 'service',
    account: false,
    prepare: async (server) => {
      await server.createClient({ client_secret: SECRET })
      const form = { grant_type: 'client_credentials' }
      return async () => (await server.postForm('/token', form, basic('service', SECRET))).statusCode
    },
  },
}

t.test('nobody gets a token for an account or a client that is not in order', async (t) => {
  t.strictSame(
    Object.keys(ROWS).sort(),
    grantTypes.map(({ grant_type }) => grant_type).sort(),
    'every grant type has a row',
  )
  for (const [grant_type, row] of Object.entries(ROWS)) {
    for (const client of CLIENT_STATES) {
      for (const account of row.account ? ACCOUNT_STATES : (['ok'] as const)) {
        const title = `${grant_type}: client ${client}, account ${account}`
        await t.test(title, (t) => allowsOnlyTheOrderly(t, grant_type, row, { client, account }))
      }
    }
  }
})

async function allowsOnlyTheOrderly(t: Test, grant_type: string, row: Row, states: States): Promise<void> {
  const server = await buildTestApp(t, { config: WITH_ISSUER })
  const { account_id } = await server.createAccount()
  const request = await row.prepare(server)
  const { store, clock } = server.deps
  const client = await store.findClient(row.client_id)
  if (client === undefined) throw new Error('the row names no client')
  if (states.client === 'disabled') await store.disableClient(row.client_id, clock.now(), [])
  const grant_types = client.grant_types.filter((other) => other !== grant_type)
  if (states.client === 'grant type taken away') await store.updateClient({ ...client, grant_types }, [])
  if (states.client === 'deleted') await store.deleteClient(row.client_id, clock.now(), [])
  if (states.account === 'disabled') await store.disableAccount(account_id, clock.now(), [])
  const status = await request()
  if (states.client === 'ok' && states.account === 'ok') t.equal(status, 200)
  else t.ok(status === 400 || status === 401, `${status}`)
}
