/**
 * An issuer without a network, for verifiers that are given its `fetch` and its clock: it publishes metadata, keys, a
 * status list and a stream, and each of them can be made to fail.
 */
import { deflateSync } from 'node:zlib'
import type { VerifierOptions } from '../../resource_server/options.ts'
import { createVerifier, type Verifier } from '../../resource_server/verifier.ts'
import { type Claims, makeSigningKey, type SigningKey, signToken } from './stand_in_issuer.ts'

export const START = 1_800_000_000

type Answer = (url: URL, init: RequestInit) => Response | Promise<Response>

export interface InMemoryIssuer {
  readonly issuer: string
  readonly audience: string
  readonly list_uri: string
  readonly key: SigningKey
  /** Epoch seconds. The test moves it. */
  clock: number
  /** What the key set has. */
  jwks: object[]
  /** What the key set and the metadata may be cached by. */
  cache_control: string
  /** The indices that the list calls revoked. */
  readonly revoked: Set<number>
  /** Replaces claims of the list. */
  list_claims: Claims
  list_header: Claims
  list_key: SigningKey
  /** By path: every request so far. */
  readonly requests: { readonly path: string; readonly init: RequestInit }[]
  /** By path: what is answered instead. */
  readonly answers: Map<string, Answer>
  /** What its verifiers had trouble with. */
  readonly problems: string[]
  readonly fetch: typeof fetch
  asked(path: string): number
  claims(changes?: Claims): Claims
  token(changes?: Claims, header?: Claims): Promise<string>
  /** A token whose grant has a place in the list. */
  listed(idx: number, changes?: Claims): Promise<string>
  verifier(options?: Partial<VerifierOptions>): Verifier
  listToken(): Promise<string>
}

export const PATHS = {
  metadata: '/.well-known/oauth-authorization-server',
  jwks: '/jwks',
  list: '/status-lists/1',
  stream: '/revocations/stream',
} as const

/** A fetch that fails as the network does. */
export const unreachable: Answer = () => {
  throw new TypeError('fetch failed')
}

type Test = { teardown(handler: () => void): void }

export async function inMemoryIssuer(test: Test, issuer = 'https://issuer.example'): Promise<InMemoryIssuer> {
  const key = await sharedKey()
  const { pathname } = new URL(issuer)
  const json = (value: object) => Response.json(value, { headers: { 'cache-control': self.cache_control } })
  const published: Record<string, Answer> = {
    [`${PATHS.metadata}${pathname.replace(/\/$/, '')}`]: () =>
      json({
        issuer,
        jwks_uri: new URL(PATHS.jwks, issuer).href,
        revocation_stream_endpoint: new URL(PATHS.stream, issuer).href,
      }),
    [PATHS.jwks]: () => json({ keys: self.jwks }),
    [PATHS.list]: async () => new Response(await self.listToken()),
  }
  const self: InMemoryIssuer = {
    issuer,
    audience: 'https://api.example.com',
    list_uri: new URL(PATHS.list, issuer).href,
    key,
    clock: START,
    jwks: [key.jwk],
    cache_control: 'public, max-age=300',
    revoked: new Set(),
    list_claims: {},
    list_header: {},
    list_key: key,
    requests: [],
    answers: new Map(),
    problems: [],
    async fetch(input, init = {}) {
      const url = new URL(input instanceof Request ? input.url : input)
      self.requests.push({ path: url.pathname, init })
      const answer = self.answers.get(url.pathname) ?? published[url.pathname]
      return answer === undefined ? new Response(null, { status: 404 }) : answer(url, init)
    },
    asked: (path) => self.requests.filter((request) => request.path === path).length,
    claims: (changes = {}) => ({
      iss: issuer,
      sub: 'account_1',
      aud: self.audience,
      client_id: 'app',
      scope: 'read write',
      iat: self.clock,
      exp: self.clock + 100_000,
      jti: 'token_1',
      ...changes,
    }),
    token: (changes, header) => signToken(key, self.claims(changes), header),
    listed: (idx, changes = {}) => self.token({ status: { status_list: { idx, uri: self.list_uri } }, ...changes }),
    verifier(options = {}) {
      const { audience, fetch } = self
      const on_problem = ({ what, cause }: { what: string; cause: unknown }) =>
        void self.problems.push(`${what}: ${String(cause)}`)
      const made = createVerifier({ issuer, audience, fetch, now: () => self.clock, on_problem, ...options })
      test.teardown(() => made.close())
      return made
    },
    listToken() {
      const claims = {
        sub: self.list_uri,
        iat: self.clock,
        exp: self.clock + 3_600,
        ttl: 60,
        status_list: { bits: 1, lst: packed([...self.revoked]) },
        ...self.list_claims,
      }
      return signToken(self.list_key, claims, { typ: 'statuslist+jwt', ...self.list_header })
    },
  }
  return self
}

let made: Promise<SigningKey> | undefined
/** One for all: it takes longer to make than a test to run. */
function sharedKey(): Promise<SigningKey> {
  made ??= makeSigningKey()
  return made
}

/** The `lst` of a list of 1,024 places, one bit each. */
export function packed(revoked: readonly number[], places = 1_024): string {
  const bytes = Buffer.alloc(places / 8)
  for (const idx of revoked) bytes[idx >> 3] = (bytes[idx >> 3] ?? 0) | (1 << (idx & 7))
  return deflateSync(bytes).toString('base64url')
}

/** What a verifier says: `good`, or the code of its refusal, with the reason for the log. */
export async function verdict(verifier: Verifier, ...presented: Parameters<Verifier['verify']>): Promise<string> {
  try {
    await verifier.verify(...presented)
    return 'good'
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'reason' in error)
      return `${String(error.code)}: ${String(error.reason)}`
    throw error
  }
}
