import { isCertificateOf } from '../protocol/client_certificate.ts'
import { ClientKeyError, hasClientKey } from '../tokens/client_keys.ts'
import { type ClientAuthMethod, namedClient } from './client_auth.ts'

/**
 * A certificate whose key is registered for the client; who has issued it does not matter.
 *
 * @see [RFC 8705 §2.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.2)
 */
export const selfSignedTlsClientAuth: ClientAuthMethod = {
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  spec: 'RFC 8705 §2.2',
  registered_as: ['self_signed_tls_client_auth'],
  carried_in: 'client_id',
  read(request) {
    const client_id = namedClient(request)
    const { certificate } = request
    if (client_id === undefined) return undefined
    return {
      client_id,
      async refusal(deps, client) {
        if (certificate === undefined) return 'no client certificate'
        try {
          const known = await hasClientKey(deps, client, (key) => isCertificateOf(certificate, key))
          return known ? undefined : 'the certificate is not among the registered keys'
        } catch (error) {
          if (error instanceof ClientKeyError) return error.message
          throw error
        }
      },
    }
  },
}
