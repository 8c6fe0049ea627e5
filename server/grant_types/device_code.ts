import { Type } from 'typebox'
import type { Caller } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import {
  type ApprovedDeviceCode,
  assertApproved,
  assertMayPoll,
  DEVICE_CODE_GRANT,
  DEVICE_CODE_LABEL,
  invalidDeviceCode,
} from '../protocol/device_code.ts'
import { OAuthError } from '../protocol/errors.ts'
import { assertMayIssue, type Grant } from '../protocol/grant.ts'
import { randomId } from '../protocol/random_id.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { firstRefreshToken, newGrant } from '../tokens/new_grant.ts'
import { resolveTarget } from '../tokens/resources.ts'
import type { ClientRequest, GrantDeps, GrantType } from './grant_type.ts'
import { endReplayed } from './replayed_code.ts'
import { tokenResponse } from './token_response.ts'

const parameters = Type.Object({
  device_code: Type.String(),
  resource: Type.Array(Type.String()),
})

/**
 * A device asks whether its person has let it in, again and again until the person has decided.
 *
 * @see [RFC 8628 §3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4)
 */
export const deviceCode: GrantType<typeof parameters> = {
  grant_type: DEVICE_CODE_GRANT,
  spec: 'RFC 8628 §3.4',
  parameters,
  async exchange({ client, parameters: asked, confirmation, caller, now }, deps) {
    const { client_id } = client
    const code = await poll(deps, asked.device_code, { client_id, confirmation, now, caller })
    const account = await deps.store.findAccount(code.account_id)
    const parties = { client, account: account ?? null, granted: code }
    const target = await resolveTarget(deps, parties, { resource: asked.resource, scope: undefined })
    const { access_token_seconds } = target
    // The device is a session of its own: signing out of the browser that let it in leaves it where it is.
    const facts = { ...code, session_id: randomId(deps.random), amr: code.amr ?? [], claims: null }
    const grant = await newGrant(deps, client, facts, { now, caller, confirmation, access_token_seconds })
    const entitlement = assertMayIssue({ client, account, grant })
    await redeem(deps, code, grant, caller)

    const issued = await issueAccessToken(deps, entitlement, target, { now, confirmation })
    return tokenResponse(deps, entitlement, {
      ...issued,
      target,
      confirmation,
      now,
      nonce: null,
      refresh: firstRefreshToken(deps, client, grant),
    })
  },
}

type Presented = Pick<ClientRequest<unknown>, 'confirmation' | 'now' | 'caller'> & { readonly client_id: string }

/** @returns what the person has approved; every other answer is an error (§3.5) */
async function poll(deps: GrantDeps, device_code: string, presented: Presented): Promise<ApprovedDeviceCode> {
  const { now, caller } = presented
  const code = await deps.store.findDeviceCode(deps.vault.digest(DEVICE_CODE_LABEL, device_code))
  assertMayPoll(code, presented, now)
  if ((await deps.store.pollDeviceCode(code.device_code_digest, now)) === 'too_fast') {
    throw new OAuthError('slow_down', 'polled too fast: wait 5 seconds longer between requests from now on')
  }
  if (code.redeemed_at !== null) throw await replayed(deps, code, caller)
  assertApproved(code)
  return code
}

/** The one commit by which the code is used up and its grant begins. */
async function redeem(deps: GrantDeps, code: ApprovedDeviceCode, grant: Grant, caller: Caller): Promise<void> {
  const { scope, resources } = grant
  const audit = auditRecord(deps, 'token.issued', { ...partiesOf(code), caller, detail: { scope, resources } })
  const outcome = await deps.store.redeemDeviceCode(code.device_code_digest, grant, deps.clock.now(), [audit])
  switch (outcome) {
    case 'redeemed':
      return
    case 'account_disabled':
      throw invalidDeviceCode(outcome)
    case 'spent': {
      // Since it was read somebody was faster, or the consent was withdrawn, or its time was over.
      const now = await deps.store.findDeviceCode(code.device_code_digest)
      throw now?.redeemed_at == null ? invalidDeviceCode('withdrawn or expired') : await replayed(deps, code, caller)
    }
  }
}

/**
 * A code that comes back to be redeemed again has leaked, or its answer got lost. In the one case its tokens are with
 * somebody else, in the other with nobody: they end, and the device starts anew.
 */
async function replayed(deps: GrantDeps, code: Parameters<typeof partiesOf>[0], caller: Caller): Promise<OAuthError> {
  await endReplayed(deps, 'device code', partiesOf(code), caller)
  return invalidDeviceCode('used twice')
}

function partiesOf({
  account_id,
  client_id,
  grant_id,
}: Pick<Grant, 'client_id' | 'grant_id'> & { account_id: string | null }) {
  return { account_id, client_id, grant_id }
}
