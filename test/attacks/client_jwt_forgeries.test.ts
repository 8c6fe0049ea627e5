import t from 'tap'
import type { FetchedJson } from '../../server/outbound/outbound.ts'
import { OutboundError } from '../../server/outbound/outbound.ts'
import { JWT_BEARER_GRANT } from '../../server/protocol/jwt_bearer.ts'
import { basic, buildTestApp, NOW } from '../helpers/app.ts'
import { clientKey, signAs } from '../helpers/client_keys.ts'
import { authorizationUrl, WEB_CLIENT } from '../helpers/web_client.ts'
import { type ClientJwtKind, clientForgeries } from './client_forgeries.ts'

/** Every place that reads a JWT which somebody else has signed, and every forgery. */

const SECRET = 'a client secret of some length'
const VOUCHER = 'https://voucher.example'
const key = await clientKey('RS256')
const documents: Readonly<Record<string, unknown>> = {
  [`${VOUCHER}/.well-known/oauth-authorization-server`]: { issuer: VOUCHER, jwks_uri: `${VOUCHER}/jwks.json` },
  [`${VOUCHER}/jwks.json`]: { keys: [key.public_jwk] },
}
const fetched: string[] = []
const server = await buildTestApp(t, {
  config: {
    http: { max_event_loop_delay_milliseconds: 0 },
    throttle: { client_failures_per_minute: 100_000, address_attempts_per_minute: 100_000 },
    jwt_bearer: { issuers: [VOUCHER], subject: 'username' },
    registration: {
      mode: 'open',
      software_statement_issuers: [VOUCHER],
      max_per_address_per_hour: 10_000,
      max_per_hour: 10_000,
    },
  },
  outbound: {
    getJson: async (url): Promise<FetchedJson> => {
      fetched.push(url)
      if (documents[url] === undefined) throw new OutboundError('nobody there')
      return { json: documents[url], cache_control: undefined }
    },
    postSet: async () => ({ status: 202, text: '' }),
    postForm: async () => undefined,
  },
})
const { issuer } = server
await server.createClient({ client_secret: SECRET })
await server.createClient({
  client_id: 'signs',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.public_jwk] },
})
await server.createAccount()
await server.createClient({ client_id: 'agent', client_secret: SECRET, grant_types: [JWT_BEARER_GRANT] })
const web = await server.createClient({ ...WEB_CLIENT, jwks: { keys: [key.public_jwk] } })

let made = 0
const fresh = () => ({ iat: NOW, jti: `forged-${made++}` })

interface Reader extends ClientJwtKind {
  readonly name: string
  /** `taken`, `refused` as documented, or what else was the answer. */
  readonly present: (jwt: string) => Promise<string>
}

type Answer = { statusCode: number; body: string }
const outcome = ({ statusCode, body }: Answer, refusal: RegExp): string => {
  if (statusCode === 200 || statusCode === 201) return 'taken'
  return refusal.test(`${statusCode} ${body}`) ? 'refused' : `${statusCode} ${body}`
}

const OTHERS = ['at+jwt', 'logout+jwt', 'token-introspection+jwt', 'secevent+jwt', '"', 5, null, ['JWT'], {}]
const credentials = { grant_type: 'client_credentials' }

