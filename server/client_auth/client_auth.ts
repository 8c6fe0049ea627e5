import type { TokenEndpointAuthMethod } from '../protocol/client.ts'
import type { Form } from '../protocol/parameters.ts'

/** What a request shows of who its client is. */
export interface ClientAuthRequest {
  readonly authorization: string | undefined
  readonly form: Form
}

/** What a method found in a request. Several secrets: spellings of one, of which any may match. */
export interface PresentedClient {
  readonly client_id: string
  readonly secrets: readonly string[]
}

/** One way in which a client says who it is: a file named after its `token_endpoint_auth_method`, and a line in the registry. */
export interface ClientAuthMethod {
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod
  readonly spec: string
  /** Whose registration lets them in by this method. */
  readonly registered_as: readonly TokenEndpointAuthMethod[]
  /** @returns undefined when the request does not use this method. @throws {OAuthError} when it does, badly */
  read(request: ClientAuthRequest): PresentedClient | undefined
}
