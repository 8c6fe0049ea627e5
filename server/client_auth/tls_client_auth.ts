import type { Client } from '../protocol/client.ts'
import { type ClientCertificate, namesClient } from '../protocol/client_certificate.ts'
import { type ClientAuthMethod, namedClient } from './client_auth.ts'

/**
 * A certificate that an authority has issued, with the name that the client is registered with.
 *
 * @see [RFC 8705 §2.1](https://www.rfc-editor.org/rfc/rfc8705#section-2.1)
 */
export const tlsClientAuth: ClientAuthMethod = {
  token_endpoint_auth_method: 'tls_client_auth',
  spec: 'RFC 8705 §2.1',
  registered_as: ['tls_client_auth'],
  carried_in: 'client_id',
  read(request) {
    const client_id = namedClient(request)
    const { certificate } = request
    return client_id === undefined
      ? undefined
      : { client_id, refusal: async (_, client) => whyNot(certificate, client) }
  },
}

function whyNot(certificate: ClientCertificate | undefined, client: Client): string | undefined {
  if (certificate === undefined) return 'no client certificate'
  if (!certificate.anchored) return 'no authority of http.client_ca_file vouches for the certificate now'
  return namesClient(certificate, client) ? undefined : 'the certificate has another name'
}
