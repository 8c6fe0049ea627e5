/** A client as the conformance suite of the OpenID Foundation is one: it has no PKCE, and a person's browser beside it. */
import { createLocalJWKSet, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import type { Client } from '../../server/protocol/client.ts'
import { basic, type TestApp } from './app.ts'
import { assertion, type ClientKey } from './client_keys.ts'
import {
  authorizationUrl,
  type Browser,
  createBrowser,
  formIn,
  type Landing,
  type Person,
  signInThroughPages,
} from './web_client.ts'

type Parameters = Readonly<Record<string, string | undefined>>
type Fields = Readonly<Record<string, string>>

/** What is added to a request so that the client authenticates. */
export type Authenticate = () => Promise<{ readonly form?: Fields; readonly headers?: Fields }>

export interface Tokens {
  readonly access_token: string
  readonly id_token: string
  readonly refresh_token?: string
  readonly token_type: string
  readonly expires_in: number
}

export interface Flow {
  /** What came to the redirect URI. */
  readonly answer: Fields
  readonly tokens: Tokens
  /** Of the ID token, which is verified. */
  readonly claims: JWTPayload
  readonly header: ProtectedHeaderParameters
  readonly browser: Browser
}

export interface FlowOptions {
  /** Left out: one that stays signed in from one call to the next. */
  readonly browser?: Browser
  readonly person?: Person
}

type Response = Awaited<ReturnType<TestApp['postForm']>>

export interface RelyingParty {
  /** What it sends at the authorization endpoint. */
  url(parameters?: Parameters): string
  /** Opens that, and does what the pages ask for. */
  open(parameters?: Parameters, options?: FlowOptions): Promise<Landing>
  /** The same, without doing anything, in a new browser. */
  look(parameters?: Parameters, browser?: Browser): Promise<Landing>
  token(form: Fields): Promise<Response>
  exchange(code: string, form?: Fields): Promise<Response>
  /** From the request to verified tokens. */
  flow(parameters?: Parameters, options?: FlowOptions): Promise<Flow>
  userinfo(tokens: Pick<Tokens, 'access_token' | 'token_type'>): Promise<Response>
  verify(jwt: string): ReturnType<typeof jwtVerify>
}

const NO_PKCE = { code_challenge: undefined, code_challenge_method: undefined }

/** @param always what every request of its browser has beside what it asks for */
export function relyingParty(
  server: TestApp,
  client: Pick<Client, 'client_id' | 'redirect_uris'>,
  authenticate: Authenticate,
  always: Parameters = {},
): RelyingParty {
  const { issuer } = server
  const usual = createBrowser(server)
  const party: RelyingParty = {
    url: (parameters = {}) => authorizationUrl(server, client, { ...NO_PKCE, ...always, ...parameters }).url,
    open: (parameters, { browser = usual, person } = {}) => signInThroughPages(browser, party.url(parameters), person),
    look: (parameters, browser = createBrowser(server)) => browser.open(party.url(parameters)),
    async token(form) {
      const shown = await authenticate()
      return server.postForm('/token', { ...form, ...shown.form }, shown.headers)
    },
    exchange: (code, form = {}) =>
      party.token({
        grant_type: 'authorization_code',
        code,
        redirect_uri: client.redirect_uris[0] ?? '',
        ...form,
      }),
    async flow(parameters = {}, options = {}) {
      const browser = options.browser ?? usual
      const landing = await party.open(parameters, { ...options, browser })
      const answer = answerOf(issuer, landing)
      if (answer?.code === undefined) throw new Error(`no code: ${landing.url.href} ${landing.body}`)
      const { redirect_uri } = parameters
      const response = await party.exchange(answer.code, redirect_uri === undefined ? {} : { redirect_uri })
      if (response.statusCode !== 200) throw new Error(response.body)
      const tokens: Tokens = response.json()
      const { payload, protectedHeader } = await party.verify(tokens.id_token)
      return { answer, tokens, claims: payload, header: protectedHeader, browser }
    },
    userinfo: ({ token_type, access_token }) =>
      server.inject({ url: '/userinfo', headers: { authorization: `${token_type} ${access_token}` } }),
    async verify(jwt) {
      const { body } = await server.inject({ url: '/.well-known/jwks.json' })
      const options = { issuer, audience: client.client_id, currentDate: new Date(server.clock.now() * 1000) }
      return jwtVerify(jwt, createLocalJWKSet(JSON.parse(body)), options)
    },
  }
  return party
}

/** What a landing brings to the client, in the query or by a form; undefined: it is a page of ours. */
export function answerOf(issuer: string, landing: Landing): Fields | undefined {
  if (landing.left) return Object.fromEntries(landing.url.searchParams)
  if (landing.statusCode !== 200 || !landing.body.includes('<form')) return undefined
  const { action, fields } = formIn(landing.body)
  return new URL(action, issuer).origin === new URL(issuer).origin ? undefined : fields
}

/** For `buildTestApp`: a machine that is busy with other tests sheds no load. */
export const UNHURRIED = { http: { max_event_loop_delay_milliseconds: 0 } }

export function byBasic(client_id: string, client_secret: string): Authenticate {
  return async () => ({ headers: basic(client_id, client_secret) })
}

export function byPost(client_id: string, client_secret: string): Authenticate {
  return async () => ({ form: { client_id, client_secret } })
}

/** @param key asked for each time, since keys are rotated */
export function byAssertion(
  server: TestApp,
  client_id: string,
  key: () => ClientKey,
  audience: string = server.issuer,
): Authenticate {
  return async () => ({ form: await assertionForm(key(), { client_id, audience, now: server.clock.now() }) })
}

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** An assertion in the parameters of RFC 7521 §4.2. */
export async function assertionForm(...assertionOf: globalThis.Parameters<typeof assertion>): Promise<Fields> {
  return {
    client_assertion_type: JWT_BEARER,
    client_assertion: await assertion(...assertionOf),
  }
}
