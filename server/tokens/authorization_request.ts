/**
 * Authorization requests, from what arrives to what is decided about. Both endpoints that take them pass through here.
 *
 * @see [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1), [RFC 9126 §4](https://www.rfc-editor.org/rfc/rfc9126#section-4)
 */
import type { Deps } from '../deps.ts'
import { readAuthorizationDetails } from '../protocol/authorization_details.ts'
import { type ReadRequest, readAuthorizationRequest } from '../protocol/authorization_parameters.ts'
import type { AuthorizationRequest, RedirectTarget } from '../protocol/authorization_request.ts'
import { requestedSubject } from '../protocol/claims_request.ts'
import type { Client } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { type Form, single } from '../protocol/parameters.ts'
import type { RequestSource } from '../protocol/profile.ts'
import type { PushedRequest } from '../storage/records.ts'
import { verifyIdTokenHint } from './id_token_hint.ts'
import { type RequestObjectDeps, readRequestObject } from './request_object.ts'
import { findResources, resolveTarget } from './resources.ts'

export type AuthorizationRequestDeps = RequestObjectDeps & Pick<Deps, 'store' | 'keys' | 'vault'>

/** What a client asks for, wherever it stood. */
export interface ReceivedRequest {
  readonly parameters: Form
  readonly source: RequestSource
  /** The key that the client showed when it pushed the request; null: none. */
  readonly dpop_jkt: string | null
}

const REQUEST_URI = 'urn:ietf:params:oauth:request_uri:gth_'
const REQUEST_URI_BYTES = 32

/** Keeps a request for the browser that is to bring its name. @returns the `request_uri` */
export async function pushRequest(
  deps: Pick<Deps, 'store' | 'vault' | 'random'>,
  request: Omit<PushedRequest, 'request_uri_digest'>,
): Promise<string> {
  const request_uri = `${REQUEST_URI}${Buffer.from(deps.random.bytes(REQUEST_URI_BYTES)).toString('base64url')}`
  await deps.store.createPushedRequest({ ...request, request_uri_digest: digestOf(deps, request_uri) }, [])
  return request_uri
}

/**
 * Finds the parameters that count: those of a request object, of a pushed request (whose one use this is), or as sent.
 *
 * @throws {OAuthError}
 */
export async function receiveRequest(
  deps: AuthorizationRequestDeps,
  client: Client,
  sent: Form,
): Promise<ReceivedRequest> {
  const request = single(sent, 'request')
  const request_uri = single(sent, 'request_uri')
  // RFC 9101 §5: request and request_uri MUST NOT be used together.
  if (request !== undefined && request_uri !== undefined) {
    throw new OAuthError('invalid_request', 'request and request_uri exclude each other')
  }
  if (request_uri !== undefined) return claimPushed(deps, client, request_uri)
  if (request === undefined) return { parameters: sent, source: { signed: false, pushed: false }, dpop_jkt: null }
  const parameters = await readRequestObject(deps, client, request)
  return { parameters, source: { signed: true, pushed: false }, dpop_jkt: null }
}

async function claimPushed(
  deps: AuthorizationRequestDeps,
  { client_id }: Client,
  request_uri: string,
): Promise<ReceivedRequest> {
  // Nothing is fetched for a stranger: request URIs are those that we gave.
  if (!request_uri.startsWith(REQUEST_URI)) {
    throw new OAuthError('request_uri_not_supported', 'a request_uri has to come from a pushed request')
  }
  const pushed = await deps.store.claimPushedRequest(digestOf(deps, request_uri), client_id, deps.clock.now())
  if (pushed === undefined) {
    throw new OAuthError('invalid_request_uri', 'the request_uri is unknown, expired or used')
  }
  const parameters = new Map<string, string[]>()
  for (const [name, value] of pushed.parameters) {
    const values = parameters.get(name)
    if (values === undefined) parameters.set(name, [value])
    else values.push(value)
  }
  return { parameters, source: { signed: true, pushed: true }, dpop_jkt: pushed.dpop_jkt }
}

function digestOf(deps: Pick<Deps, 'vault'>, request_uri: string): string {
  return deps.vault.digest('request_uri', request_uri)
}

/**
 * Checks everything about a request, and looks up what it names.
 *
 * @throws {OAuthError} which the client hears of at the target
 */
export async function resolveRequest(
  deps: AuthorizationRequestDeps,
  client: Client,
  received: ReceivedRequest,
  target: RedirectTarget,
): Promise<AuthorizationRequest> {
  const { authorization, profile } = deps.config
  const { default_scope } = authorization
  const rules = { client, profile, source: received.source, default_scope }
  const read = readAuthorizationRequest(received.parameters, target, rules)
  const { unresolved, ...rest } = read
  // Whose account it will be is not known yet; what that account may not have falls away when tokens are issued.
  const { resources, scope } = await resolveTarget(deps, { client, account: null }, unresolved)
  const { authorization_details: details } = unresolved
  return {
    ...rest,
    scope,
    resources,
    hinted_subject: await hintedSubject(deps, client, read),
    authorization_details:
      details === undefined ? [] : readAuthorizationDetails(details, client, await findResources(deps, resources)),
    dpop_jkt: boundTo(received, read),
  }
}

/** RFC 9449 §10.1: where a proof and `dpop_jkt` are both there, they MUST name the same key. */
function boundTo({ dpop_jkt: shown }: ReceivedRequest, { dpop_jkt: named }: ReadRequest): string | null {
  if (shown !== null && named !== null && shown !== named) {
    throw new OAuthError('invalid_request', 'dpop_jkt is not the key of the DPoP proof')
  }
  return shown ?? named
}

/**
 * The person that a request is about, if it names one.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequestValidation) step 4
 */
async function hintedSubject(
  deps: AuthorizationRequestDeps,
  client: Client,
  read: ReadRequest,
): Promise<string | null> {
  const subject = requestedSubject(read.claims)
  const { id_token_hint } = read.unresolved
  const hint = id_token_hint === undefined ? undefined : await verifyHint(deps, client, id_token_hint)
  if (hint !== undefined && subject !== undefined && hint.sub !== subject) {
    throw new OAuthError('invalid_request', 'id_token_hint and claims name different people')
  }
  return hint?.sub ?? subject ?? null
}

async function verifyHint(deps: AuthorizationRequestDeps, client: Client, id_token_hint: string) {
  const hint = await verifyIdTokenHint(deps, id_token_hint)
  if (hint?.client_id === client.client_id) return hint
  throw new OAuthError('invalid_request', 'id_token_hint is not an ID token of this server for this client', {
    detail: hint === undefined ? 'not verified' : `of ${hint.client_id}`,
  })
}
