import { Type } from 'typebox'
import { auditRecord } from '../observe/audit.ts'
import type { AccessTokenClaims } from '../protocol/access_token.ts'
import { isConfidential } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { assertMayIssue } from '../protocol/grant.ts'
import {
  ACCESS_TOKEN_TYPE,
  actorOf,
  assertMayBring,
  assertTokenTypes,
  exchangedFrom,
  grantedByExchange,
  invalidToken,
  TOKEN_EXCHANGE_GRANT,
} from '../protocol/token_exchange.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { findResources, resolveTarget } from '../tokens/resources.ts'
import { type Standing, standingOf, verifyAccessToken } from '../tokens/verify.ts'
import type { ClientRequest, GrantDeps, GrantType } from './grant_type.ts'
import { accessTokenResponse } from './token_response.ts'

const parameters = Type.Object({
  subject_token: Type.String(),
  subject_token_type: Type.String(),
  actor_token: Type.Optional(Type.String()),
  actor_token_type: Type.Optional(Type.String()),
  requested_token_type: Type.Optional(Type.String()),
  resource: Type.Array(Type.String()),
  audience: Type.Array(Type.String()),
  scope: Type.Optional(Type.String()),
})

/**
 * A service trades the token that it was called with for one that it can call the next service with. The new token hangs
 * on the grant of the old one, so that whatever ends that ends both. It names the tokens that it came of, each of which
 * can be ended by itself, and never outlives them.
 *
 * @see [RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)
 */
export const tokenExchange: GrantType<typeof parameters> = {
  grant_type: TOKEN_EXCHANGE_GRANT,
  spec: 'RFC 8693',
  parameters,
  async exchange(request, deps) {
    const { client, parameters: asked, confirmation, caller, now } = request
    // RFC 8693 §5: without client authentication a leaked token could be traded for more of them by anyone.
    if (!isConfidential(client)) throw new OAuthError('unauthorized_client', 'a public client has no credentials')
    assertTokenTypes(asked)
    const subject = await readToken(deps, asked.subject_token, request)
    const { claims, standing } = subject
    const { account, grant, grant_client } = standing
    // A client's token for itself is nobody's to delegate: who needs one for another resource asks for it.
    if (grant === null) throw invalidToken('it speaks for no person')
    const act = actorOf(claims, await actingIn(deps, request))
    const entitlement = assertMayIssue({ client, account, grant, grant_client })

    const resource = [...asked.resource, ...asked.audience]
    const granted = grantedByExchange(client, { claims, grant }, { resource })
    const target = await resolveTarget(deps, { client, account, granted }, { resource, scope: asked.scope })
    const issued = await issueAccessToken(deps, entitlement, target, {
      now,
      confirmation,
      not_after: claims.exp,
      act,
      exchanged_from: exchangedFrom(claims),
    })
    const { client_id } = client
    const { account_id, grant_id, session_id } = grant
    const detail = { jti: issued.jti, subject_jti: claims.jti, resources: target.resources, scope: target.scope, act }
    const fields = { actor: client_id, account_id, client_id, grant_id, session_id, caller, detail }
    await deps.store.appendAudit([auditRecord(deps, 'token.exchanged', fields)])
    return { ...accessTokenResponse(issued, target, confirmation), issued_token_type: ACCESS_TOKEN_TYPE }
  },
}

type Bringing = Pick<ClientRequest<unknown>, 'client' | 'confirmation'>

/** A token of ours that stands, in hands that it was meant for. @throws {OAuthError} `invalid_request` */
async function readToken(
  deps: GrantDeps,
  token: string,
  { client, confirmation }: Bringing,
): Promise<{ readonly claims: AccessTokenClaims; readonly standing: Standing }> {
  const verified = await verifyAccessToken(deps, token)
  if (verified.outcome !== 'valid') throw invalidToken(verified.outcome)
  const { claims } = verified
  const resources = await findResources(deps, [claims.aud].flat())
  assertMayBring(client, { claims, resources }, confirmation)
  const standing = await standingOf(deps, claims)
  if (standing === undefined) throw invalidToken('revoked')
  return { claims, standing }
}

/** Who is to act: the subject of the actor token, else the client, which some need not name. */
async function actingIn(
  deps: GrantDeps,
  request: Bringing & { readonly parameters: { readonly actor_token?: string } },
): Promise<{ sub: string; impersonates: boolean }> {
  const { client, parameters: asked } = request
  if (asked.actor_token === undefined) {
    return { sub: client.client_id, impersonates: client.may_impersonate === true }
  }
  const { claims } = await readToken(deps, asked.actor_token, request)
  // Somebody for whom another acts cannot be who acts.
  if (claims.act !== undefined) throw invalidToken('another acts in the actor token')
  return { sub: claims.sub, impersonates: false }
}
