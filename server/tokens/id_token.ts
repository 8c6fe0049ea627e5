import type { Deps } from '../deps.ts'
import { idTokenAccountClaims } from '../protocol/claims.ts'
import type { Entitlement } from '../protocol/grant.ts'
import { ID_TOKEN_TYP, idTokenClaims, responseAlgorithm } from '../protocol/id_token.ts'
import { parseScope } from '../protocol/scope.ts'
import type { Seconds } from '../protocol/time.ts'
import { type ClientResponseDeps, signForClient } from './client_response.ts'
import { subjectOf } from './subject.ts'

/**
 * The ID token that goes with an access token.
 *
 * @param issued.nonce of the authorization request; null: none, or a refresh
 * @returns undefined where none is due: without the scope `openid`, and without a person
 * @see [OpenID Connect Core 1.0 §3.1.3.3](https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse)
 */
export async function issueIdToken(
  deps: ClientResponseDeps & Pick<Deps, 'config' | 'vault'>,
  { client, account, grant }: Entitlement,
  issued: { readonly access_token: string; readonly nonce: string | null; readonly now: Seconds },
): Promise<string | undefined> {
  if (grant === null || account === null || !parseScope(grant.scope)?.includes('openid')) return undefined
  const alg = responseAlgorithm(client.id_token_signed_response_alg, deps.config.profile)
  const payload = idTokenClaims(grant, {
    ...issued,
    iss: deps.config.issuer,
    sub: subjectOf(deps, client, account.account_id),
    alg,
    lifetime_seconds: deps.config.tokens.access_token_seconds,
    claims: idTokenAccountClaims(client, account, grant.claims),
  })
  return signForClient(deps, client, {
    typ: ID_TOKEN_TYP,
    payload,
    signed_response_alg: alg,
    encrypted_response_alg: client.id_token_encrypted_response_alg,
    encrypted_response_enc: client.id_token_encrypted_response_enc,
  })
}
