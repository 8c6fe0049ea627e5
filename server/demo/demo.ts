import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { type DemoChoice, type DemoStep, demoPage } from '../../web/pages/demo.ts'
import type { Deps } from '../deps.ts'
import { type PageOptions, queryOf } from '../http/browser_scope.ts'
import {
  assertCsrf,
  browserDigest,
  csrfToken,
  ensureBrowser,
  isNamed,
  readBrowserState,
} from '../http/browser_state.ts'
import { formOf } from '../http/machine_scope.ts'
import { OAuthError } from '../protocol/errors.ts'
import { type Form, single } from '../protocol/parameters.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import { DEMO_CLIENT_ID, DEMO_SCOPE } from './client.ts'
import { describeExchange, memberOf, parse, type Received, type Sent } from './exchange.ts'

/** An authorization request that has not been answered yet. */
interface Pending {
  readonly url: string
  readonly state: string
  readonly nonce: string
  readonly code_verifier: string
}

/** What the client knows of one browser. */
interface Visit {
  readonly pending?: Pending
  readonly access_token?: string | undefined
  readonly refresh_token?: string | undefined
  readonly id_token?: string | undefined
  readonly steps: readonly DemoStep[]
}

const NOTHING: Visit = { steps: [] }
const MOST_VISITS = 100
const SECRET_BYTES = 32
const CHOICES: readonly DemoChoice[] = ['sign_in', 'userinfo', 'refresh', 'revoke', 'sign_out']

/**
 * A relying party to look at. It is a client like any other: what it knows it gets from this server's own routes, which
 * it calls within the process, so that it works wherever the issuer's name leads from here. What it knows is in memory.
 *
 * @see [OAuth 2.1 §4.1](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1#section-4.1)
 * @see [OpenID Connect Core 1.0 §3.1](https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth)
 */
export function demo(deps: Deps): FastifyPluginAsync<PageOptions> {
  const { issuer } = deps.config
  const action = `${issuerPath(issuer)}/demo`
  const visits = new Map<string, Visit>()

  /** The ones seen last stay. */
  const keep = (key: string, visit: Visit) => {
    visits.delete(key)
    visits.set(key, visit)
    const [oldest] = visits.keys()
    if (visits.size > MOST_VISITS && oldest !== undefined) visits.delete(oldest)
  }

  return async (app, { sendPage }) => {
    app.get('/demo', async (request, reply) => {
      const browser = ensureBrowser(deps, reply, await readBrowserState(deps, request))
      const visit = visits.get(browserDigest(deps, browser)) ?? NOTHING
      const csrf_token = csrfToken(deps, browser, 'browser')
      const steps = visit.steps.toReversed()
      return sendPage(
        reply,
        demoPage({ action, csrf_token, choices: CHOICES.filter((it) => isOpen(visit, it)), steps }),
      )
    })

    app.post('/demo', async (request, reply) => {
      const form = formOf(request)
      const browser = await readBrowserState(deps, request)
      assertCsrf(deps, browser, form, 'browser')
      const key = browserDigest(deps, browser)
      const visit = visits.get(key) ?? NOTHING
      const choice = CHOICES.find((one) => one === single(form, 'choice'))
      // The page may be older than what was done since.
      if (choice === undefined || !isOpen(visit, choice)) return reply.redirect(action, 303)
      if (choice === 'sign_in') {
        const pending = newRequest(deps)
        keep(key, { pending, steps: [] })
        return reply.redirect(pending.url, 303)
      }
      if (choice === 'sign_out') {
        visits.delete(key)
        const query = { id_token_hint: visit.id_token ?? '', post_logout_redirect_uri: `${issuer}/demo` }
        return reply.redirect(`${issuer}/logout?${new URLSearchParams(query).toString()}`, 303)
      }
      keep(key, await DO[choice](app, issuer, visit))
      return reply.redirect(action, 303)
    })

    app.get('/demo/callback', async (request, reply) => {
      const answer = queryOf(request)
      const browser = await readBrowserState(deps, request)
      const key = isNamed(browser) ? browserDigest(deps, browser) : ''
      const { pending } = visits.get(key) ?? NOTHING
      // OAuth 2.1 §7.12: an answer that this browser did not ask for is somebody else's.
      if (pending === undefined || single(answer, 'state') !== pending.state) {
        throw new OAuthError('invalid_request', 'the demo did not ask for this answer')
      }
      keep(key, await receive(app, deps, pending, answer))
      return reply.redirect(action, 303)
    })
  }
}

function isOpen({ access_token, refresh_token, id_token }: Visit, choice: DemoChoice): boolean {
  if (choice === 'userinfo') return access_token !== undefined
  if (choice === 'refresh' || choice === 'revoke') return refresh_token !== undefined
  return (choice === 'sign_out') === (id_token !== undefined)
}

function newRequest({ random, config: { issuer } }: Pick<Deps, 'random' | 'config'>): Pending {
  const secret = () => Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
  const [state, nonce, code_verifier] = [secret(), secret(), secret()]
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: DEMO_CLIENT_ID,
    redirect_uri: `${issuer}/demo/callback`,
    scope: DEMO_SCOPE,
    state,
    nonce,
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  return { url: `${issuer}/authorize?${query.toString()}`, state, nonce, code_verifier }
}

