import type { Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Seconds } from '../protocol/time.ts'

/** The label under which the vault digests set-up handles. */
export const SETUP_LINK_LABEL = 'setup_link'

export const SETUP_LINK_SECONDS = 3600
const HANDLE_BYTES = 32

/**
 * Makes the link with which the first administrator sets up an account. It replaces an earlier one.
 *
 * @param actor who asked for it: an account, a client, `cli` or `system`
 * @returns the link, which is stored as a digest only and so is never shown again; or that it is too late for one
 */
export async function createSetupLink(
  deps: Pick<Deps, 'config' | 'store' | 'vault' | 'clock' | 'random'>,
  actor = 'system',
): Promise<{ readonly setup_url: string; readonly expires_at: Seconds } | 'administrator_exists'> {
  if (await deps.store.hasAdministrator()) return 'administrator_exists'
  const handle = `gth_su_${Buffer.from(deps.random.bytes(HANDLE_BYTES)).toString('base64url')}`
  const expires_at = deps.clock.now() + SETUP_LINK_SECONDS
  await deps.store.createOneTimeHandle(
    { digest: setupLinkDigest(deps, handle), purpose: 'setup_link', subject: null, expires_at },
    [auditRecord(deps, 'admin.setup_link_created', { actor })],
  )
  return { setup_url: `${deps.config.issuer}/setup?token=${handle}`, expires_at }
}

/** What is stored of a set-up link's token. */
export function setupLinkDigest(deps: Pick<Deps, 'vault'>, handle: string): string {
  return deps.vault.digest(SETUP_LINK_LABEL, handle)
}
