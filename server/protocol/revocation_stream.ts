/**
 * The stream of revocations: server-sent events for resource servers that want to know at once.
 *
 * @see [HTML: server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)
 */
import { readsEverything } from './administration.ts'
import { type Client, isConfidential } from './client.ts'
import type { Resource } from './resource.ts'
import { statusClaim } from './status_list.ts'
import type { Seconds } from './time.ts'

/** Who has missed more than so much reads the status lists instead. */
export const MOST_MISSED = 5000

/** Whether a client may hear of revocations: resource servers may, and who may read everything anyway. */
export function mayListen(client: Client, resources: readonly Resource[]): boolean {
  if (!isConfidential(client)) return false
  if (readsEverything(client)) return true
  return resources.some(
    ({ resource, introspection_clients }) =>
      client.client_id === resource || introspection_clients.includes(client.client_id),
  )
}

/** The event of a grant. Its `id` is the instant that to go on from. */
export function grantEvent(issuer: string, revoked_at: Seconds, status_index: number): string {
  return event(revoked_at, 'revocation', statusClaim(issuer, status_index))
}

/** The event of one access token, and of what it has been exchanged for. */
export function accessTokenEvent(revoked_at: Seconds, jti: string, exp: Seconds): string {
  return event(revoked_at, 'revocation', { jti, exp })
}

/** What came before is not told again: the lists say it. */
export function resetEvent(now: Seconds): string {
  return event(now, 'reset', {})
}

export const HEARTBEAT = ':\n\n'

function event(id: Seconds, name: string, data: object): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** @returns from when on events were missed; undefined: that is no id of ours, or lies ahead */
export function parseEventId(id: string, now: Seconds): Seconds | undefined {
  if (!/^\d{1,12}$/.test(id)) return undefined
  return Number(id) > now ? undefined : Number(id)
}
