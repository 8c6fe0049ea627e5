import { errors, jwtVerify } from 'jose'
import type { Deps } from '../deps.ts'
import { ACCESS_TOKEN_TYP, type AccessTokenClaims, type ExchangedToken } from '../protocol/access_token.ts'
import type { Account } from '../protocol/account.ts'
import type { Client } from '../protocol/client.ts'
import { type Grant, mayIssue } from '../protocol/grant.ts'

// RFC 8725 §3.11 in spirit: what is longer was never made here, and is not worth a parse.
const MAX_CHARACTERS = 8192
const REQUIRED_CLAIMS = ['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti', 'token_type']

export type VerifyDeps = Pick<Deps, 'config' | 'keys' | 'clock' | 'store'>

export type VerifiedAccessToken =
  | { readonly outcome: 'valid'; readonly claims: AccessTokenClaims }
  | { readonly outcome: 'expired' }
  /** Ours and well signed, but of another kind: an ID token, a logout token. */
  | { readonly outcome: 'wrong_type' }
  | { readonly outcome: 'invalid' }

/**
 * Reads an access token of our own. Whether it has been revoked since is another question: {@link isLive}.
 *
 * @see [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4)
 */
export async function verifyAccessToken(deps: VerifyDeps, token: string): Promise<VerifiedAccessToken> {
  if (token.length > MAX_CHARACTERS) return { outcome: 'invalid' }
  try {
    const { payload, protectedHeader } = await jwtVerify<AccessTokenClaims>(
      token,
      ({ kid, alg }) => {
        const found = kid === undefined ? undefined : deps.keys.verificationKey(kid)
        // RFC 8725 §3.1: the algorithm belongs to the key; what the token claims must agree with it.
        if (found === undefined || found.alg !== alg) throw new errors.JWKSNoMatchingKey()
        return found.key
      },
      {
        issuer: deps.config.issuer,
        requiredClaims: REQUIRED_CLAIMS,
        currentDate: new Date(deps.clock.now() * 1000),
      },
    )
    const { typ } = protectedHeader
    if (payload.token_type !== 'access') return { outcome: 'wrong_type' }
    if (typ !== ACCESS_TOKEN_TYP && !(await isTypedBy(deps, typ, payload))) return { outcome: 'wrong_type' }
    return { outcome: 'valid', claims: payload }
  } catch (error) {
    return { outcome: error instanceof errors.JWTExpired ? 'expired' : 'invalid' }
  }
}

/** RFC 8725 §3.11: another `typ` is that of an access token only where every resource of its audience wants that one. */
async function isTypedBy(
  { store }: Pick<Deps, 'store'>,
  typ: string | undefined,
  { aud }: AccessTokenClaims,
): Promise<boolean> {
  const audience = typeof aud === 'string' ? [aud] : [...aud]
  const resources = await store.findResources(audience)
  return resources.length === audience.length && resources.every(({ token_typ }) => token_typ === typ)
}

/** Who is behind an access token that stands: a person with their grant, or a client that speaks for itself. */
export type Standing = {
  /** The one that the token was issued to. */
  readonly client: Client
} & (
  | {
      readonly account: Account | null
      readonly grant: Grant
      /** The one that the grant was made for: another one, where the token was exchanged. */
      readonly grant_client: Client
    }
  | { readonly account: null; readonly grant: null; readonly grant_client: null }
)

/**
 * Whether a verified access token still stands: not revoked itself, and nothing that it hangs on has ended.
 *
 * @returns undefined: it does not
 */
export async function standingOf(
  deps: Pick<Deps, 'store'>,
  { jti, client_id, grant_id, exchanged_from = [] }: AccessTokenClaims,
): Promise<Standing | undefined> {
  if (await deps.store.isAccessTokenRevoked(jti)) return undefined
  for (const link of exchanged_from) if (!(await isLinkIntact(deps, link))) return undefined
  if (grant_id === undefined) {
    const client = await deps.store.findClient(client_id)
    return client === undefined || client.disabled_at !== null
      ? undefined
      : { client, account: null, grant: null, grant_client: null }
  }
  const context = await deps.store.findGrant(grant_id)
  if (context?.client === undefined) return undefined
  const { grant, account, client: grant_client } = context
  // RFC 8693: an exchanged token hangs on the grant of another client, and both have to be in order.
  const client = client_id === grant.client_id ? grant_client : await deps.store.findClient(client_id)
  if (client === undefined) return undefined
  const entitlement = mayIssue({ client, account, grant, grant_client })
  return typeof entitlement === 'string' ? undefined : { client, account: entitlement.account, grant, grant_client }
}

/** RFC 8693: who revokes a token, or disables who had it, means what was made of it as well. */
async function isLinkIntact({ store }: Pick<Deps, 'store'>, { jti, client_id }: ExchangedToken): Promise<boolean> {
  if (await store.isAccessTokenRevoked(jti)) return false
  return (await store.findClient(client_id))?.disabled_at === null
}

/** Whether a verified access token still stands. */
export async function isLive(deps: Pick<Deps, 'store'>, claims: AccessTokenClaims): Promise<boolean> {
  return (await standingOf(deps, claims)) !== undefined
}
