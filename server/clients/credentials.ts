import { CLIENT_SECRET_LABEL } from '../client_auth/client_secret.ts'
import type { Deps } from '../deps.ts'
import { type ClientMetadata, hasSecret } from '../protocol/client.ts'

type CredentialDeps = Pick<Deps, 'vault' | 'random'>

/** What was handed out, and what is kept of it. */
export interface IssuedHandle {
  /** Shown once. */
  readonly handle: string
  readonly digest: string
}

const HANDLE_BYTES = 32

export function newClientSecret(deps: CredentialDeps): IssuedHandle {
  return issue(deps, CLIENT_SECRET_LABEL, 'gth_cs_')
}

/** What a client manages its own registration with (RFC 7592 §3). */
export function newRegistrationAccessToken(deps: CredentialDeps): IssuedHandle {
  return issue(deps, 'registration_access_token', 'gth_rat_')
}

/** What lets somebody register clients (RFC 7591 §3). */
export function newInitialAccessToken(deps: CredentialDeps): IssuedHandle {
  return issue(deps, 'initial_access_token', 'gth_iat_')
}

function issue({ vault, random }: CredentialDeps, label: string, prefix: string): IssuedHandle {
  const handle = `${prefix}${Buffer.from(random.bytes(HANDLE_BYTES)).toString('base64url')}`
  return { handle, digest: vault.digest(label, handle) }
}

/**
 * The secret that a client is to have: the one chosen, the one it has, else a new one.
 *
 * @param kept the digest of the one it has
 */
export function clientSecret(
  deps: CredentialDeps,
  metadata: ClientMetadata,
  kept: string | null,
  chosen?: string,
): { readonly client_secret_digest: string | null; readonly issued_secret: string | null } {
  if (!hasSecret(metadata)) return { client_secret_digest: null, issued_secret: null }
  if (chosen !== undefined) {
    return { client_secret_digest: deps.vault.digest(CLIENT_SECRET_LABEL, chosen), issued_secret: null }
  }
  if (kept !== null) return { client_secret_digest: kept, issued_secret: null }
  const { handle, digest } = newClientSecret(deps)
  return { client_secret_digest: digest, issued_secret: handle }
}
