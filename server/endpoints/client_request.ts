import type { FastifyRequest } from 'fastify'
import { createClientAuthenticator } from '../client_auth/index.ts'
import type { Deps } from '../deps.ts'
import { callerOf } from '../http/caller.ts'
import { type CertificateOf, createCertificateReader } from '../http/client_certificate.ts'
import { formOf } from '../http/machine_scope.ts'
import type { AuthenticatedClient, Client } from '../protocol/client.ts'
import { type Confirmation, certificateCounts } from '../protocol/confirmation.ts'
import { shownConfirmation } from '../tokens/confirmation.ts'

/** What an endpoint asks about the sender of a request. Whatever the request shows is looked at, wherever it comes in. */
export interface ClientRequests {
  /** The client that sends it, by whichever method it is registered for. @throws {OAuthError} `invalid_client` */
  authenticateClient(request: FastifyRequest): Promise<AuthenticatedClient>
  /**
   * The key that the client has shown to hold: a DPoP proof's, or its certificate's where that counts.
   *
   * @throws {OAuthError} `invalid_dpop_proof`, `use_dpop_nonce`
   */
  confirmationOf(request: FastifyRequest, client: Client): Promise<Confirmation | undefined>
  readonly certificateOf: CertificateOf
}

export function createClientRequests(deps: Deps): ClientRequests {
  const { config } = deps
  const authenticate = createClientAuthenticator(deps)
  const certificateOf = createCertificateReader(deps)
  // As the route is known here, not as the request spells it.
  const addressOf = (request: FastifyRequest) => new URL(request.routeOptions.url ?? '', config.issuer).href
  return {
    certificateOf,
    authenticateClient: (request) => {
      const { authorization } = request.headers
      const shown = { authorization, form: formOf(request), certificate: certificateOf(request) }
      return authenticate({ ...shown, endpoint: addressOf(request) }, callerOf(request))
    },
    confirmationOf: (request, client) =>
      shownConfirmation(deps, {
        method: request.method,
        htu: addressOf(request),
        dpop: request.headers.dpop,
        certificate: certificateCounts(config.profile, client) ? certificateOf(request) : undefined,
      }),
  }
}
