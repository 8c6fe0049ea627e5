import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import { subjectFor } from '../protocol/subject.ts'

/** The `sub` by which a client knows an account; see `protocol/subject.ts`. */
export function subjectOf(deps: Pick<Deps, 'vault'>, client: Client, account_id: string): string {
  return subjectFor(client, account_id, (label, value) => deps.vault.digest(label, value))
}
