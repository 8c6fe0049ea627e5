import { type Client, isConfidential } from './client.ts'
import { OAuthError } from './errors.ts'
import type { Profile } from './profile.ts'

/**
 * The key that a token is bound to: whoever presents the token shows that they hold the key.
 *
 * @see [RFC 7800 §3.1](https://www.rfc-editor.org/rfc/rfc7800#section-3.1) `cnf`
 * @see [RFC 9449 §6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1) `jkt`, of a DPoP key
 * @see [RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1) `x5t#S256`, of a client certificate
 */
export type Confirmation = { readonly jkt: string } | { readonly 'x5t#S256': string }

/** RFC 9449 §5, RFC 8705 §3: a token bound by DPoP says so in its type; one bound to a certificate is a bearer token. */
export function tokenTypeOf(confirmation: Confirmation | null | undefined): 'Bearer' | 'DPoP' {
  return confirmation != null && 'jkt' in confirmation ? 'DPoP' : 'Bearer'
}

/** Whether what the caller has shown is what the token is bound to. */
export function confirms(shown: Confirmation | undefined, bound: Confirmation): boolean {
  if (shown === undefined) return false
  if ('jkt' in bound) return 'jkt' in shown && shown.jkt === bound.jkt
  return 'x5t#S256' in shown && shown['x5t#S256'] === bound['x5t#S256']
}

/**
 * The key that a grant's refresh token is bound to: a client without credentials has nothing else to show that the token
 * is in the right hands, and one that is registered to keep its token unchanged shows its key as well. The profile `fapi2`
 * keeps tokens unchanged for everybody, and takes the client's authentication as proof (FAPI 2.0 §5.3.2.1).
 *
 * @see [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5), [RFC 8705 §4](https://www.rfc-editor.org/rfc/rfc8705#section-4)
 */
export function refreshTokenConfirmation(
  client: Pick<Client, 'token_endpoint_auth_method' | 'refresh_token_profile'>,
  confirmation: Confirmation | undefined,
): Confirmation | null {
  if (confirmation === undefined) return null
  return !isConfidential(client) || client.refresh_token_profile === 'fixed' ? confirmation : null
}

type Bound = Pick<Client, 'tls_client_certificate_bound_access_tokens' | 'dpop_bound_access_tokens'>

/** Whether tokens for a client are bound to the certificate that it shows, where it shows no DPoP proof. */
export function certificateCounts(profile: Profile, client: Bound): boolean {
  return client.tls_client_certificate_bound_access_tokens === true || profile === 'fapi2'
}

/**
 * Whether a client has shown the key that its tokens are to be bound to.
 *
 * @throws {OAuthError} `invalid_dpop_proof` or `invalid_request`
 */
export function assertBound(profile: Profile, client: Bound, shown: Confirmation | undefined): void {
  // RFC 9449 §5.2: then the server MUST reject token requests that do not contain a DPoP proof.
  if (client.dpop_bound_access_tokens && (shown === undefined || !('jkt' in shown))) {
    throw new OAuthError('invalid_dpop_proof', 'this client has to send a DPoP proof')
  }
  if (shown !== undefined) return
  // RFC 8705 §3.4
  if (client.tls_client_certificate_bound_access_tokens) {
    throw new OAuthError('invalid_request', 'this client has to show its certificate')
  }
  // FAPI 2.0 Security Profile §5.3.2.1: only sender-constrained access tokens are issued.
  if (profile === 'fapi2') throw new OAuthError('invalid_request', 'a DPoP proof or a client certificate is required')
}
