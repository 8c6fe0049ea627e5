import { type Client, isConfidential } from './client.ts'

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
 * is in the right hands, and a token that never changes needs a second proof.
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
