/** A client of the FAPI 2.0 Security Profile: it pushes its requests, authenticates by a key and shows one with its tokens. */
import { createHash } from 'node:crypto'
import { createLocalJWKSet, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import type { TestApp } from './app.ts'
import { VERIFIER } from './code.ts'
import { answerOf, type Tokens } from './relying_party.ts'
import { createBrowser, type Landing, type Person, signInThroughPages } from './web_client.ts'

export type Fields = Readonly<Record<string, string>>
type Changes = Readonly<Record<string, string | undefined>>

/** What a request has beside what it asks for. */
export interface Shown {
  readonly form?: Fields
  readonly headers?: Fields
}

export interface Fapi2Options {
  readonly client_id: string
  readonly redirect_uri: string
  /** What authenticates the client. */
  readonly authenticate: () => Promise<Shown>
  /** What shows the key that its tokens are bound to. @param access_token at a protected resource */
  readonly constrain: (htm: 'GET' | 'POST', path: string, access_token?: string) => Promise<Fields>
}

export interface Fapi2Flow {
  readonly answer: Fields
  readonly tokens: Tokens
  /** Of the ID token, which is verified. */
  readonly claims: JWTPayload
  readonly header: ProtectedHeaderParameters
}

type Response = Awaited<ReturnType<TestApp['postForm']>>

/** Everywhere, `shown` takes the place of what the client would show. */
export interface Fapi2Party {
  push(changes?: Changes, shown?: Shown): Promise<Response>
  /** @returns the request_uri */
  pushed(changes?: Changes): Promise<string>
  /** @param beside parameters beside client_id and request_uri */
  authorize(request_uri: string, beside?: Fields, person?: Person): Promise<Landing>
  /** What comes to the redirect URI for a pushed request. */
  answer(changes?: Changes): Promise<Fields>
  token(form: Fields, shown?: Shown): Promise<Response>
  exchange(code: string | undefined, changes?: Changes, shown?: Shown): Promise<Response>
  flow(changes?: Changes): Promise<Fapi2Flow>
  /** @param headers in place of what the client would send */
  resource(tokens: Pick<Tokens, 'access_token' | 'token_type'>, headers?: Fields): Promise<Response>
}

export function fapi2Party(server: TestApp, options: Fapi2Options): Fapi2Party {
  const { issuer } = server
  const { client_id, redirect_uri, authenticate, constrain } = options
  const browser = createBrowser(server)
  const shownAt = async (path: string): Promise<Shown> => {
    const { form = {}, headers = {} } = await authenticate()
    return { form, headers: { ...headers, ...(await constrain('POST', path)) } }
  }
  const request = {
    response_type: 'code',
    redirect_uri,
    scope: 'openid',
    state: 'the state',
    nonce: 'the nonce',
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
  }
  const party: Fapi2Party = {
    // RFC 9449 §10: a proof at this endpoint would bind the code, which is a module of its own.
    async push(changes = {}, shown) {
      const { form, headers } = shown ?? (await authenticate())
      return server.postForm('/par', { ...given({ ...request, ...changes }), ...form }, headers)
    },
    async pushed(changes) {
      const response = await party.push(changes)
      if (response.statusCode !== 201) throw new Error(response.body)
      return response.json().request_uri
    },
    authorize: (request_uri, beside = {}, person = {}) => {
      const query = new URLSearchParams({ client_id, request_uri, ...beside }).toString()
      return signInThroughPages(browser, `${issuer}/authorize?${query}`, person)
    },
    async answer(changes) {
      const landing = await party.authorize(await party.pushed(changes))
      const answer = answerOf(issuer, landing)
      if (answer === undefined) throw new Error(`no answer: ${landing.body}`)
      return answer
    },
    async token(form, shown) {
      const { form: more, headers } = shown ?? (await shownAt('/token'))
      return server.postForm('/token', { ...form, ...more }, headers)
    },
    exchange: (code = '', changes = {}, shown) => {
      const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier: VERIFIER }
      return party.token(given({ ...form, ...changes }), shown)
    },
    async flow(changes) {
      const answer = await party.answer(changes)
      const response = await party.exchange(answer.code)
      if (response.statusCode !== 200) throw new Error(response.body)
      const tokens: Tokens = response.json()
      const { body } = await server.inject({ url: '/.well-known/jwks.json' })
      const rules = { issuer, audience: client_id, currentDate: new Date(server.clock.now() * 1000) }
      const { payload, protectedHeader } = await jwtVerify(tokens.id_token, createLocalJWKSet(JSON.parse(body)), rules)
      return { answer, tokens, claims: payload, header: protectedHeader }
    },
    async resource({ access_token, token_type }, headers) {
      const shown = headers ?? (await constrain('GET', '/userinfo', access_token))
      return server.inject({
        url: '/userinfo',
        headers: { authorization: `${token_type} ${access_token}`, ...shown },
      })
    },
  }
  return party
}

function given(fields: Changes): Fields {
  return Object.fromEntries(Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined))
}
