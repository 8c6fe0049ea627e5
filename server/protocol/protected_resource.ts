/**
 * How a resource of ours describes itself.
 *
 * @see [RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2)
 */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported: readonly string[]
  readonly bearer_methods_supported: readonly ('header' | 'body')[]
  readonly resource_name: string
  readonly resource_signing_alg_values_supported?: readonly string[]
  readonly dpop_signing_alg_values_supported: readonly string[]
  readonly tls_client_certificate_bound_access_tokens: boolean
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/**
 * Where the description of a resource is: the well-known name goes between host and path (§3.1).
 *
 * @param resource an absolute URL
 */
export function protectedResourceMetadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource)
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}`
}
