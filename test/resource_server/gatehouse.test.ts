/** The verifier beside a real server: its lists, its stream, its keys as they rotate, its DPoP-bound tokens. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { refusalOf } from '../../resource_server/fetch.ts'
import type { VerifierOptions } from '../../resource_server/options.ts'
import { createVerifier, type Verifier } from '../../resource_server/verifier.ts'
import { verdict } from '../helpers/in_memory_issuer.ts'
import { startServer } from '../helpers/process.ts'
import { openSeeder } from '../helpers/seed.ts'
import { serverClient, textOf } from '../helpers/server_client.ts'

const AUDIENCE = 'https://api.example.com'
const OLD_FASHIONED = 'https://old.example.com'
const CLIENT = { client_id: 'an api', client_secret: 'a secret of + and / and %' }

const server = await startServer(t, {
  GATEHOUSE_TOKENS__DEFAULT_RESOURCE: AUDIENCE,
  GATEHOUSE_STATUS_LISTS__TTL_SECONDS: '10',
})
const { deps, ...seeder } = await openSeeder(t, server.env)
const now = deps.clock.now()
for (const [resource, token_typ] of [
  [AUDIENCE, 'at+jwt'],
  [OLD_FASHIONED, 'JWT'],
] as const)
  await deps.store.createResource(
    {
      resource,
      scopes: ['openid', 'profile', 'email'],
      access_token_seconds: null,
      signing_alg: 'RS256',
      introspection_clients: [CLIENT.client_id],
      authorization_details_types: [],
      claims: {},
      token_typ,
      created_at: now,
      updated_at: now,
    },
    [],
  )
await seeder.client({ ...CLIENT, token_endpoint_auth_method: 'client_secret_basic', resources: [] })
const PERSON = { username: 'alice', password: 'seven purple otters juggle' }
await seeder.account(PERSON)
const client = serverClient(server.issuer, server.issuer, await seeder.operator())

function verifier(options: Partial<VerifierOptions> = {}): Verifier {
  const made = createVerifier({ issuer: server.issuer, audience: AUDIENCE, ...options })
  t.teardown(() => made.close())
  return made
}

/** A person's tokens. */
async function signedIn(): Promise<{ access: string; refresh: string }> {
  const { body } = await client.logIn(PERSON.username, PERSON.password)
  return { access: textOf(body, 'access'), refresh: textOf(body, 'refresh') }
}

async function within(seconds: number, condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + seconds * 1_000
  while (performance.now() < deadline) {
    if (await condition()) return true
    await sleep(10)
  }
  return false
}

t.test('its access tokens are good until their grant is revoked; by the list within its ttl', async (t) => {
  let clock = Date.now() / 1_000
  const lists = verifier({ now: () => clock, status_outage: 'refuse' })
  const [mine, other] = [await signedIn(), await signedIn()]
  for (const { access } of [mine, other]) t.equal(await verdict(lists, access), 'good')
  t.equal((await client.blacklist(mine.refresh)).status, 200)
  clock += 11
  t.equal(await verdict(lists, mine.access), 'invalid_token: revoked, by the status list')
  t.equal(await verdict(lists, other.access), 'good')
})

t.test('by the stream at once, a grant and a single access token alike', async (t) => {
  const problems: unknown[] = []
  const streaming = verifier({ status: 'stream', client: CLIENT, on_problem: (problem) => void problems.push(problem) })
  const [mine, alone, other] = [await signedIn(), await signedIn(), await signedIn()]
  for (const { access } of [mine, alone, other]) t.equal(await verdict(streaming, access), 'good')
  const revoked = (token: string) => async () => (await verdict(streaming, token)).endsWith('by the stream')
  t.equal((await client.revoke(alone.access)).status, 200)
  // It may be connecting still: who comes late hears of single tokens, too.
  t.ok(await within(5, revoked(alone.access)), 'the access token')
  t.equal((await client.blacklist(mine.refresh)).status, 200)
  t.ok(await within(1, revoked(mine.access)), 'the grant, within a second')
  t.equal(await verdict(streaming, other.access), 'good')
  t.strictSame(problems, [])
  const late = verifier({ status: 'stream', client: CLIENT })
  t.ok(
    await within(2, async () => (await verdict(late, alone.access)).endsWith('by the stream')),
    'who comes later hears of it, too',
  )
})

