import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorPage, errorPage, type RefusedRedirectUri } from '../../web/pages/error.ts'
import { findClient } from '../clients/find_client.ts'
import { allowOnly } from '../http/allow.ts'
import { inLocales, type PageOptions, queryOf } from '../http/browser_scope.ts'
import { readBrowserState } from '../http/browser_state.ts'
import { logRefusal, refusalHeaders } from '../http/error_reply.ts'
import { formOf } from '../http/machine_scope.ts'
import { dispatch } from '../interactions/dispatch.ts'
import { RESPONSE_TYPES, readRedirectTarget } from '../protocol/authorization_parameters.ts'
import {
  type AuthorizationRequest,
  PROMPTS,
  RESPONSE_MODES,
  type RedirectTarget,
} from '../protocol/authorization_request.ts'
import { type Client, CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS } from '../protocol/client.ts'
import { redirectHost } from '../protocol/consent.ts'
import { OAuthError } from '../protocol/errors.ts'
import { LOCALES, uiLocalesIn } from '../protocol/locale.ts'
import { type Form, single } from '../protocol/parameters.ts'
import { CODE_CHALLENGE_METHODS } from '../protocol/pkce.ts'
import { clientSigningAlgorithms } from '../protocol/profile.ts'
import { isRedirectUriRegistered, redirectUriDifferences } from '../protocol/redirect_uri.ts'
import { SIGNING_ALGORITHMS } from '../protocol/resource.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import { errorParameters, refusalLink, sendAuthorizationResponse } from '../response_modes/index.ts'
import { receiveRequest, resolveRequest } from '../tokens/authorization_request.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

const MAX_LOCATION_CHARACTERS = 12_288

/**
 * The authorization endpoint: judges a request, and hands it over to the dispatcher, who asks the person what is left to ask.
 *
 * @see [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)
 * @see [OpenID Connect Core 1.0 §3.1.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthorizationEndpoint)
 */
export const authorization: Endpoint = {
  name: 'authorization_endpoint',
  spec: 'RFC 6749 §3.1',
  scope: 'browser',
  metadata: ({ issuer, profile, authorization: { acr_values } }) => ({
    authorization_endpoint: `${issuer}/authorize`,
    response_types_supported: RESPONSE_TYPES,
    response_modes_supported: RESPONSE_MODES,
    code_challenge_methods_supported: CODE_CHALLENGE_METHODS,
    authorization_response_iss_parameter_supported: true,
    prompt_values_supported: PROMPTS,
    ui_locales_supported: LOCALES,
    acr_values_supported: acr_values,
    claims_parameter_supported: true,
    request_parameter_supported: true,
    // OpenID Connect Discovery §3: left out, it would be true. Pushed requests are announced by their endpoint.
    request_uri_parameter_supported: false,
    request_object_signing_alg_values_supported: clientSigningAlgorithms(profile),
    authorization_signing_alg_values_supported: SIGNING_ALGORITHMS.filter((alg) =>
      clientSigningAlgorithms(profile).includes(alg),
    ),
    authorization_encryption_alg_values_supported: ENCRYPTION_ALGORITHMS,
    authorization_encryption_enc_values_supported: CONTENT_ENCRYPTIONS,
  }),
  plugin:
    (deps) =>
    async (app, { sendPage }) => {
      allowOnly(app, '/authorize', 'GET', 'POST')

      // It uses up pushed requests and makes codes: nothing that only looks (a HEAD) may lead here.
      app.get('/authorize', { exposeHeadRoute: false, config: { popup: true } }, (request, reply) =>
        answer(deps, { request, reply, sendPage }),
      )

      // RFC 6749 §3.1: MAY support POST. It comes from clients' pages, so it may be cross-site: it decides nothing, and
      // comes without our cookies, which are SameSite=Lax. The GET that it is sent on to has them.
      app.post('/authorize', { config: { cross_site: true, popup: true } }, async (request, reply) => {
        const form = formOf(request)
        const client = await orRefusal(findRequestingClient(deps, form))
        if (client instanceof OAuthError) {
          return refuseOnPage(client, speaking({ request, reply, sendPage }, uiLocalesIn(form)))
        }
        const pairs = [...form].flatMap(([name, values]) => values.map((value) => [name, value]))
        const location = `${issuerPath(deps.config.issuer)}/authorize?${new URLSearchParams(pairs).toString()}`
        if (location.length > MAX_LOCATION_CHARACTERS) {
          throw new OAuthError('invalid_request', 'the request is too large', { status: 413 })
        }
        return reply.redirect(location, 303)
      })
    },
}

