import type { Seconds } from './time.ts'

/**
 * The error codes that this server sends.
 *
 * @see [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)
 * @see [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)
 * @see [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2) for `invalid_target`
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
  | 'invalid_token'
  | 'insufficient_scope'
  | 'temporarily_unavailable'
  | 'server_error'

const STATUS: Partial<Record<OAuthErrorCode, number>> = {
  invalid_client: 401,
  invalid_token: 401,
  access_denied: 403,
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

  constructor(code: OAuthErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(`${code}: ${description}`, { cause: options.cause })
    this.name = 'OAuthError'
    this.code = code
    this.status = options.status ?? STATUS[code] ?? 400
    this.description = description
    this.detail = options.detail
    this.retry_after = options.retry_after
  }
}
