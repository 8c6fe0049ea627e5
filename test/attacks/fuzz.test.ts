import fc from 'fast-check'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { mintCliToken } from '../../server/admin/cli_token.ts'
import { buildTestApp } from '../helpers/app.ts'
import { CLIENT, furnish, type Target, targets } from './targets.ts'

/** What nobody thought of: bodies, headers and addresses at random, at every endpoint that takes a body. */

const RUNS = 150
const PLENTY = 100_000
const server = await buildTestApp(t, {
  config: {
    throttle: { account_attempts_per_minute: 1, address_attempts_per_minute: 1, client_failures_per_minute: PLENTY },
    http: { max_event_loop_delay_milliseconds: 0 },
  },
})
await furnish(server)
// Guesses are throttled, so that what is tried at random is not hashed each time.
await server.postJson('/api/token/', { username: 'nobody', password: 'wrong' })

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', ' ', '\0', '\ud800', '%', '__proto__', 'alice', 'service', 'gth_rt_x', 'a.b.c', 'RS256'),
)
/** A header as Node's parser lets it through: latin-1 without control characters. */
const headerValue = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code === 0x7f ? 0x20 : code)),
  maxLength: 200,
})
const contentType = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('application/json', 'application/x-www-form-urlencoded') },
  { weight: 1, arbitrary: headerValue },
)
const headers = fc.dictionary(
  fc.constantFrom('user-agent', 'origin', 'cookie', 'accept', 'sec-fetch-site', 'x-forwarded-for', 'content-encoding'),
  headerValue,
)

/** The members that mean something somewhere. */
const MEMBERS = [
  ...['grant_type', 'scope', 'resource', 'refresh_token', 'client_id', 'client_secret', 'token', 'token_type_hint'],
  ...['username', 'email', 'password', 'refresh', 'name', 'roles', 'password_hash', 'email_verified', 'account'],
  ...['issued_before', 'session_id', 'alg', 'force', 'emergency', 'scopes', 'signing_alg', 'access_token_seconds'],
  ...['resources', 'clients', 'users', 'grant_types', 'token_endpoint_auth_method', 'jwks', 'refresh_token_profile'],
]

function arbitraryBody(): fc.Arbitrary<string | Buffer> {
  const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...MEMBERS) }, { weight: 1, arbitrary: text })
  const object = fc.dictionary(name, fc.oneof(text, fc.jsonValue({ maxDepth: 3 })), { maxKeys: 6 })
  const pairs = fc.array(fc.tuple(name, text), { maxLength: 6 })
  return fc.oneof(
    { weight: 4, arbitrary: object.map((value) => JSON.stringify(value)) },
    {
      weight: 3,
      arbitrary: pairs.map((list) => list.map(([key, value]) => `${formEncoded(key)}=${formEncoded(value)}`).join('&')),
    },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  )
}

const anyBody = arbitraryBody()

function formEncoded(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2)
}

const authorization = fc.oneof(
  { weight: 3, arbitrary: fc.constant('ours') },
  { weight: 1, arbitrary: headerValue },
  { weight: 1, arbitrary: text.map((value) => `Basic ${Buffer.from(value).toString('base64')}`) },
)

async function ours(target: Target): Promise<string | undefined> {
  if (target.refusal === 'problem') return `Bearer ${await mintCliToken(server.deps)}`
  return target.refusal === 'oauth' ? CLIENT.authorization : undefined
}

for (const target of targets.filter(({ body, alias }) => body !== undefined && alias !== true)) {
  t.test(`${target.method} ${target.route}: whatever comes, it is no fault of ours`, async (t) => {
    const right = await ours(target)
    const url = target.route.replace(/:\w+/, 'service')
    await fc.assert(
      fc.asyncProperty(anyBody, contentType, headers, authorization, async (payload, type, others, shown) => {
        const value = shown === 'ours' ? right : shown
        const request: InjectOptions = {
          method: target.method,
          url,
          payload,
          headers: { ...others, 'content-type': type, ...(value === undefined ? {} : { authorization: value }) },
        }
        const { statusCode, body } = await server.inject(request)
        if (statusCode >= 500 && statusCode !== 503) throw new Error(`${statusCode} ${body}`)
      }),
      { numRuns: RUNS, seed: 20_261_122 },
    )
    t.pass()
  })
}
