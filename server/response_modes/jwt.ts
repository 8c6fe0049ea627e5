import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import { ID_TOKEN_TYP, responseAlgorithm } from '../protocol/id_token.ts'
import { type ClientResponseDeps, signForClient } from '../tokens/client_response.ts'
import type { ResponseParameters } from './response_mode.ts'

/**
 * The answer as a JWT, for the modes that end in `jwt`. It is no ID token, since it has neither `sub` nor `iat`.
 *
 * @returns the one parameter that is sent in place of the others
 * @see [JARM §2.1, §2.2](https://openid.net/specs/oauth-v2-jarm-final.html#section-2.1)
 */
export async function jwtResponse(
  deps: ClientResponseDeps & Pick<Deps, 'config' | 'clock'>,
  client: Client,
  parameters: ResponseParameters,
): Promise<ResponseParameters> {
  const { issuer, profile, authorization } = deps.config
  // §2.1: a lifetime of at most 10 minutes. The code that it may hold lives no longer.
  const exp = deps.clock.now() + authorization.code_seconds
  const response = await signForClient(deps, client, {
    typ: ID_TOKEN_TYP,
    payload: { ...parameters, iss: issuer, aud: client.client_id, exp },
    signed_response_alg: responseAlgorithm(client.authorization_signed_response_alg, profile),
    encrypted_response_alg: client.authorization_encrypted_response_alg,
    encrypted_response_enc: client.authorization_encrypted_response_enc,
  })
  return { response }
}
