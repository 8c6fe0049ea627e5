import { calculateJwkThumbprint } from 'jose'
import type { Deps } from '../deps.ts'
import type { ClientCertificate } from '../protocol/client_certificate.ts'
import { readUnverifiedJwt, rememberedUntil } from '../protocol/client_jwt.ts'
import type { Confirmation } from '../protocol/confirmation.ts'
import { isDpopNonce, type ProofRules, readProof } from '../protocol/dpop.ts'
import { OAuthError } from '../protocol/errors.ts'
import { clientSigningAlgorithms } from '../protocol/profile.ts'
import { ClientJwtError, verifySignature } from './client_jwt.ts'

export type ConfirmationDeps = Pick<Deps, 'config' | 'store' | 'vault' | 'clock'>

/** What a request shows of the keys that its sender holds. */
export interface ShownKeys {
  readonly method: string
  /** The address of the endpoint as clients know it. */
  readonly htu: string
  /** The `DPoP` header. */
  readonly dpop: string | readonly string[] | undefined
  /** Left out where a certificate is not to count. */
  readonly certificate?: ClientCertificate | undefined
}

/**
 * The key that the sender of a request has shown to hold: the DPoP proof's, else the certificate's. A proof is good once.
 *
 * @param shown.access_token at a protected resource: the token that the proof has to name
 * @throws {OAuthError} `invalid_dpop_proof`, `use_dpop_nonce`
 * @see [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)
 */
export async function shownConfirmation(
  deps: ConfirmationDeps,
  shown: ShownKeys,
  { access_token }: { readonly access_token?: string } = {},
): Promise<Confirmation | undefined> {
  const { dpop, certificate, method, htu } = shown
  if (dpop === undefined) return certificate && { 'x5t#S256': certificate.x5t_s256 }
  // RFC 9449 §4.3: there is not more than one DPoP HTTP request header field.
  if (typeof dpop !== 'string' || dpop.includes(',')) throw invalid('more than one DPoP header')
  return { jkt: await verifyProof(deps, dpop, { method, htu, access_token }) }
}

/** The algorithms that a proof may be signed with. */
export function proofAlgorithms(config: Deps['config']): readonly string[] {
  return clientSigningAlgorithms(config.profile)
}

async function verifyProof(
  deps: ConfirmationDeps,
  dpop: string,
  request: Pick<ProofRules, 'method' | 'htu' | 'access_token'>,
): Promise<string> {
  const { config, clock, vault, store } = deps
  const now = clock.now()
  const jwt = readUnverifiedJwt(dpop)
  if (jwt === undefined) throw invalid('not a JWT, or too long')
  const { proof_seconds } = config.dpop
  const proof = readProof(jwt, { ...request, algorithms: proofAlgorithms(config), proof_seconds }, now)
  if (typeof proof === 'string') throw invalid(proof)
  const jkt = await verifySignature(dpop, proof.jwk).then(
    () => calculateJwkThumbprint(proof.jwk),
    (cause: unknown) => {
      throw cause instanceof ClientJwtError ? invalid(cause.message) : cause
    },
  )
  const digest = (label: string, value: string) => vault.digest(label, value)
  if (config.dpop.nonce && !isDpopNonce(proof.nonce, digest, now)) {
    throw new OAuthError('use_dpop_nonce', 'the DPoP proof needs the nonce of this response')
  }
  // RFC 9449 §11.1: each proof is good once, for as long as it could be shown again.
  const expires_at = rememberedUntil(proof.iat + proof_seconds, now)
  const outcome = await store.claimOnce(vault.digest('dpop_jti', `${jkt} ${proof.jti}`), expires_at, now)
  if (outcome === 'used') throw invalid('the jti was used before')
  return jkt
}

function invalid(detail: string): OAuthError {
  return new OAuthError('invalid_dpop_proof', 'the DPoP proof is invalid', { detail })
}
