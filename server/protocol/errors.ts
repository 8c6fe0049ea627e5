import type { Seconds } from './time.ts'

/**
 * The error codes that this server sends.
 *
 * @see [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)
 * @see [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)
 * @see [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2) for `invalid_target`
 * @see [OpenID Connect Core 1.0 §3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError)
 * @see [RFC 9101 §6](https://www.rfc-editor.org/rfc/rfc9101#section-6), [RFC 9396 §5](https://www.rfc-editor.org/rfc/rfc9396#section-5)
 * @see [RFC 8628 §3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5), [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)
 * @see [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3), [RFC 7591 §3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2)
 */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_token_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'unsupported_response_type'
  | 'login_required'
  | 'consent_required'
  | 'account_selection_required'
  | 'interaction_required'
  | 'unmet_authentication_requirements'
  | 'invalid_request_object'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'invalid_request_uri'
  | 'registration_not_supported'
  | 'invalid_authorization_details'
  | 'authorization_pending'
  | 'slow_down'
  | 'expired_token'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_user_authentication'
  | 'invalid_redirect_uri'
  | 'invalid_client_metadata'
  | 'invalid_software_statement'
  | 'unapproved_software_statement'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'temporarily_unavailable'
  | 'server_error'

const STATUS: Partial<Record<OAuthErrorCode, number>> = {
  invalid_client: 401,
  invalid_token: 401,
  access_denied: 403,
  insufficient_user_authentication: 401,
  insufficient_scope: 403,
  temporarily_unavailable: 503,
  server_error: 500,
}

export interface OAuthErrorOptions {
  /** What the log and the audit trail may know and a stranger may not. */
  readonly detail?: string
  readonly cause?: unknown
  /** Overrides the status that the code implies. */
  readonly status?: number
  /** Seconds until the caller should try again: becomes `Retry-After`. */
  readonly retry_after?: Seconds
  /** What the challenge of a protected resource says besides: `scope`, `acr_values`, `max_age`. */
  readonly challenge?: Readonly<Record<string, string>>
}

/**
 * A refusal in the field's own terms. `description` is a constant that any stranger may read; two failures that an
 * attacker must not tell apart share one. Pure code returns it, shell code throws it, a scope renders it.
 */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly status: number
  readonly description: string
  readonly detail: string | undefined
  readonly retry_after: Seconds | undefined
  readonly challenge: Readonly<Record<string, string>>

  constructor(code: OAuthErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(`${code}: ${description}`, { cause: options.cause })
    this.name = 'OAuthError'
    this.code = code
    this.status = options.status ?? STATUS[code] ?? 400
    this.description = description
    this.detail = options.detail
    this.retry_after = options.retry_after
    this.challenge = options.challenge ?? {}
  }
}
