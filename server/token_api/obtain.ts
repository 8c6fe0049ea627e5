import { signIn } from '../accounts/sign_in.ts'
import type { Caller, Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Account } from '../protocol/account.ts'
import type { Client } from '../protocol/client.ts'
import { assertMayIssue, type Grant } from '../protocol/grant.ts'
import { randomId } from '../protocol/random_id.ts'
import { formatRefreshToken } from '../protocol/refresh_token.ts'
import type { Target } from '../protocol/target.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { newGrant } from '../tokens/new_grant.ts'
import { resolveTarget } from '../tokens/resources.ts'
import { findLoginClient } from './client.ts'
import { busy, noActiveAccount, throttled } from './errors.ts'
import { optionalText, optionalTexts, readBody, requireTexts } from './fields.ts'

export interface TokenPair {
  readonly refresh: string
  readonly access: string
}

/** `POST /api/token/`: a name and a password for a pair of tokens, and with them a new grant. */
export async function obtain(deps: Deps, rawBody: unknown, caller: Caller): Promise<TokenPair> {
  const { username_field } = deps.config.token_api
  const body = readBody(rawBody)
  const texts = requireTexts(body, [username_field, 'password'])
  const request = { resource: optionalTexts(body, 'resource'), scope: optionalText(body, 'scope') }
  const signedIn = await signIn(
    deps,
    { identifier: texts[username_field] ?? '', password: texts.password ?? '' },
    caller,
  )
  switch (signedIn.outcome) {
    case 'refused':
      throw noActiveAccount()
    case 'throttled':
      throw throttled(signedIn.retry_after)
    case 'busy':
      throw busy(signedIn.retry_after)
    case 'signed_in':
      return openGrant(deps, signedIn, request, caller)
  }
}

async function openGrant(
  deps: Deps,
  { account, give_back }: { account: Account; give_back: readonly string[] },
  request: { resource: readonly string[]; scope: string | undefined },
  caller: Caller,
): Promise<TokenPair> {
  const client = await findLoginClient(deps)
  const target = await targetOrGiveBack(deps, client, account, request, give_back)
  const now = deps.clock.now()
  const grant = await openedGrant(deps, client, account, target, caller)
  const entitlement = assertMayIssue({ client, account, grant })
  const { account_id } = account
  const { client_id, grant_id, session_id } = grant
  const fields = { account_id, client_id, grant_id, session_id, caller, detail: { amr: grant.amr } }
  const succeeded = auditRecord(deps, 'sign_in.succeeded', fields)
  if ((await deps.store.createGrant(grant, give_back, [succeeded])) === 'account_disabled') {
    const refusal = { actor: null, account_id, caller, detail: { reason: 'disabled' } }
    await deps.store.appendAudit([auditRecord(deps, 'sign_in.refused', refusal)])
    throw noActiveAccount()
  }
  const issued = await issueAccessToken(deps, entitlement, target, { now })
  return {
    refresh: formatRefreshToken({ grant_id, generation: grant.generation }, deps.vault.refreshTokenMacKey),
    access: issued.access_token,
  }
}

/** The password was right, so the attempt does not count, whatever else is wrong with the request. */
async function targetOrGiveBack(
  deps: Deps,
  client: Client,
  account: Account,
  request: { resource: readonly string[]; scope: string | undefined },
  give_back: readonly string[],
): Promise<Target> {
  try {
    return await resolveTarget(deps, { client, account }, request)
  } catch (error) {
    await deps.store.giveBackAttempt(give_back)
    throw error
  }
}

function openedGrant(deps: Deps, client: Client, account: Account, target: Target, caller: Caller): Promise<Grant> {
  const now = deps.clock.now()
  const facts = {
    grant_id: randomId(deps.random),
    account_id: account.account_id,
    session_id: randomId(deps.random),
    scope: target.scope,
    resources: target.resources,
    auth_time: now,
    // RFC 8176 §2: password-based authentication.
    amr: ['pwd'],
    acr: null,
    claims: null,
    authorization_details: [],
  }
  return newGrant(deps, client, facts, { now, caller, access_token_seconds: target.access_token_seconds })
}
