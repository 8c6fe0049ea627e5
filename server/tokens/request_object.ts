import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { Form } from '../protocol/parameters.ts'
import { clientSigningAlgorithms } from '../protocol/profile.ts'
import { parametersOf } from '../protocol/request_object.ts'
import { ClientJwtError, verifyClientJwt } from './client_jwt.ts'

export type RequestObjectDeps = Pick<Deps, 'config' | 'clock' | 'remoteKeys'>

/** RFC 9101 §10.8: `oauth-authz-req+jwt`; clients of OpenID Connect Core §6.1 say nothing, or `JWT`. */
const TYPES = ['oauth-authz-req+jwt', 'jwt', '']

/**
 * The parameters of a request object that this client has signed.
 *
 * @throws {OAuthError} `invalid_request_object`
 * @see [RFC 9101 §6](https://www.rfc-editor.org/rfc/rfc9101#section-6)
 */
export async function readRequestObject(deps: RequestObjectDeps, client: Client, jwt: string): Promise<Form> {
  const { issuer, profile } = deps.config
  try {
    const claims = await verifyClientJwt(deps, client, jwt, {
      issuer: client.client_id,
      audience: [issuer],
      algorithms: algorithmsOf(client, clientSigningAlgorithms(profile)),
      typ: TYPES,
      required_claims: ['client_id'],
    })
    return parametersOf(claims, client.client_id)
  } catch (cause) {
    if (!(cause instanceof ClientJwtError)) throw cause
    throw new OAuthError('invalid_request_object', 'the request object is not valid', { detail: cause.message })
  }
}

/** OpenID Connect Registration 1.0 §2: all others MUST be rejected where a client has registered one. */
function algorithmsOf({ request_object_signing_alg: alg }: Client, allowed: readonly string[]): readonly string[] {
  if (alg === undefined) return allowed
  // RFC 9864 §2.2: Ed25519 is the new name of what EdDSA means here.
  return allowed.filter((one) => one === alg || (alg === 'EdDSA' && one === 'Ed25519'))
}
