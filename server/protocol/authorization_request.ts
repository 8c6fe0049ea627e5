/**
 * An authorization request whose every parameter has been checked against its client's registration.
 *
 * @see [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1)
 * @see [OpenID Connect Core 1.0 §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
 */
import type { ClaimsRequest } from './claims.ts'
import type { Seconds } from './time.ts'

export const PROMPTS = ['none', 'login', 'consent', 'select_account'] as const
export type Prompt = (typeof PROMPTS)[number]

export const RESPONSE_MODES = [
  'query',
  'fragment',
  'form_post',
  'jwt',
  'query.jwt',
  'fragment.jwt',
  'form_post.jwt',
] as const
export type ResponseMode = (typeof RESPONSE_MODES)[number]

declare const registered: unique symbol
/**
 * Where an answer may go: a redirect URI that is registered for the client that asked. Without one nothing is
 * redirected, so that an open redirect is a type error. Only `redirect_uri.ts` makes it.
 */
export interface RedirectTarget {
  readonly client_id: string
  readonly redirect_uri: string
  readonly response_mode: ResponseMode
  readonly state: string | undefined
  readonly [registered]: true
}

/** One entry of `authorization_details` (RFC 9396 §2). */
export interface AuthorizationDetail {
  readonly type: string
  readonly [member: string]: unknown
}

/** JSON through and through, since it waits in the database while a person signs in. */
export interface AuthorizationRequest {
  readonly client_id: string
  readonly redirect_uri: string
  /** Whether the request named it: then the token request has to name it as well (RFC 6749 §4.1.3). */
  readonly redirect_uri_sent: boolean
  readonly response_mode: ResponseMode
  readonly state: string | null
  /** What can be granted of what was asked for, or the default when nothing was. */
  readonly scope: string
  readonly resources: readonly string[]
  readonly nonce: string | null
  /** S256; null: none was sent, and the client need not. */
  readonly code_challenge: string | null
  readonly prompt: readonly Prompt[]
  readonly max_age: Seconds | null
  /** In order of preference. */
  readonly acr_values: readonly string[]
  readonly login_hint: string | null
  /** The `sub` of a verified `id_token_hint`, or asked for in `claims`; the answer is about this person or about nobody. */
  readonly hinted_subject: string | null
  readonly ui_locales: readonly string[]
  readonly claims: ClaimsRequest | null
  readonly authorization_details: readonly AuthorizationDetail[]
  /** RFC 9449 §10: the code is for the holder of this key. */
  readonly dpop_jkt: string | null
}
