import { OAuthError } from '../protocol/errors.ts'
import { decodeFormComponent, single } from '../protocol/parameters.ts'
import type { ClientAuthMethod } from './client_auth.ts'
import { secretRefusal } from './client_secret.ts'

/**
 * The secret in the Authorization header.
 *
 * @see [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
 * @see [RFC 7617 §2](https://www.rfc-editor.org/rfc/rfc7617#section-2)
 */
export const clientSecretBasic: ClientAuthMethod = {
  token_endpoint_auth_method: 'client_secret_basic',
  spec: 'RFC 6749 §2.3.1',
  registered_as: ['client_secret_basic', 'client_secret_post'],
  carried_in: 'authorization',
  read({ authorization, form }) {
    if (authorization === undefined) return undefined
    const credentials = /^basic +([a-z0-9+/_-]+=*)$/i.exec(authorization)?.[1]
    if (credentials === undefined) throw malformed()
    const [encoded_id, encoded_secret] = splitOnce(decodeUtf8(Buffer.from(credentials, 'base64')), ':')
    if (encoded_secret === undefined) throw malformed()
    const client_id = decodeOrKeep(encoded_id)
    const named = single(form, 'client_id')
    if (named !== undefined && named !== client_id) {
      throw new OAuthError('invalid_request', 'client_id differs from the one in the Authorization header')
    }
    // §2.3.1 wants both parts form-encoded first. Many clients send the secret as it is, so either spelling may match.
    const secrets = [...new Set([decodeOrKeep(encoded_secret), encoded_secret])]
    return { client_id, refusal: (deps, client) => secretRefusal(deps, client, secrets) }
  },
}

function malformed(): OAuthError {
  return new OAuthError('invalid_client', 'the Authorization header holds no Basic credentials')
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed()
  }
}

function decodeOrKeep(component: string): string {
  try {
    return decodeFormComponent(component)
  } catch {
    return component
  }
}
