/**
 * What the configured profile asks of everybody, whatever a client is registered with.
 *
 * @see [FAPI 2.0 Security Profile](https://openid.net/specs/fapi-security-profile-2_0-final.html)
 */
import type { Client, RefreshTokenProfile } from './client.ts'
import { CLIENT_SIGNING_ALGORITHMS, FAPI2_SIGNING_ALGORITHMS } from './client_jwt.ts'
import { OAuthError } from './errors.ts'

export type Profile = 'oauth21' | 'fapi2'

/** How an authorization request reached us. */
export interface RequestSource {
  /** In a request object. Of a request that had to be, this was seen to when it was pushed. */
  readonly signed: boolean
  /** By its client itself, not through a browser. */
  readonly pushed: boolean
}

/** §5.4.1: what clients may sign their requests with. */
export function clientSigningAlgorithms(profile: Profile): readonly string[] {
  return profile === 'fapi2' ? FAPI2_SIGNING_ALGORITHMS : CLIENT_SIGNING_ALGORITHMS
}

/** §5.3.2.2: PKCE is required of confidential clients, too. */
export function requiresPkce(profile: Profile): boolean {
  return profile === 'fapi2'
}

/** §5.3.2.2: requests come pushed, so that they are authenticated and nobody has changed them. */
export function requiresPushedRequests(profile: Profile): boolean {
  return profile === 'fapi2'
}

/**
 * Whether a request may come in this way.
 *
 * @throws {OAuthError} `invalid_request`
 */
export function assertSourceAllowed(
  profile: Profile,
  client: Pick<Client, 'require_pushed_authorization_requests' | 'require_signed_request_object'>,
  source: RequestSource,
): void {
  // RFC 9101 §10.5: then the server MUST reject what does not come as a signed request object.
  if (client.require_signed_request_object && !source.signed) {
    throw new OAuthError('invalid_request', 'this client has to send a signed request object')
  }
  // RFC 9126 §5, §6
  if (!source.pushed && (client.require_pushed_authorization_requests || requiresPushedRequests(profile))) {
    throw new OAuthError('invalid_request', 'this client has to push its authorization requests')
  }
}

/** §5.3.2.2: a pushed request names its redirect URI. */
export function requiresRedirectUri(profile: Profile): boolean {
  return profile === 'fapi2'
}

/** §5.3.2.1: refresh tokens are not rotated; what they yield is bound to a key, and so is who may use them. */
export function refreshTokenProfile(
  profile: Profile,
  client: Pick<Client, 'refresh_token_profile'>,
): RefreshTokenProfile {
  return profile === 'fapi2' ? 'fixed' : client.refresh_token_profile
}

/** §5.3.2.1: no tokens for a password, and none that are not bound to a key. */
export function offersLoginApi(profile: Profile): boolean {
  return profile !== 'fapi2'
}
