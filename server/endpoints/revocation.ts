import { Type } from 'typebox'
import { offeredAuthMethods } from '../client_auth/index.ts'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { FROM_ANY_ORIGIN } from '../http/cors.ts'
import { formOf } from '../http/machine_scope.ts'
import { auditRecord } from '../observe/audit.ts'
import { OAuthError } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { clientSigningAlgorithms } from '../protocol/profile.ts'
import { parseRefreshToken } from '../protocol/refresh_token.ts'
import { verifyAccessToken } from '../tokens/verify.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

// A hint only says where to look first (§2.1); our tokens say themselves what they are.
const parameters = Type.Object({ token: Type.String(), token_type_hint: Type.Optional(Type.String()) })

/**
 * A client gives up a token. A refresh token takes its whole grant along; an access token takes along what it was exchanged for.
 *
 * @see [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)
 */
export const revocation: Endpoint = {
  name: 'revocation_endpoint',
  spec: 'RFC 7009',
  scope: 'machine',
  metadata: (config) => ({
    revocation_endpoint: `${config.issuer}/revoke`,
    revocation_endpoint_auth_signing_alg_values_supported: clientSigningAlgorithms(config.profile),
    revocation_endpoint_auth_methods_supported: offeredAuthMethods(config),
  }),
  plugin: (deps) => async (app) => {
    app.post('/revoke', FROM_ANY_ORIGIN, async (request, reply) => {
      const form = formOf(request)
      const caller = callerOf(request)
      const { client_id } = await deps.authenticateClient(request)
      const { token } = readParameters(parameters, form)
      if (!(await revokeRefreshToken(deps, token, client_id, caller))) {
        await revokeAccessToken(deps, token, client_id, caller)
      }
      // RFC 7009 §2.2: 200 also for an invalid token, since the client's purpose is met.
      return reply.code(200).send()
    })
    allowOnly(app, '/revoke', 'POST')
  },
}

type Caller = ReturnType<typeof callerOf>

async function revokeRefreshToken(
  deps: EndpointDeps,
  token: string,
  client_id: string,
  caller: Caller,
): Promise<boolean> {
  const parsed = parseRefreshToken(token, (id) => deps.vault.findRefreshTokenMacKey(id))
  if (parsed === undefined) return false
  const context = await deps.store.findGrant(parsed.grant_id)
  if (context === undefined) return true
  const { grant } = context
  if (grant.client_id !== client_id) throw ofAnotherClient()
  const { account_id, grant_id, session_id } = grant
  const fields = { actor: client_id, account_id, client_id, grant_id, session_id, caller }
  const audit = auditRecord(deps, 'grant.revoked', { ...fields, detail: { because: 'revoked_by_client' } })
  await deps.store.revokeGrant(grant_id, { because: 'revoked_by_client', now: deps.clock.now() }, [audit])
  return true
}

async function revokeAccessToken(deps: EndpointDeps, token: string, client_id: string, caller: Caller): Promise<void> {
  const verified = await verifyAccessToken(deps, token)
  if (verified.outcome !== 'valid') return
  const { claims } = verified
  if (claims.client_id !== client_id) throw ofAnotherClient()
  const audit = auditRecord(deps, 'token.revoked', { client_id, caller, detail: { jti: claims.jti } })
  const { jti, exp: expires_at } = claims
  await deps.store.revokeAccessToken({ jti, expires_at, now: deps.clock.now() }, [audit])
}

// RFC 7009 §2.1: a token that was issued to another client is refused, and the client is informed of the error.
function ofAnotherClient(): OAuthError {
  return new OAuthError('invalid_grant', 'the token was issued to another client')
}
