import type { Client } from './client.ts'

/** The label under which the vault's key makes pairwise subjects. */
export const PAIRWISE_SUBJECT_LABEL = 'pairwise_subject'

/** What a pairwise subject is computed with: a keyed hash of the vault's, base64url. */
export type SubjectDigest = (label: string, value: string) => string

/**
 * Whose eyes are the same: clients of one sector see the same pairwise subject.
 *
 * @returns a host; the client itself where its registration names none (a device, whose requests go nowhere)
 * @see [OpenID Connect Core 1.0 §8.1](https://openid.net/specs/openid-connect-core-1_0.html#PairwiseAlg)
 */
export function sectorOf(client: Pick<Client, 'client_id' | 'sector_identifier_uri' | 'redirect_uris'>): string {
  const from = client.sector_identifier_uri ?? client.redirect_uris[0]
  const host = from !== undefined && URL.canParse(from) ? new URL(from).hostname : ''
  return host === '' ? client.client_id : host
}

/**
 * The `sub` by which a client knows an account: the same in its ID tokens, access tokens, UserInfo and logout tokens.
 *
 * @param digest keyed, so that nobody who knows the accounts can compute whose subject it is
 * @see [OpenID Connect Core 1.0 §8](https://openid.net/specs/openid-connect-core-1_0.html#SubjectIDTypes)
 */
export function subjectFor(client: Client, account_id: string, digest: SubjectDigest): string {
  if (client.subject_type !== 'pairwise') return account_id
  return digest(PAIRWISE_SUBJECT_LABEL, `${sectorOf(client)}\0${account_id}`)
}