/** What the authorization endpoint has answered, and the exchange of its code. */
async function receive(app: FastifyInstance, deps: Deps, pending: Pending, answer: Form): Promise<Visit> {
  const { issuer } = deps.config
  const parameters = [...answer].map(([name, [value = '']]) => `${name}=${value}`)
  const asked: DemoStep = {
    ...describeExchange(
      {
        title: 'Authorization request',
        about: 'The browser is sent here. You sign in and allow it, and it comes back with a code.',
      },
      { method: 'GET', url: pending.url },
      { status: 303, body: `Location: ${issuer}/demo/callback\n  ?${parameters.join('\n  &')}` },
    ),
    curl: undefined,
  }
  const code = single(answer, 'code')
  // RFC 9207 §2.4: the answer has to be this issuer's before its code goes anywhere.
  if (code === undefined || single(answer, 'iss') !== issuer) return { steps: [asked] }
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: `${issuer}/demo/callback`,
    client_id: DEMO_CLIENT_ID,
    code_verifier: pending.code_verifier,
  }
  const sent: Sent = { method: 'POST', url: `${issuer}/token`, form }
  const received = await send(app, sent)
  const about = 'The code, and the verifier whose hash went along before, for tokens. A code is good for one exchange.'
  const exchanged = describeExchange({ title: 'Token request', about }, sent, received)
  const tokens = tokensOf(received)
  const checked = await checkIdToken(app, deps, tokens.id_token ?? '', pending.nonce)
  return { ...tokens, steps: [asked, exchanged, ...(tokens.id_token === undefined ? [] : [checked])] }
}

/** @see [OpenID Connect Core 1.0 §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation) */
async function checkIdToken(app: FastifyInstance, { config, clock }: Deps, id_token: string, nonce: string) {
  const { issuer } = config
  const sent: Sent = { method: 'GET', url: `${issuer}/.well-known/jwks.json` }
  const received = await send(app, sent)
  const options = { issuer, audience: DEMO_CLIENT_ID, currentDate: new Date(clock.now() * 1000) }
  const found = await jwtVerify(id_token, createLocalJWKSet(JSON.parse(received.body)), options).then(
    ({ payload }) => (payload.nonce === nonce ? 'signature, iss, aud, exp and nonce are right' : 'the nonce is wrong'),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const about = `The ID token is checked with the keys that the issuer publishes: ${found}.`
  return describeExchange({ title: 'JWK Set', about }, sent, received)
}

const DO = {
  async userinfo(app: FastifyInstance, issuer: string, visit: Visit): Promise<Visit> {
    const headers = { authorization: `Bearer ${visit.access_token ?? ''}` }
    const about = 'The access token opens what you have allowed.'
    const { step } = await ask(app, { title: 'UserInfo', about }, { method: 'GET', url: `${issuer}/userinfo`, headers })
    return { ...visit, steps: [...visit.steps, step] }
  },
  async refresh(app: FastifyInstance, issuer: string, visit: Visit): Promise<Visit> {
    const { refresh_token = '' } = visit
    const form = { grant_type: 'refresh_token', refresh_token, client_id: DEMO_CLIENT_ID }
    const about = 'The refresh token, for new tokens. It is spent: the answer holds its successor.'
    const sent: Sent = { method: 'POST', url: `${issuer}/token`, form }
    const { step, received } = await ask(app, { title: 'Refresh', about }, sent)
    const { id_token = visit.id_token, ...tokens } = tokensOf(received)
    return { ...visit, ...tokens, id_token, steps: [...visit.steps, step] }
  },
  async revoke(app: FastifyInstance, issuer: string, visit: Visit): Promise<Visit> {
    const form = { token: visit.refresh_token ?? '', client_id: DEMO_CLIENT_ID }
    const about = 'The client gives its tokens up. UserInfo now refuses the access token.'
    const { step } = await ask(app, { title: 'Revocation', about }, { method: 'POST', url: `${issuer}/revoke`, form })
    return { ...visit, refresh_token: undefined, steps: [...visit.steps, step] }
  },
} as const

async function ask(app: FastifyInstance, words: Pick<DemoStep, 'title' | 'about'>, sent: Sent) {
  const received = await send(app, sent)
  return { received, step: describeExchange(words, sent, received) }
}

async function send(app: FastifyInstance, { method, url, headers = {}, form }: Sent): Promise<Received> {
  const { pathname, search } = new URL(url)
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const { statusCode, body } = await app.inject({
    method,
    url: `${pathname}${search}`,
    headers: { ...headers, ...(form === undefined ? {} : type) },
    ...(form === undefined ? {} : { payload: new URLSearchParams(form).toString() }),
  })
  return { status: statusCode, body }
}

function tokensOf({ body }: Received): Pick<Visit, 'access_token' | 'refresh_token' | 'id_token'> {
  const json = parse(body)
  const [access_token, refresh_token, id_token] = ['access_token', 'refresh_token', 'id_token'].map((name) =>
    memberOf(json, name),
  )
  return { access_token, refresh_token, id_token }
}
