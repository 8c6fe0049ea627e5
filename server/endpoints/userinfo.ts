import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema.ts'
import { allowOnly } from '../http/allow.ts'
import { formOf } from '../http/machine_scope.ts'
import { CLAIM_NAMES, type Claims, userinfoClaims } from '../protocol/claims.ts'
import { type Client, CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS } from '../protocol/client.ts'
import { ID_TOKEN_TYP, responseAlgorithm, responseAlgorithms } from '../protocol/id_token.ts'
import { invalidToken, presentedToken } from '../protocol/presented_token.ts'
import { PERSON_SCOPES } from '../protocol/scope.ts'
import type { ServerMetadata } from '../protocol/server_metadata.ts'
import { encryptForClient, signForClient } from '../tokens/client_response.ts'
import { admitToResource } from '../tokens/resource_access.ts'
import { subjectOf } from '../tokens/subject.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

/**
 * Tells a client about the person who signed in, as far as they allowed it.
 *
 * @see [OpenID Connect Core 1.0 §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)
 */
export const userinfo: Endpoint = {
  name: 'userinfo_endpoint',
  spec: 'OpenID Connect Core 1.0 §5.3',
  scope: 'resource',
  metadata: (config) => ({ userinfo_endpoint: `${config.issuer}/userinfo`, ...describeClaims(config) }),
  plugin: (deps) => async (app) => {
    allowOnly(app, '/userinfo', 'GET', 'POST')
    // §5.3: the endpoint MUST support the use of GET and POST.
    app.route({
      method: ['GET', 'POST'],
      url: '/userinfo',
      handler: async (request, reply) => {
        const { client, claims } = await describePerson(deps, request)
        const jwt = await asJwt(deps, client, claims)
        return jwt === undefined ? reply.send(claims) : reply.type('application/jwt').send(jwt)
      },
    })
  },
}

async function describePerson(deps: EndpointDeps, request: FastifyRequest) {
  const { claims, client, account, grant } = await admitToResource(
    deps,
    {
      presented: presentedToken(request.headers.authorization, formOf(request)),
      method: request.method,
      htu: `${deps.config.issuer}/userinfo`,
      dpop: request.headers.dpop,
      certificate: deps.certificateOf(request),
    },
    { scope: 'openid' },
  )
  if (account === null || grant === null) throw invalidToken('there is no person behind it')
  // What was allowed claim by claim was allowed to the client of the grant, not to one that exchanged its token.
  const asked = { scope: claims.scope ?? '', claims: client.client_id === grant.client_id ? grant.claims : null }
  const sub = subjectOf(deps, client, account.account_id)
  return { client, claims: { ...userinfoClaims(client, account, asked), sub } }
}

/**
 * The answer as its client is registered to get it.
 *
 * @returns undefined: as plain JSON
 * @see [OpenID Connect Core 1.0 §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
 */
async function asJwt(deps: EndpointDeps, client: Client, claims: Claims): Promise<string | undefined> {
  const { userinfo_signed_response_alg: alg } = client
  const encryption = {
    encrypted_response_alg: client.userinfo_encrypted_response_alg,
    encrypted_response_enc: client.userinfo_encrypted_response_enc,
  }
  if (alg !== undefined) {
    return signForClient(deps, client, {
      ...encryption,
      typ: ID_TOKEN_TYP,
      // §5.3.2: if signed, it MUST contain iss and aud. Without an exp, it passes for no ID token.
      payload: { ...claims, iss: deps.config.issuer, aud: client.client_id },
      signed_response_alg: responseAlgorithm(alg, deps.config.profile),
    })
  }
  if (encryption.encrypted_response_alg === undefined) return undefined
  return encryptForClient(deps, client, JSON.stringify(claims), encryption)
}

/** What is said of persons, and in which forms: the same for ID tokens and for UserInfo. */
function describeClaims({ profile, authorization }: Config): Partial<ServerMetadata> {
  return {
    scopes_supported: PERSON_SCOPES,
    claims_supported: ['iss', 'aud', 'exp', 'iat', ...CLAIM_NAMES],
    claim_types_supported: ['normal'],
    subject_types_supported: ['public', 'pairwise'],
    acr_values_supported: authorization.acr_values,
    id_token_signing_alg_values_supported: responseAlgorithms(profile),
    id_token_encryption_alg_values_supported: ENCRYPTION_ALGORITHMS,
    id_token_encryption_enc_values_supported: CONTENT_ENCRYPTIONS,
    userinfo_signing_alg_values_supported: responseAlgorithms(profile),
    userinfo_encryption_alg_values_supported: ENCRYPTION_ALGORITHMS,
    userinfo_encryption_enc_values_supported: CONTENT_ENCRYPTIONS,
  }
}
