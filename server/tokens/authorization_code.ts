import type { Config } from '../../config/schema.ts'
import type { Vault } from '../../keys/vault.ts'
import type { Caller, Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { AuthorizationCode } from '../protocol/authorization_code.ts'
import type { AuthorizationRequest } from '../protocol/authorization_request.ts'
import { randomId } from '../protocol/random_id.ts'
import type { Session } from '../protocol/session.ts'
import type { Seconds } from '../protocol/time.ts'

export type CodeDeps = Pick<Deps, 'store' | 'clock' | 'random'> & {
  readonly vault: Pick<Vault, 'digest'>
  readonly config: Pick<Config, 'authorization' | 'profile'>
}

export type IssuedCode =
  | { readonly outcome: 'issued'; readonly code: string }
  | { readonly outcome: 'session_ended' | 'account_disabled' | 'interaction_gone' }

const PREFIX = 'gth_ac_'
const CODE_BYTES = 32
/** FAPI 2.0 Security Profile §5.3.2.1: authorization codes live for 60 seconds at most. */
const FAPI2_CODE_SECONDS = 60

/**
 * Makes a code and commits it before anybody has it. The request is decided: its session's account may answer it.
 *
 * @param asked.interaction_id the paused request that ends with it; null: it never had to wait
 * @see [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)
 */
export async function issueAuthorizationCode(
  deps: CodeDeps,
  asked: { readonly request: AuthorizationRequest; readonly session: Session; readonly interaction_id: string | null },
  caller: Caller,
): Promise<IssuedCode> {
  const { request, session, interaction_id } = asked
  const now = deps.clock.now()
  const code = `${PREFIX}${Buffer.from(deps.random.bytes(CODE_BYTES)).toString('base64url')}`
  const { account_id, session_id, auth_time, amr, acr } = session
  const { client_id, redirect_uri, redirect_uri_sent, code_challenge, dpop_jkt, nonce } = request
  const { scope, resources, claims, authorization_details } = request
  const record: AuthorizationCode = {
    code_digest: deps.vault.digest('authorization_code', code),
    grant_id: randomId(deps.random),
    client_id,
    account_id,
    session_id,
    redirect_uri,
    redirect_uri_sent,
    code_challenge,
    dpop_jkt,
    nonce,
    scope,
    resources,
    claims,
    authorization_details,
    auth_time,
    amr,
    acr,
    expires_at: now + codeSeconds(deps.config),
    claimed_at: null,
  }
  const { grant_id } = record
  const audit = auditRecord(deps, 'authorization.code_issued', { account_id, client_id, grant_id, session_id, caller })
  const outcome = await deps.store.createAuthorizationCode(record, interaction_id, now, [audit])
  return outcome === 'created' ? { outcome: 'issued', code } : { outcome }
}

function codeSeconds({ authorization, profile }: CodeDeps['config']): Seconds {
  const { code_seconds } = authorization
  return profile === 'fapi2' ? Math.min(code_seconds, FAPI2_CODE_SECONDS) : code_seconds
}
