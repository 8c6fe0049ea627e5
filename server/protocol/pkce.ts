/**
 * Proof Key for Code Exchange, S256 only: the other method, `plain`, protects nothing once the request has leaked.
 *
 * @see [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636), [RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)
 */
import { createHash } from 'node:crypto'
import { type Client, isConfidential } from './client.ts'
import { OAuthError } from './errors.ts'

/** Discovery's `code_challenge_methods_supported`. */
export const CODE_CHALLENGE_METHODS = ['S256'] as const

// RFC 7636 §4.2: BASE64URL(SHA256(…)), which is 43 characters.
const CODE_CHALLENGE = /^[\w-]{43}$/
// RFC 7636 §4.1: code-verifier = 43*128unreserved.
const CODE_VERIFIER = /^[\w\-.~]{43,128}$/

/**
 * The challenge of an authorization request.
 *
 * @param required whether the configuration leaves the client no choice
 * @returns null: none was sent, and this client need not
 * @throws {OAuthError} `invalid_request`
 */
export function readCodeChallenge(
  sent: { readonly code_challenge?: string | undefined; readonly code_challenge_method?: string | undefined },
  client: Pick<Client, 'token_endpoint_auth_method' | 'require_pkce'>,
  required: boolean,
): string | null {
  const { code_challenge, code_challenge_method } = sent
  if (code_challenge === undefined) {
    if (code_challenge_method !== undefined || required || client.require_pkce || !isConfidential(client)) {
      // RFC 7636 §4.4.1: "code challenge required" is an invalid_request.
      throw new OAuthError('invalid_request', 'code_challenge is missing')
    }
    return null
  }
  // RFC 7636 §4.3: left out, the method is plain. §4.4.1: one that is not supported is an invalid_request.
  if (code_challenge_method !== 'S256') throw new OAuthError('invalid_request', 'code_challenge_method must be S256')
  if (!CODE_CHALLENGE.test(code_challenge)) throw new OAuthError('invalid_request', 'code_challenge is malformed')
  return code_challenge
}

/**
 * Whether a token request's verifier answers its code's challenge.
 *
 * @param code_challenge null: the authorization request had none. Then a verifier is refused: somebody has taken the
 *   challenge away (RFC 9700 §4.8.2).
 */
export function verifierMatches(code_verifier: string | undefined, code_challenge: string | null): boolean {
  if (code_verifier === undefined || code_challenge === null)
    return code_verifier === undefined && code_challenge === null
  if (!CODE_VERIFIER.test(code_verifier)) return false
  return codeChallenge(code_verifier) === code_challenge
}

/** RFC 7636 §4.6: BASE64URL(SHA256(ASCII(code_verifier))). */
export function codeChallenge(code_verifier: string): string {
  return createHash('sha256').update(code_verifier, 'ascii').digest('base64url')
}
