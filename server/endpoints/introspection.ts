import { Type } from 'typebox'
import { clientAuthMethods } from '../client_auth/index.ts'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { formOf } from '../http/machine_scope.ts'
import { type Client, isConfidential } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { expiry, mayIssue } from '../protocol/grant.ts'
import {
  describeAccessToken,
  describeRefreshToken,
  INACTIVE,
  type IntrospectionResponse,
  mayIntrospect,
} from '../protocol/introspection.ts'
import { readParameters } from '../protocol/parameters.ts'
import { parseRefreshToken } from '../protocol/refresh_token.ts'
import { findResources } from '../tokens/resources.ts'
import { isLive, verifyAccessToken } from '../tokens/verify.ts'
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
  metadata: ({ issuer }) => ({
    introspection_endpoint: `${issuer}/introspect`,
    introspection_endpoint_auth_methods_supported: clientAuthMethods
      .map((method) => method.token_endpoint_auth_method)
      .filter((method) => method !== 'none'),
  }),
  plugin: (deps) => async (app) => {
    allowOnly(app, '/introspect', 'POST')
    app.post('/introspect', async (request) => {
      const form = formOf(request)
      const { authorization } = request.headers
      const client = await deps.authenticateClient({ authorization, form }, callerOf(request))
      // RFC 7662 §2.1: the endpoint MUST require some form of authorization, or tokens could be scanned for.
      if (!isConfidential(client)) throw new OAuthError('invalid_client', 'client authentication failed')
      const { token } = readParameters(parameters, form)
      return (await introspectRefreshToken(deps, token, client)) ?? (await introspectAccessToken(deps, token, client))
    })
  },
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
  const allowed = typeof mayIssue({ client: context.client, account, grant }) !== 'string'
  return current && alive && allowed ? describeRefreshToken(deps.config.issuer, grant, account?.username) : INACTIVE
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
  if (!(await isLive(deps, claims))) return INACTIVE
  const account = claims.user_id === undefined ? undefined : await deps.store.findAccount(claims.user_id)
  return describeAccessToken(claims, account?.username)
}