const readers: readonly Reader[] = [
  {
    name: 'RFC 7523 §2.1: an assertion as a grant',
    key,
    header: {},
    claims: () => ({ iss: VOUCHER, sub: 'alice', aud: issuer, exp: NOW + 60, ...fresh() }),
    required: ['iss', 'sub', 'aud', 'exp', 'jti'],
    foreign_types: [...OTHERS, 'dpop+jwt', 'oauth-authz-req+jwt', 'client-authentication+jwt'],
    now: NOW,
    present: async (assertion) => {
      const form = { grant_type: JWT_BEARER_GRANT, assertion }
      return outcome(await server.postForm('/token', form, basic('agent', SECRET)), /^400 .*"invalid_grant"|^413 /)
    },
  },
  {
    name: 'RFC 7523 §3: a client assertion',
    key,
    header: {},
    claims: () => ({ iss: 'signs', sub: 'signs', aud: issuer, exp: NOW + 60, ...fresh() }),
    required: ['iss', 'sub', 'aud', 'exp', 'jti'],
    foreign_types: [...OTHERS, 'dpop+jwt', 'oauth-authz-req+jwt'],
    now: NOW,
    present: async (client_assertion) => {
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      const form = { ...credentials, client_assertion_type, client_assertion }
      return outcome(await server.postForm('/token', form), /^401 .*"invalid_client"|^413 /)
    },
  },
  {
    name: 'RFC 9101 §6: a request object',
    key,
    header: { typ: 'oauth-authz-req+jwt' },
    claims: () => {
      const { searchParams } = new URL(authorizationUrl({ issuer }, web).url)
      return { ...Object.fromEntries(searchParams), iss: 'web', aud: issuer, exp: NOW + 60, ...fresh() }
    },
    required: ['iss', 'client_id', 'aud'],
    foreign_types: [...OTHERS, 'dpop+jwt', 'client-authentication+jwt'],
    now: NOW,
    present: async (request) =>
      outcome(await server.postForm('/par', { client_id: 'web', request }), /^400 .*"invalid_request_object"|^413 /),
  },
  {
    name: 'RFC 9449 §4.3: a DPoP proof',
    key,
    header: { typ: 'dpop+jwt', kid: undefined, jwk: { ...key.public_jwk, kid: undefined } },
    claims: () => ({ htm: 'POST', htu: `${issuer}/token`, ...fresh() }),
    required: ['htm', 'htu', 'iat', 'jti'],
    foreign_types: [...OTHERS, undefined, 'JWT', 'oauth-authz-req+jwt', 'client-authentication+jwt'],
    now: NOW,
    brings_its_key: true,
    present: async (dpop) =>
      outcome(
        await server.postForm('/token', credentials, { ...basic('service', SECRET), dpop }),
        /^400 .*"invalid_dpop_proof"/,
      ),
  },
  {
    name: 'RFC 7591 §2.3: a software statement',
    key,
    header: {},
    claims: () => ({ iss: VOUCHER, aud: issuer, exp: NOW + 60, client_name: 'Vouched for', ...fresh() }),
    required: ['iss'],
    shared: true,
    foreign_types: [...OTHERS, 'dpop+jwt', 'oauth-authz-req+jwt', 'client-authentication+jwt'],
    now: NOW,
    present: async (software_statement) => {
      const document = { redirect_uris: ['https://app.example/callback'], software_statement }
      return outcome(await server.postJson('/register', document), /^400 .*"(?:invalid|unapproved)_software_statement"/)
    },
  },
]

for (const reader of readers) {
  t.test(reader.name, async (t) => {
    const { present, claims, header } = reader
    t.equal(await present(await signAs(key, claims(), header)), 'taken', 'a right one')
    for (const [title, jwt] of await clientForgeries(reader)) {
      const answer = await present(jwt)
      if (answer !== 'refused') t.fail(`${title}: ${answer.slice(0, 300)}`)
    }
    t.equal(await present(await signAs(key, claims(), header)), 'taken', 'and the next right one')
  })
}

t.test('RFC 8725 §3.10: nothing was fetched but what is configured', async (t) => {
  t.same(
    fetched.filter((url) => !url.startsWith(`${VOUCHER}/`)),
    [],
  )
})

t.test('RFC 7523 §3, RFC 9449 §11.1: of all spellings of one signature, one is good, and once', async (t) => {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (const { name, claims, header, present } of readers.filter(({ required }) => required.includes('jti'))) {
    const jwt = await signAs(key, claims(), header)
    const significant = ALPHABET.indexOf(jwt.at(-1) ?? '') & 0b110000
    const spellings = Array.from({ length: 16 }, (_, bits) => jwt.slice(0, -1) + ALPHABET[significant | bits])
    const answers = []
    for (const spelling of [...spellings, ...spellings]) answers.push(await present(spelling))
    t.equal(answers.filter((answer) => answer === 'taken').length, 1, name)
  }
})

t.test('RFC 8725 §2.8, §3.12: what one place takes, no other does', async (t) => {
  for (const from of readers) {
    for (const to of readers) {
      if (from === to) continue
      const jwt = await signAs(key, from.claims(), from.header)
      const answer = await to.present(jwt)
      t.equal(answer === 'taken', false, `${from.name} as ${to.name}: ${answer}`)
    }
  }
})
