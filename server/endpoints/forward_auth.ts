import type { FastifyReply, FastifyRequest } from 'fastify'
import { FORWARD_AUTH_CLIENT_ID } from '../clients/forward_auth_client.ts'
import { allowOnly } from '../http/allow.ts'
import { readBrowserState } from '../http/browser_state.ts'
import { forwardedSession } from '../http/forward_auth_cookie.ts'
import { rangesOf } from '../http/trusted_proxy.ts'
import { OAuthError } from '../protocol/errors.ts'
import {
  type Admitted,
  assertRole,
  type ForwardPolicy,
  identityHeaders,
  isNavigation,
  type OriginalRequest,
  originalRequest,
  prefixedRequest,
  readForwardPolicy,
} from '../protocol/forward_auth.ts'
import { type Form, parseForm } from '../protocol/parameters.ts'
import { presentedToken } from '../protocol/presented_token.ts'
import { authenticationProblem } from '../protocol/step_up.ts'
import type { Seconds } from '../protocol/time.ts'
import { admitToResource, tokenRequired } from '../tokens/resource_access.ts'
import { builtInResources } from '../tokens/resources.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'
import { answerCallback, sendToSignIn } from './forward_auth_sign_in.ts'

const NO_FORM: Form = new Map()
/** What an answer hangs on, as a cache in the proxy knows it. */
const VARY = 'Authorization, Cookie, DPoP, Accept, Host'

/** What lets a request through, and for how long that is known to hold. */
interface Leave extends Admitted {
  /** Until when a cache may believe it; undefined: not at all. */
  readonly good_until: Seconds | undefined
}

/**
 * Tells a proxy whether a request that it holds back may pass, and whose it is.
 *
 * @see docs/decisions/0023_forward_auth.md
 */
export const forwardAuth: Endpoint = {
  name: 'forward_auth',
  spec: 'RFC 6750 §3',
  scope: 'forward',
  metadata: () => ({}),
  plugin: (deps) => async (app) => {
    if (!deps.config.forward_auth.enabled) return
    const isProxy = rangesOf(deps.config.http.trust_proxy)
    const isTrusted = ({ raw }: FastifyRequest) => isProxy(raw.socket.remoteAddress)

    app.all('/forward-auth', (request, reply) => {
      const original = isTrusted(request) ? originalRequest(request.headers) : undefined
      return answer(deps, { query: partsOf(request.url).query, original }, request, reply)
    })

    // Envoy puts path and query of the original request behind a prefix, so the policy is a part of that.
    app.all('/forward-auth/with/:policy/*', (request, reply) => {
      const { policy, rest } = partsOf(request.url)
      const original = isTrusted(request) ? prefixedRequest(request.method, request.headers, rest) : undefined
      // Without any it would be one that lets everybody in, by a slip of the pen.
      if (policy === '') throw new OAuthError('invalid_request', 'the policy is missing')
      return answer(deps, { query: policy, original }, request, reply)
    })

    allowOnly(app, '/forward-auth/callback', 'GET')
    app.get('/forward-auth/callback', (request, reply) => answerCallback(deps, app, request, reply))
  },
}

/** As it was sent: what is decoded twice is decoded wrongly. */
function partsOf(url: string): { query: string; policy: string; rest: string } {
  const at = url.indexOf('?')
  const query = at === -1 ? '' : url.slice(at + 1)
  const [, policy = '', rest = '/'] = /\/forward-auth\/with\/([^/?]*)(\/.*)$/.exec(url) ?? []
  return { query, policy, rest }
}

async function answer(
  deps: EndpointDeps,
  { query, original }: { readonly query: string; readonly original: OriginalRequest | undefined },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.header('vary', VARY)
  const policy = readForwardPolicy(query, parseForm(Buffer.from(query)))
  try {
    const leave = await admit(deps, policy, original, request)
    assertRole(policy, leave.account)
    allowCaching(deps, reply, leave)
    return await reply.headers(identityHeaders(leave)).send('')
  } catch (thrown) {
    const origin = signInOrigin(deps, { policy, original, thrown }, request)
    if (origin === undefined || original === undefined) throw thrown
    return sendToSignIn(deps, { policy, origin, return_to: original.url.href }, request, reply)
  }
}

