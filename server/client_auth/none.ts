import { single } from '../protocol/parameters.ts'
import type { ClientAuthMethod } from './client_auth.ts'

/**
 * A public client names itself and proves nothing.
 *
 * @see [RFC 6749 §3.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1)
 */
export const none: ClientAuthMethod = {
  token_endpoint_auth_method: 'none',
  spec: 'RFC 6749 §3.2.1',
  registered_as: ['none'],
  read({ authorization, form }) {
    const client_id = single(form, 'client_id')
    if (authorization !== undefined || client_id === undefined || form.has('client_secret')) return undefined
    return { client_id, secrets: [] }
  },
}
