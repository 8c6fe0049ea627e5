import { hash } from 'node:crypto'
import type { Claims } from './claims.ts'
import type { Grant } from './grant.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from './resource.ts'
import type { Seconds } from './time.ts'

/**
 * The media type in the header: of an ID token, and of nothing else that holds its claims. An access token says `at+jwt`.
 *
 * @see [RFC 8725 §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11) use explicit typing
 */
export const ID_TOKEN_TYP = 'JWT'

/** @see [OpenID Connect Core 1.0 §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken) */
export interface IdTokenClaims {
  readonly iss: string
  readonly sub: string
  /** The client alone: so there is no `azp` either (§2). */
  readonly aud: string
  readonly exp: Seconds
  readonly iat: Seconds
  readonly auth_time: Seconds
  readonly nonce?: string
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly sid: string
  readonly at_hash: string
  readonly [claim: string]: unknown
}

/** @param issued.nonce of the authorization request; null: none, or a refresh, whose ID token has none (§12.2) */
export function idTokenClaims(
  grant: Pick<Grant, 'client_id' | 'session_id' | 'auth_time' | 'acr' | 'amr'>,
  issued: {
    readonly iss: string
    readonly sub: string
    readonly nonce: string | null
    readonly access_token: string
    readonly alg: SigningAlgorithm
    readonly now: Seconds
    readonly lifetime_seconds: Seconds
    /** Of the account, asked for by name. */
    readonly claims: Claims
  },
): IdTokenClaims {
  const { iss, sub, nonce, access_token, alg, now } = issued
  return {
    ...issued.claims,
    iss,
    sub,
    aud: grant.client_id,
    iat: now,
    exp: now + issued.lifetime_seconds,
    auth_time: grant.auth_time,
    ...(nonce === null ? {} : { nonce }),
    ...(grant.acr === null ? {} : { acr: grant.acr }),
    ...(grant.amr.length === 0 ? {} : { amr: grant.amr }),
    sid: grant.session_id,
    at_hash: accessTokenHash(access_token, alg),
  }
}

/**
 * The left half of the hash of an access token.
 *
 * @param alg of the ID token: its hash is the one. Ed25519 hashes with SHA-512.
 * @see [OpenID Connect Core 1.0 §3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken) `at_hash`
 */
export function accessTokenHash(access_token: string, alg: SigningAlgorithm): string {
  const digest = hash(alg === 'EdDSA' ? 'sha512' : 'sha256', access_token, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

type Profile = 'oauth21' | 'fapi2'

/**
 * The algorithms that answers to clients are signed with. Under FAPI 2.0 RS256 is none of them.
 *
 * @see [FAPI 2.0 Security Profile §5.4.1](https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.4.1)
 */
export function responseAlgorithms(profile: Profile): readonly SigningAlgorithm[] {
  return profile === 'fapi2' ? SIGNING_ALGORITHMS.filter((alg) => alg !== 'RS256') : SIGNING_ALGORITHMS
}

/**
 * How an answer to a client is signed: as it is registered, else RS256, or PS256 under FAPI 2.0.
 *
 * @see [OpenID Connect Registration 1.0 §2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata)
 */
export function responseAlgorithm(registered: SigningAlgorithm | undefined, profile: Profile): SigningAlgorithm {
  if (registered !== undefined && responseAlgorithms(profile).includes(registered)) return registered
  return profile === 'fapi2' ? 'PS256' : 'RS256'
}
