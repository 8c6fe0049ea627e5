import { Type } from 'typebox'
import type { Caller } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import {
  AUTHORIZATION_CODE_LABEL,
  type AuthorizationCode,
  assertCodeBelongs,
  invalidCode,
  narrowAuthorizationDetails,
} from '../protocol/authorization_code.ts'
import type { OAuthError } from '../protocol/errors.ts'
import { assertMayIssue, type Grant } from '../protocol/grant.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { firstRefreshToken, newGrant } from '../tokens/new_grant.ts'
import { resolveTarget } from '../tokens/resources.ts'
import type { GrantDeps, GrantType } from './grant_type.ts'
import { endReplayed } from './replayed_code.ts'
import { tokenResponse } from './token_response.ts'

const parameters = Type.Object({
  code: Type.String(),
  redirect_uri: Type.Optional(Type.String()),
  code_verifier: Type.Optional(Type.String()),
  resource: Type.Array(Type.String()),
  authorization_details: Type.Optional(Type.String()),
})

/**
 * Exchanging a code for the tokens that a person has allowed: once, and the second attempt ends what the first one got.
 *
 * @see [RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3)
 * @see [RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)
 */
export const authorizationCode: GrantType<typeof parameters> = {
  grant_type: 'authorization_code',
  spec: 'RFC 6749 §4.1',
  parameters,
  async exchange({ client, parameters: asked, confirmation, caller, now }, deps) {
    const { client_id } = client
    const code = await findCode(deps, asked.code)
    const { redirect_uri, code_verifier } = asked
    assertCodeBelongs(code, { client_id, redirect_uri, code_verifier, confirmation })
    if (code.claimed_at !== null) throw await replayed(deps, code, caller)
    if (now >= code.expires_at) throw invalidCode('expired')

    const account = await deps.store.findAccount(code.account_id)
    const granted = {
      ...code,
      authorization_details: narrowAuthorizationDetails(code.authorization_details, asked.authorization_details),
    }
    const parties = { client, account: account ?? null, granted }
    // RFC 8707 §2.2: the token is for the resources named here, out of those granted. The scope is not asked for again.
    const target = await resolveTarget(deps, parties, { resource: asked.resource, scope: undefined })
    const { access_token_seconds } = target
    const grant = await newGrant(deps, client, code, { now, caller, confirmation, access_token_seconds })
    const entitlement = assertMayIssue({ client, account, grant })
    await claim(deps, code, grant, caller)

    const issued = await issueAccessToken(deps, entitlement, target, { now, confirmation })
    return tokenResponse(deps, entitlement, {
      ...issued,
      target,
      confirmation,
      now,
      nonce: code.nonce,
      refresh: firstRefreshToken(deps, client, grant),
    })
  },
}

function findCode(deps: GrantDeps, code: string): Promise<AuthorizationCode | undefined> {
  return deps.store.findAuthorizationCode(deps.vault.digest(AUTHORIZATION_CODE_LABEL, code))
}

/** The one commit by which the code is used up and its grant begins. */
async function claim(deps: GrantDeps, code: AuthorizationCode, grant: Grant, caller: Caller): Promise<void> {
  const { code_digest } = code
  const { scope, resources } = grant
  const audit = auditRecord(deps, 'token.issued', { ...partiesOf(code), caller, detail: { scope, resources } })
  const exchange = { code_digest, grant, now: deps.clock.now() }
  const outcome = await deps.store.exchangeAuthorizationCode(exchange, [audit])
  switch (outcome) {
    case 'exchanged':
      return
    case 'spent': {
      // Somebody was faster, in the moment since it was read: who is second is a replay all the same.
      const now = await deps.store.findAuthorizationCode(code_digest)
      throw now?.claimed_at == null ? invalidCode('expired') : await replayed(deps, code, caller)
    }
    case 'session_ended':
    case 'account_disabled':
      throw invalidCode(outcome)
  }
}

/** A code that comes back, with everything else right: it has leaked, or its client repeats itself. Nobody can tell. */
async function replayed(deps: GrantDeps, code: AuthorizationCode, caller: Caller): Promise<OAuthError> {
  await endReplayed(deps, 'authorization code', partiesOf(code), caller)
  return invalidCode('used twice')
}

function partiesOf({ account_id, client_id, grant_id, session_id }: AuthorizationCode) {
  return { account_id, client_id, grant_id, session_id }
}
