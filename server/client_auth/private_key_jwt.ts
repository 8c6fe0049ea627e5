import type { Config } from '../../config/schema.ts'
import type { Client } from '../protocol/client.ts'
import { readUnverifiedJwt, rememberedUntil } from '../protocol/client_jwt.ts'
import { OAuthError } from '../protocol/errors.ts'
import { sameAlgorithm } from '../protocol/jwk_set.ts'
import { single } from '../protocol/parameters.ts'
import { clientSigningAlgorithms } from '../protocol/profile.ts'
import { ClientJwtError, type ClientJwtRules, verifyClientJwt } from '../tokens/client_jwt.ts'
import type { ClientAuthDeps, ClientAuthMethod } from './client_auth.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** RFC 7523 §3: an exp unreasonably far ahead may be rejected. Authlib makes assertions for an hour, others for less. */
const MAX_LIFETIME_SECONDS = 3600

/**
 * A JWT that the client has signed with a registered key, good once.
 *
 * @see [RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2), [§3](https://www.rfc-editor.org/rfc/rfc7523#section-3)
 * @see [OpenID Connect Core 1.0 §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)
 */
export const privateKeyJwt: ClientAuthMethod = {
  token_endpoint_auth_method: 'private_key_jwt',
  spec: 'RFC 7523 §2.2',
  registered_as: ['private_key_jwt'],
  carried_in: 'client_assertion',
  read({ form, endpoint }) {
    const type = single(form, 'client_assertion_type')
    const assertion = single(form, 'client_assertion')
    if (type === undefined && assertion === undefined) return undefined
    if (type !== JWT_BEARER) throw new OAuthError('invalid_request', 'this client_assertion_type is not supported')
    const client_id = assertion === undefined ? undefined : readUnverifiedJwt(assertion)?.claims.sub
    if (assertion === undefined || typeof client_id !== 'string') {
      throw new OAuthError('invalid_client', 'the client_assertion is no JWT with a sub')
    }
    const named = single(form, 'client_id')
    // RFC 7521 §4.2: the client_id is unnecessary, and if present MUST identify the same client.
    if (named !== undefined && named !== client_id) {
      throw new OAuthError('invalid_request', 'client_id differs from the one in the client_assertion')
    }
    return { client_id, refusal: (deps, client) => assertionRefusal(deps, client, assertion, endpoint) }
  },
}

async function assertionRefusal(
  deps: ClientAuthDeps,
  client: Client,
  assertion: string,
  endpoint: string,
): Promise<string | undefined> {
  const { client_id } = client
  try {
    const { jti, exp = 0 } = await verifyClientJwt(deps, client, assertion, rulesFor(deps.config, client, endpoint))
    // RFC 7523 §3: a jti is used once. Only after the signature: nobody else uses up a client's.
    const id = deps.vault.digest('client_assertion_jti', `${client_id} ${jti}`)
    const now = deps.clock.now()
    const outcome = await deps.store.claimOnce(id, rememberedUntil(exp, now), now)
    return outcome === 'used' ? 'the assertion was used before' : undefined
  } catch (error) {
    if (error instanceof ClientJwtError) return `the assertion: ${error.message}`
    throw error
  }
}

function rulesFor({ issuer, profile }: Config, client: Client, endpoint: string): ClientJwtRules {
  const { client_id } = client
  const fapi2 = profile === 'fapi2'
  return {
    algorithms: assertionAlgorithms(profile, client),
    // No other kind of JWT that the client signs, and none that was signed for it.
    typ: ['', 'jwt', 'client-authentication+jwt'],
    issuer: client_id,
    subject: client_id,
    // RFC 9700 §4.4.2 in spirit: the issuer is what no other server can be. The addresses are what RFC 7523 §3 and
    // RFC 9126 §2 had clients send; FAPI 2.0 Security Profile §5.3.2.1 takes the issuer only, as a string.
    audience: fapi2 ? [issuer] : [issuer, `${issuer}/token`, endpoint],
    audience_as_string: fapi2,
    required_claims: ['iss', 'sub', 'aud', 'exp', 'jti'],
    max_lifetime_seconds: MAX_LIFETIME_SECONDS,
  }
}

function assertionAlgorithms(profile: Config['profile'], client: Client): readonly string[] {
  const offered = clientSigningAlgorithms(profile)
  const { token_endpoint_auth_signing_alg: registered } = client
  return registered === undefined ? offered : offered.filter((alg) => sameAlgorithm(alg, registered))
}
