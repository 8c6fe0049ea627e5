import { offeredAuthMethods, showsCertificates } from '../client_auth/index.ts'
import { grantTypesFor } from '../grant_types/index.ts'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { FROM_ANY_ORIGIN } from '../http/cors.ts'
import { formOf } from '../http/machine_scope.ts'
import { assertBound } from '../protocol/confirmation.ts'
import { OAuthError } from '../protocol/errors.ts'
import { readParameters, single } from '../protocol/parameters.ts'
import { clientSigningAlgorithms } from '../protocol/profile.ts'
import { proofAlgorithms } from '../tokens/confirmation.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * The token endpoint: authenticates the client, then hands over to the grant type.
 *
 * @see [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)
 */
export const token: Endpoint = {
  name: 'token_endpoint',
  spec: 'RFC 6749 §3.2',
  scope: 'machine',
  metadata: (config) => ({
    token_endpoint: `${config.issuer}/token`,
    grant_types_supported: grantTypesFor(config).map(({ grant_type }) => grant_type),
    // Identity Assertion JWT Authorization Grant §7
    ...(config.jwt_bearer.issuers.length === 0
      ? {}
      : { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] }),
    token_endpoint_auth_methods_supported: offeredAuthMethods(config),
    token_endpoint_auth_signing_alg_values_supported: clientSigningAlgorithms(config.profile),
    dpop_signing_alg_values_supported: proofAlgorithms(config),
    tls_client_certificate_bound_access_tokens: showsCertificates(config),
  }),
  plugin: (deps) => async (app) => {
    app.post('/token', FROM_ANY_ORIGIN, async (request) => {
      const form = formOf(request)
      const caller = callerOf(request)
      const client = await deps.authenticateClient(request)
      const asked = single(form, 'grant_type')
      if (asked === undefined) throw new OAuthError('invalid_request', 'grant_type is missing')
      const grantType = grantTypesFor(deps.config).find(({ grant_type }) => grant_type === asked)
      if (grantType === undefined) throw new OAuthError('unsupported_grant_type', 'this grant type is not supported')
      // RFC 6749 §5.2: unauthorized_client, the client is not authorized to use this grant type.
      if (!client.grant_types.includes(grantType.grant_type)) {
        throw new OAuthError('unauthorized_client', 'the client is not registered for this grant type')
      }
      const parameters = readParameters(grantType.parameters, form)
      const confirmation = await deps.confirmationOf(request, client)
      assertBound(deps.config.profile, client, confirmation)
      return grantType.exchange({ client, parameters, confirmation, caller, now: deps.clock.now() }, deps)
    })
    allowOnly(app, '/token', 'POST')
  },
}
