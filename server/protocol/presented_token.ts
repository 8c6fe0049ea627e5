import { OAuthError } from './errors.ts'
import { type Form, single } from './parameters.ts'

/** An access token as a request to a protected resource carries it. */
export interface PresentedToken {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

// RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
const CREDENTIALS = /^(bearer|dpop) +([\w\-.~+/]+=*) *$/i
const MAX_CHARACTERS = 8192

/**
 * Finds the one access token of a request: in the Authorization header, or in the body of a form. Never in the query
 * (OAuth 2.1 §5.1.2): addresses end up in logs.
 *
 * @returns undefined when there is none
 * @throws {OAuthError} `invalid_request`, or `invalid_token` for what cannot be one
 * @see [RFC 6750 §2](https://www.rfc-editor.org/rfc/rfc6750#section-2), [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)
 */
export function presentedToken(authorization: string | undefined, form: Form): PresentedToken | undefined {
  const in_body = single(form, 'access_token')
  const in_header = readHeader(authorization)
  // RFC 6750 §2: clients MUST NOT use more than one method to transmit the token in each request.
  if (in_header !== undefined && in_body !== undefined) {
    throw new OAuthError('invalid_request', 'the access token is sent in more than one way')
  }
  const presented = in_header ?? (in_body === undefined ? undefined : { scheme: 'Bearer' as const, token: in_body })
  if (presented !== undefined && presented.token.length > MAX_CHARACTERS) throw invalidToken('too long')
  return presented
}

function readHeader(authorization: string | undefined): PresentedToken | undefined {
  if (authorization === undefined) return undefined
  const [, scheme, token] = CREDENTIALS.exec(authorization) ?? []
  if (token !== undefined) return { scheme: scheme?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token }
  // Another scheme is nothing of ours; ours without a token is a mistake.
  if (/^(bearer|dpop)(?: |$)/i.test(authorization)) throw invalidToken('malformed')
  return undefined
}

/** One answer for every access token that is good for nothing. */
export function invalidToken(detail: string): OAuthError {
  return new OAuthError('invalid_token', 'the access token is expired, revoked or invalid', { detail })
}
