import type { FindClientDeps } from '../clients/find_client.ts'
import type { Deps } from '../deps.ts'
import type { Client, TokenEndpointAuthMethod } from '../protocol/client.ts'
import type { ClientCertificate } from '../protocol/client_certificate.ts'
import { type Form, single } from '../protocol/parameters.ts'

/** What a request shows of who its client is. */
export interface ClientAuthRequest {
  readonly authorization: string | undefined
  readonly form: Form
  readonly certificate: ClientCertificate | undefined
  /** The address of the endpoint as clients know it. */
  readonly endpoint: string
}

export type ClientAuthDeps = FindClientDeps & Pick<Deps, 'config' | 'store' | 'vault' | 'clock' | 'remoteKeys'>

/** What a method found in a request: a name, and what is to show that it is rightly used. */
export interface PresentedClient {
  readonly client_id: string
  /**
   * Whether this is proof, for a client that is registered for the method. What it shows may be used up by it.
   *
   * @returns why not, for the log; undefined: it is
   */
  refusal(deps: ClientAuthDeps, client: Client): Promise<string | undefined>
}

/** One way in which a client says who it is: a file named after its `token_endpoint_auth_method`, and a line in the registry. */
export interface ClientAuthMethod {
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod
  readonly spec: string
  /** Whose registration lets them in by this method. */
  readonly registered_as: readonly TokenEndpointAuthMethod[]
  /** Where a request carries it. Methods that share a place are told apart by the client's registration. */
  readonly carried_in: 'authorization' | 'client_secret' | 'client_assertion' | 'client_id'
  /** @returns undefined when the request does not use this method. @throws {OAuthError} when it does, badly */
  read(request: ClientAuthRequest): PresentedClient | undefined
}

/** The client that a request names without a credential in it: a public one, or one whose credential is its connection. */
export function namedClient({ authorization, form }: ClientAuthRequest): string | undefined {
  const credential = authorization !== undefined || form.has('client_secret') || form.has('client_assertion')
  return credential ? undefined : single(form, 'client_id')
}
