import type { Caller, Deps } from '../deps.ts'
import { type AuditEvent, auditRecord } from '../observe/audit.ts'
import { type Client, isConfidential } from '../protocol/client.ts'
import { type Confirmation, confirms } from '../protocol/confirmation.ts'
import { OAuthError } from '../protocol/errors.ts'
import { type Entitlement, type Expired, expiry, type Ineligible, mayIssue } from '../protocol/grant.ts'
import { refreshTokenProfile } from '../protocol/profile.ts'
import {
  decideRefresh,
  formatRefreshToken,
  parseRefreshToken,
  type RefreshDecision,
  type RefreshPolicy,
} from '../protocol/refresh_token.ts'
import type { Target } from '../protocol/target.ts'
import type { Seconds } from '../protocol/time.ts'
import type { AuditRecord, GrantContext } from '../storage/records.ts'
import { type IssuedAccessToken, issueAccessToken } from './issue.ts'
import { resolveTarget } from './resources.ts'

export interface RefreshRequest {
  readonly refresh_token: string
  /** Already authenticated, as far as its registration asks. */
  readonly client: Client
  readonly resource: readonly string[]
  readonly scope: string | undefined
  /** The key that the client has shown. */
  readonly confirmation: Confirmation | undefined
  readonly caller: Caller
}

export type RefreshRefusal =
  /** Not a refresh token of ours, its grant gone, another client's or another key's: one answer, so that nobody learns which. */
  'invalid' | 'revoked' | 'account_disabled' | 'client_disabled' | Expired | 'refresh token reused' | 'not yet issued'

export type Refreshed =
  | ({
      readonly outcome: 'refreshed'
      readonly refresh_token: string
      readonly refresh_token_expires_in: Seconds
      readonly entitlement: Entitlement
      readonly target: Target
    } & IssuedAccessToken)
  | { readonly outcome: 'refused'; readonly reason: RefreshRefusal }

type Refusal = Extract<Refreshed, { outcome: 'refused' }>
type RefreshDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'vault' | 'clock' | 'random' | 'log'>

const EVENTS = {
  'refresh token reused': 'refresh.reused',
  'not yet issued': 'refresh.impossible_generation',
} as const

// Each lost race means that another caller moved the grant, and what it became is never undecided twice in a row.
const MAX_RACES = 8

/**
 * Exchanges a refresh token: the one path of `/token` and of the login API.
 *
 * @throws {OAuthError} `invalid_scope` or `invalid_target` for what the grant does not hold
 * @see [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)
 */
export async function refresh(deps: RefreshDeps, request: RefreshRequest): Promise<Refreshed> {
  const presented = parseRefreshToken(request.refresh_token, (id) => deps.vault.findRefreshTokenMacKey(id))
  if (presented === undefined) return refused('invalid')
  for (let race = 0; race < MAX_RACES; race++) {
    const context = await deps.store.findGrant(presented.grant_id)
    const answer = await attempt(deps, request, context, presented.generation)
    if (answer !== 'lost_race') return answer
  }
  throw new OAuthError('temporarily_unavailable', 'the grant is being changed, try again', { retry_after: 1 })
}

async function attempt(
  deps: RefreshDeps,
  request: RefreshRequest,
  context: GrantContext | undefined,
  generation: number,
): Promise<Refreshed | 'lost_race'> {
  // RFC 6749 §6: the refresh token is bound to the client to which it was issued.
  if (context === undefined || context.grant.client_id !== request.client.client_id) return refused('invalid')
  const { grant, account } = context
  const tell = (event: AuditEvent, detail?: Record<string, unknown>) => [
    auditRecord(deps, event, {
      account_id: grant.account_id,
      client_id: grant.client_id,
      grant_id: grant.grant_id,
      session_id: grant.session_id,
      caller: request.caller,
      detail: { generation, ...detail },
    }),
  ]
  const refuse = async (reason: RefreshRefusal, event: AuditEvent = 'refresh.refused') => {
    await deps.store.appendAudit(tell(event, { reason }))
    return refused(reason)
  }
  // RFC 9449 §5, RFC 8705 §4: a public client's refresh token is bound to the key that it was issued to.
  if (grant.cnf !== null && !confirms(request.confirmation, grant.cnf)) return refuse('invalid')
  const entitlement = mayIssue({ client: request.client, account, grant })
  if (typeof entitlement === 'string') return refuse(reasonOf(entitlement))
  const now = deps.clock.now()
  const expired = expiry(grant, now)
  if (expired !== undefined) return refuse(expired)
  const target = await resolveTarget(
    deps,
    { client: request.client, account: entitlement.account, granted: grant },
    request,
  )
  const policy = refreshPolicy(deps.config, request.client, target.access_token_seconds)
  const bound = isConfidential(request.client) || grant.cnf !== null
  const decision = decideRefresh({ presented: generation, grant, policy, bound, now })
  if (decision.outcome === 'refuse') {
    deps.log.warn({ grant_id: grant.grant_id, client_id: grant.client_id }, `refresh refused: ${decision.reason}`)
    return refuse(decision.reason, EVENTS[decision.reason])
  }
  if (decision.outcome === 'revoke') {
    const audit = tell('refresh.reused')
    await deps.store.revokeGrant(grant.grant_id, { because: 'refresh_token_reused', now }, audit)
    deps.log.warn({ grant_id: grant.grant_id, client_id: grant.client_id }, 'refresh token reused, grant revoked')
    return refused('refresh token reused')
  }
  const next = await carryOut(deps, decision, context, generation, now, tell)
  if (next === 'lost_race') return next
  const issued = await issueAccessToken(deps, entitlement, target, {
    now,
    confirmation: request.confirmation,
    not_after: next.access_token_not_after,
  })
  return {
    outcome: 'refreshed',
    ...issued,
    entitlement,
    target,
    refresh_token: formatRefreshToken({ ...next, grant_id: grant.grant_id }, deps.vault.refreshTokenMacKey),
    refresh_token_expires_in: next.idle_expires_at - now,
  }
}