t.test('who may not listen goes by the lists, and is told', async (t) => {
  await seeder.client({
    client_id: 'stranger',
    client_secret: 'secret',
    token_endpoint_auth_method: 'client_secret_basic',
  })
  for (const stranger of [
    { client_id: 'stranger', client_secret: 'secret' },
    { client_id: 'stranger', client_secret: 'wrong' },
  ]) {
    const problems: string[] = []
    const lists = verifier({
      status: 'stream',
      client: stranger,
      on_problem: ({ cause }) => void problems.push(String(cause)),
    })
    t.ok(await within(2, async () => problems.length > 0))
    t.match(problems[0], /answered 40[13]/)
    t.equal(await verdict(lists, (await signedIn()).access), 'good')
  }
})

const SERVICE = { client_id: 'service', client_secret: 'a secret of the service' }
await seeder.client({
  ...SERVICE,
  token_endpoint_auth_method: 'client_secret_basic',
  scope: 'profile',
  resources: [AUDIENCE, OLD_FASHIONED],
})
const as = { issuer: server.issuer, token_endpoint: `${server.issuer}/token` }
const insecure = { [oauth.allowInsecureRequests]: true }

/** A service's token for a resource, by a client that nobody here wrote. */
async function serviceToken(
  resource: string,
  options: oauth.ClientCredentialsGrantRequestOptions = {},
): Promise<string> {
  const { client_id, client_secret } = SERVICE
  const authentication = oauth.ClientSecretBasic(client_secret)
  const form = new URLSearchParams({ resource })
  const ask = async () => {
    const all = { ...insecure, ...options }
    const response = await oauth.clientCredentialsGrantRequest(as, { client_id }, authentication, form, all)
    return (await oauth.processClientCredentialsResponse(as, { client_id }, response)).access_token
  }
  return ask().catch((error: unknown) => {
    if (oauth.isDPoPNonceError(error)) return ask()
    throw error
  })
}

t.test('a resource that wants typ JWT is served by a verifier that is told so, and by no other', async (t) => {
  const token = await serviceToken(OLD_FASHIONED)
  t.equal(await verdict(verifier({ audience: OLD_FASHIONED, token_typ: 'JWT' }), token), 'good')
  t.equal(await verdict(verifier({ audience: OLD_FASHIONED }), token), 'invalid_token: the typ is not at+jwt')
})

t.test('RFC 9449 §7, §9: a client that nobody here wrote shows its key, with a nonce and without', async (t) => {
  const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
  const token = await serviceToken(AUDIENCE, { DPoP })
  for (const options of [{}, { dpop_nonce_secret: 'a secret of at least thirty-two characters' }]) {
    const guarding = verifier({ dpop: 'required', ...options })
    const api = async (url: string, init: RequestInit): Promise<Response> => {
      const claims = await guarding.verify(new Request(url, init)).catch(refusalOf)
      return claims instanceof Response ? claims : Response.json(claims)
    }
    const url = new URL(`${AUDIENCE}/notes?page=2`)
    const all = { DPoP, [oauth.customFetch]: api as never }
    const call = () => oauth.protectedResourceRequest(token, 'GET', url, undefined, null, all)
    const answer = await call().catch((error: unknown) => {
      if (oauth.isDPoPNonceError(error)) return call()
      throw error
    })
    t.match(await answer.json(), { client_id: SERVICE.client_id, cnf: { jkt: String } })
    t.match(await verdict(guarding, token), /bound to a DPoP key/)
  }
})

t.test('its keys may rotate; what an emergency has dropped is dropped as soon as the new key is seen', async (t) => {
  const watching = verifier({ cool_down_seconds: 0 })
  const before = await signedIn()
  t.equal(await verdict(watching, before.access), 'good')
  t.equal((await client.admin('POST', 'keys/rotate', { emergency: true })).status, 200)
  const after = await signedIn()
  t.equal(await verdict(watching, after.access), 'good')
  t.equal(await verdict(watching, before.access), 'invalid_token: signed by no key of the issuer')
})

t.test('a server that is down is no reason for 401, and one that is back is found again', async (t) => {
  const { access } = await signedIn()
  const streaming = verifier({ status: 'stream', client: CLIENT, reconnect_seconds: 0.1 })
  t.equal(await verdict(streaming, access), 'good')
  await server.stop()
  t.equal(await verdict(streaming, access), 'good', 'by what is known')
  t.match(await verdict(verifier(), access), /^temporarily_unavailable/, 'who knows nothing')
  const again = await startServer(t, server.env)
  const mine = await signedIn()
  t.equal((await client.blacklist(mine.refresh)).status, 200)
  t.equal(again.issuer, server.issuer)
  t.ok(await within(5, async () => (await verdict(streaming, mine.access)).startsWith('invalid_token: revoked')))
})
