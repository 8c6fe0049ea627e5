import type { Seconds } from './time.ts'

/** What an account has allowed a client to ask for. Withdrawing it revokes the grants that rest on it. */
export interface Consent {
  readonly account_id: string
  readonly client_id: string
  readonly scope: string
  readonly resources: readonly string[]
  /** Hosts (or schemes, or paths of a loopback address) that answers went to: a new one is asked about. */
  readonly redirect_hosts: readonly string[]
  /** Names of claims asked for one by one. */
  readonly claims: readonly string[]
  readonly granted_at: Seconds
  readonly updated_at: Seconds
}