/** What the client holds after a decision that grants: which generation, until when, and how long its access token may live. */
interface Next {
  readonly generation: number
  readonly idle_expires_at: Seconds
  readonly access_token_not_after: Seconds | undefined
}

/** Makes the decision true in the database; whoever gets there second has lost the race. */
async function carryOut(
  deps: RefreshDeps,
  decision: Exclude<RefreshDecision, { outcome: 'refuse' | 'revoke' }>,
  { grant }: GrantContext,
  generation: number,
  now: Seconds,
  tell: (event: AuditEvent) => AuditRecord[],
): Promise<Next | 'lost_race'> {
  const { grant_id } = grant
  switch (decision.outcome) {
    case 'rotate': {
      const { idle_expires_at } = decision
      const outcome = await deps.store.rotateRefreshToken(
        { grant_id, generation, now, idle_expires_at },
        tell('refresh.rotated'),
      )
      if (outcome === 'stale') return 'lost_race'
      return { generation: generation + 1, idle_expires_at, access_token_not_after: undefined }
    }
    case 'touch': {
      const { idle_expires_at } = decision
      const outcome = await deps.store.touchGrant(
        { grant_id, generation, now, idle_expires_at },
        tell('refresh.rotated'),
      )
      if (outcome === 'stale') return 'lost_race'
      return { generation, idle_expires_at, access_token_not_after: undefined }
    }
    case 'resend': {
      // Nothing moves, but the commit says that the grant still stood: a revocation acknowledged before it wins.
      const { idle_expires_at } = grant
      const outcome = await deps.store.touchGrant(
        { grant_id, generation: grant.generation, now, idle_expires_at },
        tell('refresh.resent'),
      )
      if (outcome === 'stale') return 'lost_race'
      return { generation: grant.generation, idle_expires_at, access_token_not_after: decision.access_token_not_after }
    }
    case 'resend_late': {
      const replay = { grant_id, generation: grant.generation, late_replay_generation: generation }
      const outcome = await deps.store.recordLateReplay(replay, tell('refresh.resent_late'))
      if (outcome === 'stale') return 'lost_race'
      return { generation: grant.generation, idle_expires_at: grant.idle_expires_at, access_token_not_after: undefined }
    }
  }
}

/** The lifetimes and the window of a client's refresh tokens: its own where it has them, else the configuration's. */
export function refreshPolicy(config: Deps['config'], client: Client, access_token_seconds: Seconds): RefreshPolicy {
  const profile = refreshTokenProfile(config.profile, client)
  const windows = {
    strict: 0,
    fixed: 0,
    standard: client.reuse_window_seconds ?? config.tokens.reuse_window_seconds,
    resilient: client.reuse_window_seconds ?? config.tokens.resilient_window_seconds,
  }
  return {
    profile,
    reuse_window_seconds: windows[profile],
    idle_seconds: client.refresh_token_idle_seconds ?? config.tokens.refresh_idle_seconds,
    access_token_seconds,
  }
}

function refused(reason: RefreshRefusal): Refusal {
  return { outcome: 'refused', reason }
}

function reasonOf(ineligible: Ineligible): RefreshRefusal {
  switch (ineligible) {
    case 'client_disabled':
      return 'client_disabled'
    case 'account_gone':
    case 'account_disabled':
      return 'account_disabled'
    case 'grant_revoked':
      return 'revoked'
    case 'grant_of_another':
      return 'invalid'
  }
}
