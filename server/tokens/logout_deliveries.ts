/**
 * Tells clients, behind people's backs and for as long as it takes, that a session has ended. What is to be told is in
 * the database, so that neither a receiver that is down nor a node that dies makes anybody miss it.
 *
 * @see [OpenID Connect Back-Channel Logout 1.0](https://openid.net/specs/openid-connect-backchannel-1_0.html)
 */
import type { Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import { responseAlgorithm } from '../protocol/id_token.ts'
import {
  LOGOUT_TOKEN_TYP,
  type LogoutAttempt,
  type LogoutDelivery,
  logoutTokenClaims,
  settleAttempt,
} from '../protocol/logout.ts'
import { randomId } from '../protocol/random_id.ts'
import { subjectOf } from './subject.ts'

type LogoutDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'vault' | 'clock' | 'random' | 'outbound' | 'log'>

export interface LogoutDeliveries {
  /** Begins with what is due, as much as there is room for; attempts go on after it returns. */
  run(): Promise<void>
  /** Begins nothing more. @returns after the attempts under way */
  finish(): Promise<void>
}

const MOST_AT_ONCE = 32
/** An attempt has long ended by then, unless its process died in it. */
const CLAIM_SPARE_SECONDS = 30
const MOST_ERROR_CHARACTERS = 200

/** Delivers on one node. Any number of nodes may: each delivery is claimed by one of them at a time. */
export function createLogoutDeliveries(deps: LogoutDeps): LogoutDeliveries {
  const { store, clock, config, log } = deps
  const under_way = new Set<Promise<void>>()
  let finishing = false

  const begin = (delivery: LogoutDelivery) => {
    const { client_id, session_id } = delivery
    const attempt = deliver(deps, delivery)
      .catch((err: unknown) => log.error({ err, client_id, session_id }, 'a logout delivery could not be settled'))
      .finally(() => under_way.delete(attempt))
    under_way.add(attempt)
  }

  return {
    async run() {
      while (!finishing) {
        const room = MOST_AT_ONCE - under_way.size
        if (room === 0) return
        const now = clock.now()
        const again_at = now + config.outbound.timeout_seconds + CLAIM_SPARE_SECONDS
        const due = await store.claimLogoutDeliveries(now, again_at, room)
        for (const delivery of due) begin(delivery)
        if (due.length < room) return
        // A long queue moves on as receivers answer; one that does not answer takes up its own place only.
        await Promise.race(under_way)
      }
    },
    async finish() {
      finishing = true
      await Promise.all(under_way)
    },
  }
}

async function deliver(deps: LogoutDeps, delivery: LogoutDelivery): Promise<void> {
  const attempt = await tell(deps, delivery)
  const settlement = settleAttempt(delivery, attempt, deps.clock.now())
  const { client_id, session_id, account_id, attempts } = delivery
  const { delivered_at, failed_at, last_error } = settlement
  const told = { attempts, ...(last_error === null ? {} : { last_error }) }
  const fields = { actor: 'system', client_id, session_id, account_id, detail: told }
  const event = delivered_at === null ? 'logout.undeliverable' : 'logout.delivered'
  const settled = delivered_at !== null || failed_at !== null
  await deps.store.settleLogoutDelivery(settlement, settled ? [auditRecord(deps, event, fields)] : [])
  if (delivered_at !== null) return
  deps.log.warn({ client_id, session_id, ...told }, 'a client could not be told of a logout')
}

/** One attempt. What keeps it from being made counts as one, too. */
async function tell(deps: LogoutDeps, { client_id, session_id, account_id }: LogoutDelivery): Promise<LogoutAttempt> {
  const client = await deps.store.findClient(client_id)
  if (client === undefined) return { outcome: 'moot', error: 'the client has been deleted' }
  const { backchannel_logout_uri } = client
  if (backchannel_logout_uri === undefined) return { outcome: 'moot', error: 'no backchannel_logout_uri' }
  const claims = logoutTokenClaims({
    iss: deps.config.issuer,
    client_id,
    sub: subjectOf(deps, client, account_id),
    session_id,
    jti: randomId(deps.random),
    now: deps.clock.now(),
  })
  try {
    // §2.4: signed as this client's ID tokens are.
    const alg = responseAlgorithm(client.id_token_signed_response_alg, deps.config.profile)
    const logout_token = await deps.keys.sign(alg, LOGOUT_TOKEN_TYP, claims)
    await deps.outbound.postForm(backchannel_logout_uri, { logout_token })
    return { outcome: 'delivered' }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { outcome: 'failed', error: message.slice(0, MOST_ERROR_CHARACTERS) }
  }
}
