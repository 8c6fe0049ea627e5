import { type Client, partsOf } from '../protocol/client.ts'
import { selfRegisteredMembersOf } from '../protocol/client_self_registration.ts'

/** What is shown to a client once. */
export interface IssuedCredentials {
  /** null: none was made now. */
  readonly issued_secret: string | null
  readonly registration_access_token: string
}

/**
 * What a client is told of its registration.
 *
 * @see [RFC 7591 §3.2.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1)
 * @see [RFC 7592 §3](https://www.rfc-editor.org/rfc/rfc7592#section-3)
 */
export function describeClient(
  issuer: string,
  client: Client,
  { issued_secret, registration_access_token }: IssuedCredentials,
): object {
  const { identity, metadata } = partsOf(client)
  return {
    client_id: identity.client_id,
    client_id_issued_at: identity.created_at,
    // 0: it does not expire.
    ...(issued_secret === null ? {} : { client_secret: issued_secret, client_secret_expires_at: 0 }),
    registration_access_token,
    registration_client_uri: `${issuer}/register/${identity.client_id}`,
    ...selfRegisteredMembersOf(metadata),
  }
}
