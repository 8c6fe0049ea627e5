import { type ClientAuthMethod, namedClient } from './client_auth.ts'

/**
 * A public client names itself and proves nothing.
 *
 * @see [RFC 6749 §3.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1)
 */
export const none: ClientAuthMethod = {
  token_endpoint_auth_method: 'none',
  spec: 'RFC 6749 §3.2.1',
  registered_as: ['none'],
  carried_in: 'client_id',
  read(request) {
    const client_id = namedClient(request)
    return client_id === undefined ? undefined : { client_id, refusal: async () => undefined }
  },
}
