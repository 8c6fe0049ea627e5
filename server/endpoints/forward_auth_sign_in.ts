/**
 * How people sign in for an application behind a proxy: the code flow, with this server as the client of itself. Its
 * redirect URI is at the application's host, whose proxy passes it to us, so that the cookie that is set there is that
 * host's own.
 *
 * @see [OAuth 2.1 §4.1](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1#section-4.1)
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { FORWARD_AUTH_CLIENT_ID, forwardAuthCallback } from '../clients/forward_auth_client.ts'
import { queryOf } from '../http/browser_scope.ts'
import { newStartName, seal, setForwardCookie, setStartCookie, startedBy, unseal } from '../http/forward_auth_cookie.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { ForwardPolicy } from '../protocol/forward_auth.ts'
import { single } from '../protocol/parameters.ts'
import { codeChallenge } from '../protocol/pkce.ts'
import { randomId } from '../protocol/random_id.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import { verifyAccessToken } from '../tokens/verify.ts'
import type { EndpointDeps } from './endpoint.ts'

const MAX_RETURN_CHARACTERS = 2048

/** @param return_to at `origin` */
export function sendToSignIn(
  deps: EndpointDeps,
  { policy, origin, return_to }: { policy: ForwardPolicy; origin: string; return_to: string },
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { config, clock, random } = deps
  const lifetime = config.authorization.interaction_seconds
  // Several tabs sign in beside each other.
  const start = startedBy(request, origin) ?? newStartName(random)
  const id = randomId(random)
  const address = return_to.length > MAX_RETURN_CHARACTERS ? `${origin}/` : return_to
  const expires_at = clock.now() + lifetime
  const state = seal(deps, 'state', { id, start: deps.vault.digest('forward_auth_start', start), address, expires_at })
  const { acr_values, max_age } = policy
  // OpenID Connect Core §5.5.1.1: `acr_values` is a wish, and a wish that is not met would lead here again and again.
  const claims = acr_values && JSON.stringify({ id_token: { acr: { essential: true, values: acr_values } } })
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: FORWARD_AUTH_CLIENT_ID,
    redirect_uri: forwardAuthCallback(origin),
    scope: 'openid',
    state,
    code_challenge: codeChallenge(verifier(deps, start, id)),
    code_challenge_method: 'S256',
    ...(claims === undefined ? {} : { claims }),
    ...(max_age === undefined ? {} : { max_age: String(max_age) }),
  })
  setStartCookie(reply, origin, start, lifetime)
  return reply.redirect(`${config.issuer}/authorize?${query.toString()}`, 302)
}

/** Takes the answer to a request of {@link sendToSignIn}'s, and leads the browser back to where it was going. */
export async function answerCallback(
  deps: EndpointDeps,
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = queryOf(request)
  const state = unseal(deps, 'state', single(answer, 'state'))
  const address = URL.parse(String(state?.address))
  if (state === undefined || address === null || Number(state.expires_at) <= deps.clock.now()) throw notAsked('state')
  const { origin, href } = address
  const start = startedBy(request, origin)
  // OAuth 2.1 §7.12: an answer that this browser did not ask for would sign it in as somebody else.
  if (start === undefined || deps.vault.digest('forward_auth_start', start) !== state.start) throw notAsked('browser')
  // RFC 9207 §2.4
  if (single(answer, 'iss') !== deps.config.issuer) throw notAsked('iss')
  // It may be configured no longer.
  if (!deps.config.forward_auth.origins.includes(origin)) throw notAsked('origin')
  const code = single(answer, 'code')
  if (code === undefined) throw new OAuthError('access_denied', 'the sign-in was not completed')
  const redirect_uri = forwardAuthCallback(origin)
  const code_verifier = verifier(deps, start, String(state.id))
  const session_id = await exchange(deps, app, { code, code_verifier, redirect_uri })
  if (session_id === undefined) throw notAsked('code')
  setForwardCookie(deps, reply, { session_id, origin })
  return reply.redirect(href, 303)
}

/** @returns the session that the code came of */
async function exchange(
  deps: EndpointDeps,
  app: FastifyInstance,
  shown: { readonly code: string; readonly code_verifier: string; readonly redirect_uri: string },
): Promise<string | undefined> {
  const form = { grant_type: 'authorization_code', client_id: FORWARD_AUTH_CLIENT_ID, ...shown }
  const response = await app.inject({
    method: 'POST',
    url: `${issuerPath(deps.config.issuer)}/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  })
  const { access_token } = response.json<{ access_token?: unknown }>()
  if (typeof access_token !== 'string') return undefined
  const verified = await verifyAccessToken(deps, access_token)
  return verified.outcome === 'valid' ? verified.claims.sid : undefined
}

/** RFC 7636 §4.1: nobody has it but who has both the cookie and this server's key. */
function verifier({ vault }: EndpointDeps, start: string, id: string): string {
  return vault.digest('forward_auth_verifier', `${start} ${id}`)
}

function notAsked(detail: string): OAuthError {
  const description = 'this sign-in was not started here, or took too long: open the page again'
  return new OAuthError('invalid_request', description, { detail })
}
