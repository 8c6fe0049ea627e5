/**
 * An ID token of ours that comes back: a client says by it whom, or which session, it is about.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest) `id_token_hint`
 * @see [RP-Initiated Logout 1.0 §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)
 */
import { compactVerify, errors } from 'jose'
import type { Deps } from '../deps.ts'
import { ID_TOKEN_TYP } from '../protocol/id_token.ts'

export interface IdTokenHint {
  /** The client that it was issued to. */
  readonly client_id: string
  readonly sub: string
  /** undefined: it names no session. */
  readonly sid: string | undefined
}

const MAX_CHARACTERS = 8192

/**
 * Verifies a hint. An expired one still says whom it is about; so may one whose session has ended.
 *
 * @returns undefined: not an ID token of this server, or signed with a key that is gone
 */
export async function verifyIdTokenHint(
  deps: Pick<Deps, 'config' | 'keys'>,
  token: string,
): Promise<IdTokenHint | undefined> {
  if (token.length > MAX_CHARACTERS) return undefined
  try {
    const { payload, protectedHeader } = await compactVerify(token, ({ kid, alg }) => {
      const found = kid === undefined ? undefined : deps.keys.verificationKey(kid)
      // RFC 8725 §3.1: the algorithm belongs to the key; what the token claims must agree with it.
      if (found === undefined || found.alg !== alg) throw new errors.JWKSNoMatchingKey()
      return found.key
    })
    // RFC 8725 §3.11: an access token or a logout token of ours is well signed, and of another type.
    if (protectedHeader.typ !== ID_TOKEN_TYP) return undefined
    return hintOf(JSON.parse(new TextDecoder().decode(payload)), deps.config.issuer)
  } catch {
    return undefined
  }
}

/** The claims that no other JWT of ours with this `typ` has together: answers (JARM) lack `sub`, UserInfo lacks `exp`. */
function hintOf(claims: Readonly<Record<string, unknown>>, issuer: string): IdTokenHint | undefined {
  const { iss, sub, aud, azp, exp, iat, sid } = claims
  if (iss !== issuer || typeof sub !== 'string' || typeof exp !== 'number' || typeof iat !== 'number') return undefined
  const client_id = azp ?? (Array.isArray(aud) ? aud[0] : aud)
  if (typeof client_id !== 'string') return undefined
  return { client_id, sub, sid: typeof sid === 'string' ? sid : undefined }
}
