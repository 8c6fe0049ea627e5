import { timingSafeEqual } from 'node:crypto'
import type { Client } from '../protocol/client.ts'
import type { ClientAuthDeps } from './client_auth.ts'

/** The label under which the vault digests client secrets. */
export const CLIENT_SECRET_LABEL = 'client_secret'

/** @param secrets spellings of one, of which any may match. @returns why a client's secret is none of them */
export async function secretRefusal(
  { vault }: Pick<ClientAuthDeps, 'vault'>,
  { client_secret_digest: stored }: Client,
  secrets: readonly string[],
): Promise<string | undefined> {
  const matches = (secret: string) => stored !== null && equal(vault.digest(CLIENT_SECRET_LABEL, secret), stored)
  return secrets.some(matches) ? undefined : 'wrong secret'
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
