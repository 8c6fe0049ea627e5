import { Type } from 'typebox'
import { offeredAuthMethods } from '../client_auth/index.ts'
import { allowOnly } from '../http/allow.ts'
import { formOf } from '../http/machine_scope.ts'
import type { Account } from '../protocol/account.ts'
import { type Client, CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS, isConfidential } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { expiry, mayIssue } from '../protocol/grant.ts'
import { responseAlgorithm, responseAlgorithms } from '../protocol/id_token.ts'
import {
  describeAccessToken,
  describeRefreshToken,
  INACTIVE,
  INTROSPECTION_JWT,
  type IntrospectionResponse,
  mayIntrospect,
  mayLearnUsername,
  type Person,
  wantsJwt,
} from '../protocol/introspection.ts'
import { readParameters } from '../protocol/parameters.ts'
import { clientSigningAlgorithms } from '../protocol/profile.ts'
import { parseRefreshToken } from '../protocol/refresh_token.ts'
import { signForClient } from '../tokens/client_response.ts'
import { findResources } from '../tokens/resources.ts'
import { subjectOf } from '../tokens/subject.ts'
import { standingOf, verifyAccessToken } from '../tokens/verify.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

const parameters = Type.Object({ token: Type.String(), token_type_hint: Type.Optional(Type.String()) })

/**
 * Tells those entitled whether a token stands at this moment, revocations included.
 *
 * @see [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)
 */
export const introspection: Endpoint = {
  name: 'introspection_endpoint',
  spec: 'RFC 7662',
  scope: 'machine',
  metadata: (config) => ({
    introspection_endpoint: `${config.issuer}/introspect`,
    introspection_endpoint_auth_signing_alg_values_supported: clientSigningAlgorithms(config.profile),
    introspection_endpoint_auth_methods_supported: offeredAuthMethods(config).filter((method) => method !== 'none'),
    introspection_signing_alg_values_supported: responseAlgorithms(config.profile),
    introspection_encryption_alg_values_supported: ENCRYPTION_ALGORITHMS,
    introspection_encryption_enc_values_supported: CONTENT_ENCRYPTIONS,
  }),
  plugin: (deps) => async (app) => {
    allowOnly(app, '/introspect', 'POST')
    app.post('/introspect', async (request, reply) => {
      const form = formOf(request)
      const client = await deps.authenticateClient(request)
      // RFC 7662 §2.1: the endpoint MUST require some form of authorization, or tokens could be scanned for.
      if (!isConfidential(client)) throw new OAuthError('invalid_client', 'client authentication failed')
      const { token } = readParameters(parameters, form)
      const answer =
        (await introspectRefreshToken(deps, token, client)) ?? (await introspectAccessToken(deps, token, client))
      if (!wantsJwt(request.headers.accept, client)) return reply.send(answer)
      return reply.type(`application/${INTROSPECTION_JWT}`).send(await asJwt(deps, client, answer))
    })
  },
}

/**
 * The answer as a JWT: evidence that it came from here.
 *
 * @see [RFC 9701 §5](https://www.rfc-editor.org/rfc/rfc9701#section-5)
 */
function asJwt(deps: EndpointDeps, client: Client, token_introspection: IntrospectionResponse): Promise<string> {
  const { issuer, profile } = deps.config
  return signForClient(deps, client, {
    typ: INTROSPECTION_JWT,
    // RFC 9701 §5: without sub and exp, so that it passes for no access token.
    payload: { iss: issuer, aud: client.client_id, iat: deps.clock.now(), token_introspection },
    signed_response_alg: responseAlgorithm(client.introspection_signed_response_alg, profile),
    encrypted_response_alg: client.introspection_encrypted_response_alg,
    encrypted_response_enc: client.introspection_encrypted_response_enc,
  })
}

async function introspectRefreshToken(
  deps: EndpointDeps,
  token: string,
  client: Client,
): Promise<IntrospectionResponse | undefined> {
  const parsed = parseRefreshToken(token, (id) => deps.vault.findRefreshTokenMacKey(id))
  if (parsed === undefined) return undefined
  const context = await deps.store.findGrant(parsed.grant_id)
  if (context?.client === undefined) return INACTIVE
  const { grant, account } = context
  if (!mayIntrospect(client, { client_id: grant.client_id, kind: 'refresh_token' }, [])) return INACTIVE
  const current = parsed.generation === grant.generation
  const alive = expiry(grant, deps.clock.now()) === undefined
  if (account === undefined || !current || !alive) return INACTIVE
  if (typeof mayIssue({ client: context.client, account, grant }) === 'string') return INACTIVE
  return describeRefreshToken(deps.config.issuer, grant, personFor(deps, client, account, grant))
}

async function introspectAccessToken(
  deps: EndpointDeps,
  token: string,
  client: Client,
): Promise<IntrospectionResponse> {
  const verified = await verifyAccessToken(deps, token)
  if (verified.outcome !== 'valid') return INACTIVE
  const { claims } = verified
  const resources = await findResources(deps, typeof claims.aud === 'string' ? [claims.aud] : claims.aud)
  if (!mayIntrospect(client, { client_id: claims.client_id, kind: 'access_token' }, resources)) return INACTIVE
  const standing = await standingOf(deps, claims)
  if (standing === undefined) return INACTIVE
  const { account } = standing
  if (account === null) return describeAccessToken(claims, undefined)
  const { client_id, scope = '' } = claims
  return describeAccessToken(claims, personFor(deps, client, account, { client_id, scope }))
}

/** The person behind a token, as the client that asks may know them. */
function personFor(
  deps: EndpointDeps,
  client: Client,
  { account_id, username }: Account,
  token: { readonly client_id: string; readonly scope: string },
): Person {
  return {
    sub: subjectOf(deps, client, account_id),
    username: mayLearnUsername(client, token) ? username : undefined,
  }
}
