import type { Static } from 'typebox'
import type { Caller, Deps } from '../deps.ts'
import type { AuthorizationDetail } from '../protocol/authorization_request.ts'
import type { AuthenticatedClient } from '../protocol/client.ts'
import type { Confirmation } from '../protocol/confirmation.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { Seconds } from '../protocol/time.ts'

/** A token request whose client has authenticated and whose parameters have been read. */
export interface ClientRequest<T> {
  readonly client: AuthenticatedClient
  readonly parameters: T
  /** The key that the client has shown it holds: a DPoP proof's, or its certificate's. Tokens are bound to it. */
  readonly confirmation: Confirmation | undefined
  readonly caller: Caller
  readonly now: Seconds
}

/**
 * @see [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
 * @see [RFC 8693 §2.2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1) `issued_token_type`, `N_A`
 */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP' | 'N_A'
  readonly issued_token_type?: string
  readonly id_token?: string
  readonly authorization_details?: readonly AuthorizationDetail[]
  readonly expires_in: Seconds
  readonly scope?: string
  readonly refresh_token?: string
  readonly refresh_token_expires_in?: Seconds
}

export type GrantDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'vault' | 'remoteKeys' | 'clock' | 'random' | 'log'>

/** One value of `grant_type`: a file named after it, and a line in the registry. */
export interface GrantType<P extends Parameters = Parameters> {
  readonly grant_type: string
  readonly spec: string
  /** Whether this configuration has a use for it; left out: every one has. */
  readonly offered?: (config: Deps['config']) => boolean
  /** What it reads of the form. */
  readonly parameters: P
  /** @throws {OAuthError} */
  exchange(request: ClientRequest<Static<P>>, deps: GrantDeps): Promise<TokenResponse>
}
