/**
 * What an API says of itself, so that its clients find the issuer.
 *
 * @see [RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2), [§3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)
 */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly dpop_signing_alg_values_supported?: readonly string[]
  readonly dpop_bound_access_tokens_required?: boolean
  readonly scopes_supported?: readonly string[]
  readonly resource_name?: string
  readonly [name: string]: unknown
}

/** Where the metadata of a resource is: the well-known path comes before the resource's own. @throws TypeError: it is no URL */
export function protectedResourceMetadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}${search}`
}
