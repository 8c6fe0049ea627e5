/**
 * Reading an authorization request: each parameter, and what this client may ask for.
 *
 * @see [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1)
 * @see [OpenID Connect Core 1.0 §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
 */
import { type Static, Type } from 'typebox'
import {
  type AuthorizationRequest,
  RESPONSE_MODES,
  type RedirectTarget,
  type ResponseMode,
} from './authorization_request.ts'
import { readClaimsRequest } from './claims_request.ts'
import type { Client } from './client.ts'
import { OAuthError } from './errors.ts'
import { type Form, readParameters } from './parameters.ts'
import { readCodeChallenge } from './pkce.ts'
import { assertSourceAllowed, type Profile, type RequestSource, requiresPkce, requiresRedirectUri } from './profile.ts'
import { readList, readMaxAge, readPrompt } from './prompt.ts'
import { redirectTarget } from './redirect_uri.ts'
import { ANY, formatScope, isReservedScope, parseScope } from './scope.ts'

/** Discovery's `response_types_supported`. OAuth 2.1 §10.1: there is no other that hands out tokens. */
export const RESPONSE_TYPES = ['code'] as const

const text = () => Type.Optional(Type.String())

/** What is read. RFC 6749 §3.1: others are ignored. */
const Parameters = Type.Object({
  response_type: text(),
  redirect_uri: text(),
  response_mode: text(),
  state: text(),
  scope: text(),
  resource: Type.Array(Type.String()),
  nonce: text(),
  code_challenge: text(),
  code_challenge_method: text(),
  prompt: text(),
  max_age: text(),
  acr_values: text(),
  login_hint: text(),
  id_token_hint: text(),
  ui_locales: text(),
  display: text(),
  claims: text(),
  authorization_details: text(),
  dpop_jkt: text(),
  registration: text(),
})

/** The names of what is read. */
export const REQUEST_PARAMETERS: readonly string[] = Object.keys(Parameters.properties)

/** What can be said of a request without looking anything up, and what has to be looked up. */
export type ReadRequest = Omit<
  AuthorizationRequest,
  'scope' | 'resources' | 'hinted_subject' | 'authorization_details'
> & { readonly unresolved: Unresolved }

interface Unresolved {
  /** undefined: whatever this client is granted of its own accord. */
  readonly scope: string | undefined
  readonly resource: readonly string[]
  readonly id_token_hint: string | undefined
  /** JSON. */
  readonly authorization_details: string | undefined
}

export interface RequestRules {
  readonly client: Client
  readonly profile: Profile
  readonly source: RequestSource
  readonly default_scope: string
}

/**
 * Where the answers go. What makes a request wrong otherwise does not matter yet, so that the client hears of it there.
 *
 * @throws {OAuthError} for a page
 */
export function readRedirectTarget(form: Form, client: Client, profile: Profile): RedirectTarget {
  // Without a response type nobody knows how to answer: the default mode hangs on it.
  if (!form.has('response_type')) throw new OAuthError('invalid_request', 'response_type is missing')
  if ((form.get('redirect_uri')?.length ?? 0) > 1) {
    throw new OAuthError('invalid_request', 'redirect_uri is included more than once')
  }
  const only = (name: string) => (form.get(name)?.length === 1 ? form.get(name)?.[0] : undefined)
  const scopes = parseScope(form.get('scope')?.join(' ') ?? '') ?? []
  return redirectTarget(client, {
    redirect_uri: only('redirect_uri'),
    response_mode: responseMode(only('response_mode')) ?? 'query',
    state: only('state'),
    // OpenID Connect Core §3.1.2.1: redirect_uri is REQUIRED.
    by_name: scopes.includes('openid') || requiresRedirectUri(profile),
  })
}

/**
 * Reads a request whose {@link RedirectTarget} is known.
 *
 * @throws {OAuthError} for the client, at its redirect URI
 */
export function readAuthorizationRequest(form: Form, target: RedirectTarget, rules: RequestRules): ReadRequest {
  const { client, profile, source } = rules
  const sent = readParameters(Parameters, form)
  assertMayAsk(sent, client)
  assertSourceAllowed(profile, client, source)
  return {
    client_id: client.client_id,
    redirect_uri: target.redirect_uri,
    redirect_uri_sent: sent.redirect_uri !== undefined,
    response_mode: target.response_mode,
    state: sent.state ?? null,
    nonce: sent.nonce ?? null,
    code_challenge: readCodeChallenge(sent, client, requiresPkce(profile)),
    prompt: readPrompt(sent.prompt),
    max_age: readMaxAge(sent.max_age),
    acr_values: readList(sent.acr_values),
    login_hint: sent.login_hint ?? null,
    ui_locales: readList(sent.ui_locales),
    claims: readClaimsRequest(sent.claims),
    dpop_jkt: readJkt(sent.dpop_jkt),
    unresolved: {
      scope: readScope(sent.scope, client, rules.default_scope),
      resource: sent.resource,
      id_token_hint: sent.id_token_hint,
      authorization_details: sent.authorization_details,
    },
  }
}

function assertMayAsk(sent: Static<typeof Parameters>, client: Client): void {
  if (!RESPONSE_TYPES.some((known) => known === sent.response_type)) {
    throw new OAuthError('unsupported_response_type', 'the response_type has to be code')
  }
  if (sent.response_mode !== undefined && responseMode(sent.response_mode) === undefined) {
    throw new OAuthError('invalid_request', 'this response_mode is not supported')
  }
  // OpenID Connect Core §7.2.1
  if (sent.registration !== undefined) {
    throw new OAuthError('registration_not_supported', 'the parameter registration is not supported')
  }
  // RFC 7591 §2: a client uses the response types and grant types that it is registered for.
  if (!client.response_types.includes('code') || !client.grant_types.includes('authorization_code')) {
    throw new OAuthError('unauthorized_client', 'the client is not registered for the authorization code grant')
  }
}

function responseMode(value: string | undefined): ResponseMode | undefined {
  return RESPONSE_MODES.find((known) => known === value)
}

/**
 * What of a scope a client may be granted. RFC 6749 §3.3: the server may grant less than was asked for, and has a default
 * when nothing was.
 *
 * @returns undefined: nothing was asked for, and the default is nothing that this client may have
 * @throws {OAuthError} `invalid_scope`
 */
export function readScope(
  asked: string | undefined,
  client: Pick<Client, 'scope'>,
  default_scope: string,
): string | undefined {
  const scopes = parseScope(asked ?? default_scope)
  if (scopes === undefined) throw new OAuthError('invalid_scope', 'the scope is malformed')
  const registered = parseScope(client.scope) ?? []
  const kept = scopes.filter(
    (scope) => registered.includes(scope) || (registered.includes(ANY) && !isReservedScope(scope)),
  )
  if (kept.length > 0) return formatScope(kept)
  if (asked === undefined) return undefined
  throw new OAuthError('invalid_scope', 'the client is registered for none of these scopes')
}

/** RFC 9449 §10: the thumbprint of RFC 7638, with SHA-256. */
function readJkt(value: string | undefined): string | null {
  if (value === undefined) return null
  if (!/^[\w-]{43}$/.test(value)) throw new OAuthError('invalid_request', 'dpop_jkt is malformed')
  return value
}
