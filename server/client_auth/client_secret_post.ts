import { single } from '../protocol/parameters.ts'
import type { ClientAuthMethod } from './client_auth.ts'
import { secretRefusal } from './client_secret.ts'

/**
 * The secret in the body. A secret is a secret: whoever is registered for Basic may send it here, and the other way
 * round, because libraries differ.
 *
 * @see [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
 */
export const clientSecretPost: ClientAuthMethod = {
  token_endpoint_auth_method: 'client_secret_post',
  spec: 'RFC 6749 §2.3.1',
  registered_as: ['client_secret_basic', 'client_secret_post'],
  carried_in: 'client_secret',
  read({ form }) {
    const client_id = single(form, 'client_id')
    const secret = single(form, 'client_secret')
    if (client_id === undefined || secret === undefined) return undefined
    return { client_id, refusal: (deps, client) => secretRefusal(deps, client, [secret]) }
  },
}
