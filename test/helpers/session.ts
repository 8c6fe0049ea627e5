/** Sessions without anybody signing in: straight into a server's database. */
import type { Deps } from '../../server/deps.ts'
import { randomId } from '../../server/protocol/random_id.ts'
import type { Session } from '../../server/protocol/session.ts'
import { makeSession } from './interaction.ts'

type SeedDeps = Pick<Deps, 'store' | 'clock' | 'random' | 'vault' | 'config'>

/** @returns the session, and what its browser's cookie would hold */
export async function seedSession(
  deps: SeedDeps,
  changes: Partial<Session> & { account_id: string },
): Promise<{ session: Session; handle: string }> {
  const now = deps.clock.now()
  const handle = Buffer.from(deps.random.bytes(32)).toString('base64url')
  const session = makeSession({
    session_id: randomId(deps.random),
    handle_digest: deps.vault.digest('session', handle),
    auth_time: now,
    created_at: now,
    last_seen_at: now,
    idle_expires_at: now + deps.config.sessions.idle_seconds,
    absolute_expires_at: now + deps.config.sessions.absolute_seconds,
    ...changes,
  })
  const outcome = await deps.store.startSession(session, { replaces: null, give_back: [], interaction_id: null }, [])
  if (outcome !== 'started') throw new Error(outcome)
  return { session, handle }
}

/** The session has signed its account in to a client. */
export async function seedSessionClient(deps: SeedDeps, session: Session, client_id: string): Promise<void> {
  const now = deps.clock.now()
  const { session_id, account_id, auth_time, amr, acr } = session
  const code = {
    code_digest: randomId(deps.random),
    grant_id: randomId(deps.random),
    client_id,
    account_id,
    session_id,
    redirect_uri: 'https://app.example/callback',
    redirect_uri_sent: true,
    code_challenge: null,
    dpop_jkt: null,
    nonce: null,
    scope: 'openid',
    resources: [],
    claims: null,
    authorization_details: [],
    auth_time,
    amr,
    acr,
    expires_at: now + 60,
    claimed_at: null,
  }
  const outcome = await deps.store.createAuthorizationCode(code, null, now, [])
  if (outcome !== 'created') throw new Error(outcome)
}
