/**
 * Verifiers × tokens: only good ones pass. Where somebody else's verifier takes more, `LAXER` says so, and why; the test
 * fails as soon as that is no longer so.
 */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createVerifier } from '../../resource_server/verifier.ts'
import { VerifierError } from '../../resource_server/verifier_error.ts'
import { forgeries, stolenKey } from '../attacks/forgeries.ts'
import { claimsOf } from '../helpers/app.ts'
import { startServer } from '../helpers/process.ts'
import { INSTALL_SECONDS, pythonPackages } from '../helpers/python.ts'
import { openSeeder } from '../helpers/seed.ts'
import { serverClient, textOf } from '../helpers/server_client.ts'
import { type Claims, signToken } from '../helpers/stand_in_issuer.ts'
import { type Judge, NODE_VERIFIERS, pythonJudge, type Trusted } from './third_party.ts'

const AUDIENCE = 'https://api.example.com'
const OTHER = 'https://other.example.com'
const PERSON = { username: 'alice', password: 'seven purple otters juggle' }
const SERVICE = { client_id: 'service', client_secret: randomUUID() }

t.setTimeout((INSTALL_SECONDS + 120) * 1_000)
const server = await startServer(t, { GATEHOUSE_TOKENS__DEFAULT_RESOURCE: AUDIENCE })
const { issuer } = server
const { deps, ...seeder } = await openSeeder(t, server.env)
for (const resource of [AUDIENCE, OTHER]) {
  const now = deps.clock.now()
  await deps.store.createResource(
    {
      resource,
      scopes: ['openid', 'profile', 'email', 'read'],
      access_token_seconds: null,
      signing_alg: 'RS256',
      introspection_clients: [],
      authorization_details_types: [],
      claims: {},
      token_typ: 'at+jwt',
      created_at: now,
      updated_at: now,
    },
    [],
  )
}
await seeder.account(PERSON)
const web = { token_endpoint_auth_method: 'client_secret_basic', scope: 'read', resources: [AUDIENCE, OTHER] } as const
await seeder.client({ ...SERVICE, ...web })
const operator = await seeder.operator()
const client = serverClient(issuer, issuer, operator)

async function signedIn(): Promise<{ access: string; refresh: string }> {
  const { body } = await client.logIn(PERSON.username, PERSON.password)
  return { access: textOf(body, 'access'), refresh: textOf(body, 'refresh') }
}

async function serviceToken(resource: string): Promise<string> {
  const basic = Buffer.from(`${SERVICE.client_id}:${SERVICE.client_secret}`).toString('base64')
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  })
  const body: unknown = await response.json()
  if (typeof body !== 'object' || body === null || !('access_token' in body)) throw new Error(JSON.stringify(body))
  return String(body.access_token)
}

const mine = await signedIn()
const refreshed = await client.refreshAtLoginApi((await signedIn()).refresh)
const revoked = await signedIn()
await client.blacklist(revoked.refresh)
const ours = await stolenKey(deps)
const signed = (changes: Claims, header: Claims = {}) =>
  signToken(ours, { ...claimsOf(mine.access), ...changes }, header)

type Named = readonly [title: string, token: string]
const good: readonly Named[] = [
  ['a person’s', mine.access],
  ['a person’s, refreshed', textOf(refreshed.body, 'access')],
  ['a service’s own', await serviceToken(AUDIENCE)],
  ['for several resources', await signed({ aud: [OTHER, AUDIENCE] })],
  ['with claims that nobody knows', await signed({ 'https://example.com/x': { y: [1] }, roles: ['editor'] })],
]

const now = Math.floor(Date.now() / 1_000)
/** Nobody's tolerance reaches so far. */
const LONG_AGO = now - 300
/** Where `token_type` is the wrong one: a claim of simplejwt's and ours that no standard knows. */
const forged = (await forgeries(mine.access, ours, LONG_AGO)).filter(([title]) => !/token_type|nbf to come/.test(title))
const bad: readonly Named[] = [
  ...forged,
  ['RFC 7519 §4.1.5: nbf to come', await signed({ nbf: now + 600 })],
  ['RFC 9068 §4: of another resource', await serviceToken(OTHER)],
  ['RFC 9068 §4: aud null', await signed({ aud: null })],
  ['RFC 9068 §4: aud empty', await signed({ aud: [] })],
  ['RFC 6749 §1.5: a refresh token', mine.refresh],
  [
    'OpenID Connect Core §2: an ID token',
    await signed({ aud: 'app', client_id: undefined, nonce: 'n', token_type: undefined }, { typ: 'JWT' }),
  ],
  [
    'OpenID Connect Back-Channel Logout §2.4: a logout token',
    await signed({ aud: 'app', client_id: undefined, token_type: undefined, events: {} }, { typ: 'logout+jwt' }),
  ],
  ['Token Status List §8.3: a grant that was revoked', revoked.access],
  ['RFC 9449 §7.2: bound to a DPoP key, as a bearer token', await signed({ cnf: { jkt: 'x'.repeat(43) } })],
  ['RFC 8705 §3: bound to a certificate, without it', await signed({ cnf: { 'x5t#S256': 'x'.repeat(43) } })],
  ['RFC 7800 §3.1: bound by what is not understood', await signed({ cnf: { kid: 'x' } })],
]

interface Laxer {
  /** What is taken, or fails where it should be refused. */
  readonly titles: RegExp
  readonly answer: 'taken' | 'failed'
  readonly why: string
}

