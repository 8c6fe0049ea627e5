/**
 * The token verifier of the Model Context Protocol's TypeScript server SDK: `OAuthTokenVerifier` of
 * `@modelcontextprotocol/sdk` 1.x and `@modelcontextprotocol/server` 2.x.
 */
import { scopesOf } from './access_token.ts'
import type { Verifier } from './verifier.ts'
import { VerifierError } from './verifier_error.ts'

/** What both versions of the SDK call `AuthInfo`. */
export interface McpAuthInfo {
  token: string
  clientId: string
  scopes: string[]
  /** Epoch seconds. */
  expiresAt: number
  resource?: URL
  extra: Record<string, unknown>
}

export interface McpTokenVerifier {
  readonly verifyAccessToken: (token: string) => Promise<McpAuthInfo>
}

/** The SDK's own class of refusals: it answers 401 to these alone. */
export type McpErrors =
  | { readonly InvalidTokenError: new (message: string) => Error }
  // The second parameter is an enum of the SDK's, which has this value.
  | { readonly OAuthError: new (code: never, message: string) => Error }

/**
 * @param errors `InvalidTokenError` of 1.x or `OAuthError` of 2.x
 * @returns what `requireBearerAuth` takes. It is shown the token alone: tokens bound to a key by DPoP or a certificate are
 *   refused. While the issuer is down the SDK answers 500; it knows no 503.
 */
export function mcpTokenVerifier(verifier: Verifier, errors: McpErrors): McpTokenVerifier {
  const refused = (message: string) =>
    'OAuthError' in errors
      ? new errors.OAuthError('invalid_token' as never, message)
      : new errors.InvalidTokenError(message)
  const isUrl = /^https?:/.test(verifier.audience)
  return {
    async verifyAccessToken(token) {
      try {
        const claims = await verifier.verify(token)
        return {
          token,
          clientId: claims.client_id,
          scopes: [...scopesOf(claims)],
          expiresAt: claims.exp,
          ...(isUrl ? { resource: new URL(verifier.audience) } : {}),
          extra: { ...claims },
        }
      } catch (error) {
        if (error instanceof VerifierError && error.status === 401) throw refused(error.message)
        throw error
      }
    },
  }
}
