/** Keys of clients, and what clients sign with them. */
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { ClientJwk } from '../../server/protocol/client.ts'

export interface ClientKey {
  readonly alg: string
  readonly private_key: CryptoKey
  /** With its kid, which is its thumbprint. */
  readonly public_jwk: ClientJwk & JWK
  readonly jkt: string
}

export async function clientKey(alg = 'ES256'): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const exported = await exportJWK(publicKey)
  const jkt = await calculateJwkThumbprint(exported)
  return { alg, private_key: privateKey, public_jwk: { ...exported, kty: exported.kty ?? '', kid: jkt }, jkt }
}

type Members = Readonly<Record<string, unknown>>

/** Signs claims; members that are undefined are left out. */
export function signAs(key: ClientKey, claims: Members, header: Members = {}): Promise<string> {
  const described = { alg: key.alg, kid: key.jkt, ...header }
  return new SignJWT({ ...claims }).setProtectedHeader(described).sign(key.private_key)
}

let made = 0

/** A client's assertion (RFC 7523 §3), right unless `claims` or `header` say otherwise. */
export function assertion(
  key: ClientKey,
  about: { client_id: string; audience: string; now: number },
  claims: Members = {},
  header: Members = {},
): Promise<string> {
  const { client_id, audience, now } = about
  const jti = `assertion-${made++}`
  const right = { iss: client_id, sub: client_id, aud: audience, iat: now, exp: now + 60, jti }
  return signAs(key, { ...right, ...claims }, header)
}

/** A DPoP proof (RFC 9449 §4.2), right unless `claims` or `header` say otherwise. */
export function dpopProof(
  key: ClientKey,
  about: { htm?: string; htu: string; now: number },
  claims: Members = {},
  header: Members = {},
): Promise<string> {
  const { htm = 'POST', htu, now } = about
  const { kid: _, ...jwk } = key.public_jwk
  const right = { htm, htu, iat: now, jti: `proof-${made++}` }
  return signAs(key, { ...right, ...claims }, { typ: 'dpop+jwt', kid: undefined, jwk, ...header })
}