interface BrowserExchange extends PageOptions {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

async function answer(deps: EndpointDeps, http: BrowserExchange): Promise<FastifyReply> {
  const sent = queryOf(http.request)
  const client = await orRefusal(findRequestingClient(deps, sent))
  if (client instanceof OAuthError) return refuseOnPage(client, speaking(http, uiLocalesIn(sent)))
  return answerClient(deps, client, await judge(deps, client, sent), http)
}

async function answerClient(
  deps: EndpointDeps,
  client: Client,
  judged: Judged,
  exchange: BrowserExchange,
): Promise<FastifyReply> {
  if ('request' in judged) {
    const asked = { request: judged.request, client, interaction: undefined }
    return dispatch(deps, asked, speaking(exchange, judged.request.ui_locales))
  }
  const http = speaking(exchange, uiLocalesIn(judged.received))
  const { refusal, target, received } = judged
  if (target === undefined) return refuseOnPage(refusal, http, { redirect_uri: developerHelp(deps, client, received) })
  if (!(await mayRedirectAtOnce(deps, client, received, http))) {
    return refuseOnPage(refusal, http, { return_to: linkTo(deps, target, refusal) })
  }
  logRefusal(http.request, refusal)
  const answerTo = { target, client, sendPage: http.sendPage }
  return sendAuthorizationResponse(deps, http.reply, answerTo, errorParameters(refusal))
}

/** In the languages that the request asks for. */
function speaking(http: BrowserExchange, ui_locales: readonly string[]): BrowserExchange {
  return { ...http, sendPage: inLocales(http.sendPage, ui_locales) }
}

async function findRequestingClient(deps: EndpointDeps, sent: Form): Promise<Client> {
  const client_id = single(sent, 'client_id')
  if (client_id === undefined) throw new OAuthError('invalid_request', 'client_id is missing')
  const client = await findClient(deps, client_id)
  if (client?.disabled_at === null) return client
  throw new OAuthError('invalid_request', 'client_id is not registered', {
    detail: client === undefined ? 'unknown client' : `${client.client_id} is disabled`,
  })
}

type Judged =
  | { readonly request: AuthorizationRequest }
  /** `target` undefined: nothing can be redirected anywhere. */
  | { readonly refusal: OAuthError; readonly target: RedirectTarget | undefined; readonly received: Form }

async function judge(deps: EndpointDeps, client: Client, sent: Form): Promise<Judged> {
  const received = await orRefusal(receiveRequest(deps, client, sent))
  if (received instanceof OAuthError) {
    // What stands beside a request object that cannot be read serves for this answer only.
    const beside = await orRefusal(targetIn(deps, sent, client))
    return { refusal: received, target: beside instanceof OAuthError ? undefined : beside, received: sent }
  }
  const { parameters } = received
  const target = await orRefusal(targetIn(deps, parameters, client))
  if (target instanceof OAuthError) return { refusal: target, target: undefined, received: parameters }
  const request = await orRefusal(resolveRequest(deps, client, received, target))
  return request instanceof OAuthError ? { refusal: request, target, received: parameters } : { request }
}

async function targetIn({ config }: EndpointDeps, form: Form, client: Client): Promise<RedirectTarget> {
  return readRedirectTarget(form, client, config.profile)
}

/**
 * Whether a refusal may lead away by itself. An administrator knows where a client's redirect URIs lead. Anybody can
 * register one that leads to their own page, and would have links to this server end there.
 *
 * @see [RFC 9700 §4.11.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2): the person first, but for prompt=none
 */
async function mayRedirectAtOnce(
  deps: EndpointDeps,
  client: Client,
  received: Form,
  { request }: BrowserExchange,
): Promise<boolean> {
  if (client.origin === 'admin' || received.get('prompt')?.[0] === 'none') return true
  return (await readBrowserState(deps, request)).session !== undefined
}

function linkTo(deps: EndpointDeps, target: RedirectTarget, refusal: OAuthError): ErrorPage['return_to'] {
  const href = refusalLink(deps, target, refusal)
  return href === undefined ? undefined : { href, host: redirectHost(target.redirect_uri) }
}

/** A refusal as a value; a fault stays an exception. */
function orRefusal<T>(work: Promise<T>): Promise<T | OAuthError> {
  return work.catch((thrown: unknown) => {
    if (thrown instanceof OAuthError) return thrown
    throw thrown
  })
}

/** RFC 6749 §4.1.2.1: without a redirect URI that can be trusted, the person is told, and nobody is redirected to. */
function refuseOnPage(
  error: OAuthError,
  http: BrowserExchange,
  more: Pick<ErrorPage, 'redirect_uri' | 'return_to'> = {},
): FastifyReply {
  const { request, reply, sendPage } = http
  logRefusal(request, error)
  const { status, description } = error
  const page = errorPage({ status, description, reference: request.id, from_client: true, ...more })
  return sendPage(refusalHeaders(reply, error), page, status)
}

/** What was received; in development, which is where http is, also what is registered. */
function developerHelp(deps: EndpointDeps, client: Client, received: Form): RefusedRedirectUri | undefined {
  const sent = received.get('redirect_uri')?.[0]
  if (sent === undefined || isRedirectUriRegistered(client, sent)) return undefined
  if (!deps.config.issuer.startsWith('http:')) return { received: sent }
  return { received: sent, registered: redirectUriDifferences(sent, client.redirect_uris) }
}
