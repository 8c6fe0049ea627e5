import { Type } from 'typebox'
import { auditRecord } from '../observe/audit.ts'
import { isConfidential } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { assertMayIssue } from '../protocol/grant.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { resolveTarget } from '../tokens/resources.ts'
import type { GrantType } from './grant_type.ts'
import { accessTokenResponse } from './token_response.ts'

const parameters = Type.Object({
  scope: Type.Optional(Type.String()),
  resource: Type.Array(Type.String()),
})

/**
 * A client that asks for a token in its own name. It has its credentials, so it gets no refresh token (§4.4.3).
 *
 * @see [RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)
 */
export const clientCredentials: GrantType<typeof parameters> = {
  grant_type: 'client_credentials',
  spec: 'RFC 6749 §4.4',
  parameters,
  async exchange({ client, parameters: { scope, resource }, confirmation, caller, now }, deps) {
    // RFC 6749 §4.4: the client credentials grant type MUST only be used by confidential clients.
    if (!isConfidential(client)) throw new OAuthError('unauthorized_client', 'a public client has no credentials')
    const entitlement = assertMayIssue({ client, account: null, grant: null })
    const target = await resolveTarget(deps, { client, account: null }, { resource, scope })
    const issued = await issueAccessToken(deps, entitlement, target, { now, confirmation })
    const detail = { jti: issued.jti, resources: target.resources, scope: target.scope }
    await deps.store.appendAudit([auditRecord(deps, 'token.issued', { client_id: client.client_id, caller, detail })])
    return accessTokenResponse(issued, target, confirmation)
  },
}