/** A token that was sent is what counts, good or not; without one, the browser's session. */
async function admit(
  deps: EndpointDeps,
  policy: ForwardPolicy,
  original: OriginalRequest | undefined,
  request: FastifyRequest,
): Promise<Leave> {
  const presented = presentedToken(request.headers.authorization, NO_FORM)
  if (presented !== undefined && policy.accept.has('token')) return admitToken(deps, policy, original, request)
  if (presented === undefined && policy.accept.has('session')) return admitSession(deps, policy, original, request)
  throw tokenRequired()
}

async function admitToken(
  deps: EndpointDeps,
  policy: ForwardPolicy,
  original: OriginalRequest | undefined,
  request: FastifyRequest,
): Promise<Leave> {
  const { claims, client, account } = await admitToResource(
    deps,
    {
      presented: presentedToken(request.headers.authorization, NO_FORM),
      method: original?.method ?? request.method,
      // A proof is for the address that its sender used. Where no proxy tells it, only our own is known.
      htu: original?.url.href ?? `${deps.config.issuer}/forward-auth`,
      dpop: request.headers.dpop,
      certificate: deps.certificateOf(request),
    },
    { ...policy, audience: policy.resource ?? builtInResources(deps.config).default_resource },
  )
  // A token that is bound to a key comes with a proof that is good once, or from one connection.
  const good_until = claims.cnf === undefined ? claims.exp : undefined
  return { sub: claims.sub, account, client, scope: claims.scope ?? '', good_until }
}

async function admitSession(
  deps: EndpointDeps,
  policy: ForwardPolicy,
  original: OriginalRequest | undefined,
  request: FastifyRequest,
): Promise<Leave> {
  const live = await sessionOf(deps, original, request)
  if (live === undefined) throw tokenRequired()
  const { session, account } = live
  const { acr, ...rest } = session
  const problem = authenticationProblem({ ...rest, ...(acr === null ? {} : { acr }) }, policy, deps.clock.now())
  if (problem !== undefined) throw problem
  const good_until = Math.min(session.idle_expires_at, session.absolute_expires_at)
  return { sub: account.account_id, account, client: undefined, scope: '', good_until }
}

/** At our own origin the session's own cookie counts, elsewhere the one that its callback has set. */
async function sessionOf(deps: EndpointDeps, original: OriginalRequest | undefined, request: FastifyRequest) {
  const { issuer, forward_auth } = deps.config
  const origin = original?.url.origin
  if (origin === undefined || origin === new URL(issuer).origin) {
    const state = await readBrowserState(deps, request)
    if (state.session !== undefined) return state
  }
  if (origin === undefined || !forward_auth.origins.includes(origin)) return undefined
  const client = await deps.store.findClient(FORWARD_AUTH_CLIENT_ID)
  return client?.disabled_at === null ? forwardedSession(deps, request, origin) : undefined
}

/**
 * Where a browser may be sent to sign in: it shows pages, a sign-in would help, and the proxy told an origin that is
 * configured, so that nobody is sent anywhere else afterwards.
 */
function signInOrigin(
  deps: EndpointDeps,
  { policy, original, thrown }: { policy: ForwardPolicy; original: OriginalRequest | undefined; thrown: unknown },
  { headers }: FastifyRequest,
): string | undefined {
  if (!policy.redirects || !policy.accept.has('session') || headers.authorization !== undefined) return undefined
  if (original === undefined || !/^(GET|HEAD)$/.test(original.method) || !isNavigation(headers)) return undefined
  const helps = thrown instanceof OAuthError && thrown.status === 401
  const { origin } = original.url
  return helps && deps.config.forward_auth.origins.includes(origin) ? origin : undefined
}

/** nginx obeys this header before all others; any other cache hears that the answer is nobody else's. */
function allowCaching({ config, clock }: EndpointDeps, reply: FastifyReply, { good_until }: Leave): void {
  const seconds = Math.min(config.forward_auth.cache_seconds, (good_until ?? 0) - clock.now())
  if (seconds <= 0) return
  // nginx before 1.23 goes by whichever comes first.
  reply.removeHeader('cache-control')
  reply.header('x-accel-expires', String(seconds)).header('cache-control', 'private, no-cache')
}