const NO_STATUS: Laxer = { titles: /Token Status List/, answer: 'taken', why: 'it reads no status lists' }
const NO_BINDING: Laxer = { titles: /bound (?:to|by)/, answer: 'taken', why: 'it does not know cnf (RFC 7800)' }
const NO_LIMIT: Laxer = { titles: /^more than 8 KiB/, answer: 'taken', why: 'it has no limit' }
const ONLY_DPOP: Laxer = { ...NO_BINDING, titles: /bound (?:to a certificate|by)/, why: 'of cnf it knows jkt only' }
const NO_TYP: Laxer = {
  titles: /§3.11: typ/,
  answer: 'taken',
  why: 'it does not look at typ: aud and token_type have to tell the kinds apart',
}
const NO_CRIT: Laxer = { titles: /§4.1.11/, answer: 'taken', why: 'it does not know crit (RFC 7515 §4.1.11)' }
const NO_REQUIRED: Laxer = {
  titles: /§2.2: no (?:sub|client_id|iat|exp|jti)/,
  answer: 'taken',
  why: 'it checks the claims that are there; an issuer that leaves exp out is believed for ever',
}
const NOT_REQUIRED_BY_SIMPLEJWT: Laxer = {
  titles: /§2.2: no (?:client_id|iat)/,
  answer: 'taken',
  why: 'it asks for exp, jti, token_type and the claim that names the user',
}
const ABSENT_TYP: Laxer = {
  titles: /§3.11: typ (?:undefined|"")$/,
  answer: 'taken',
  why: 'it compares the typ only where there is one',
}
const EMPTY_CRIT: Laxer = { titles: /"crit":\[\]/, answer: 'taken', why: 'an empty crit is none to it' }

/** What each takes beyond what it should. Ours takes nothing. */
const LAXER: Readonly<Record<string, readonly Laxer[]>> = {
  '@gatehouse/resource-server': [],
  jose: [NO_STATUS, NO_BINDING, NO_LIMIT],
  oauth4webapi: [NO_STATUS, NO_LIMIT],
  'express-oauth2-jwt-bearer, strict': [NO_STATUS, ONLY_DPOP, NO_LIMIT],
  'jwks-rsa and jsonwebtoken': [NO_STATUS, NO_BINDING, NO_LIMIT, NO_TYP, NO_CRIT, NO_REQUIRED],
  '@fastify/jwt, as in examples/resource_server': [NO_STATUS, NO_BINDING, NO_LIMIT],
  PyJWT: [NO_STATUS, NO_BINDING, NO_LIMIT, NO_TYP],
  simplejwt: [NO_STATUS, NO_BINDING, NO_LIMIT, NO_TYP, NOT_REQUIRED_BY_SIMPLEJWT],
  Authlib: [NO_STATUS, NO_BINDING, NO_LIMIT, ABSENT_TYP, EMPTY_CRIT],
}

const trusted: Trusted = { issuer, audience: AUDIENCE, jwks_uri: `${issuer}/.well-known/jwks.json` }
const own = createVerifier({ issuer, audience: AUDIENCE, clock_tolerance_seconds: 0 })
t.teardown(() => own.close())
const ownJudge: Judge = (tokens) =>
  Promise.all(
    tokens.map((token) =>
      own.verify(token).then(
        () => 'taken',
        (error: unknown) =>
          error instanceof VerifierError && error.status === 401 ? 'refused' : `failed: ${String(error)}`,
      ),
    ),
  )

function judge(name: string, judges: Judge): void {
  void t.test(name, async (t) => {
    const laxer = LAXER[name] ?? []
    const answers = await judges([...good, ...bad].map(([, token]) => token))
    for (const [index, [title]] of good.entries()) t.equal(answers[index], 'taken', `good: ${title}`)
    const rules = new Set<Laxer>()
    for (const [index, [title]] of bad.entries()) {
      const answer = answers[good.length + index] ?? ''
      const rule = laxer.find(({ titles }) => titles.test(title))
      if (rule !== undefined) rules.add(rule)
      const expected = rule?.answer ?? 'refused'
      if (answer.split(':')[0] !== expected)
        t.fail(`${title}: ${answer}, not ${expected}${rule ? `, though ${rule.why}` : ''}`)
    }
    t.equal(rules.size, laxer.length, 'the table has nothing that is not so')
  })
}

const judges: [name: string, judge: Judge | string][] = [['@gatehouse/resource-server', ownJudge]]
for (const [name, make] of Object.entries(NODE_VERIFIERS)) judges.push([name, await make(t, trusted)])
const environments = [
  ['PyJWT', 'pyjwt', 'examples/django_resource_server/', '.python'],
  ['simplejwt', 'simplejwt', 'examples/django_resource_server/', '.python'],
  ['Authlib', 'authlib', 'test/flows/authlib/', '.python/authlib'],
] as const
for (const [name, library, requirements, folder] of environments) {
  const root = new URL('../../', import.meta.url).pathname
  const python = await pythonPackages(`${root}${requirements}requirements.txt`, `${root}${folder}`)
  judges.push([name, 'bin' in python ? pythonJudge(python.bin, library, trusted) : python.unavailable])
}

t.ok(new Set(bad.map(([title]) => title)).size > 60, 'there are many kinds of bad')
t.strictSame(
  Object.keys(LAXER),
  judges.map(([name]) => name),
)
for (const [name, judges_it] of judges) {
  if (typeof judges_it !== 'string') judge(name, judges_it)
  else {
    const said = `SKIPPED: no Python packages: ${judges_it}`
    process.stderr.write(`test/resource_server/matrix.test.ts ${said}\n`)
    t.pass(name, { skip: said })
  }
}
