import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'

/** What looking up a client needs: whoever narrows Deps names this type, so that it may grow. */
export type FindClientDeps = Pick<Deps, 'config' | 'store' | 'clock'>

/** The client that a request names. @returns undefined when there is none */
export async function findClient(deps: FindClientDeps, client_id: string): Promise<Client | undefined> {
  return await deps.store.findClient(client_id)
}
