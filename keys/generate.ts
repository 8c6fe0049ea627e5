import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SigningAlgorithm } from '../server/protocol/resource.ts'
import { signingKeyPlace, type Vault } from './vault.ts'

/** A public key as the JWK Set shows it. */
export interface PublicJwk extends JWK {
  readonly kid: string
  readonly kty: string
  readonly use: 'sig'
  readonly alg: SigningAlgorithm
}

/** What a `SigningKeyRecord` is made of before it has a place in the keyring. */
export interface SigningKeyMaterial {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly public_jwk: string
  readonly private_key_sealed: string
}

const generate = promisify(generateKeyPair)

/** A new key pair, made on the thread pool, its private half (PKCS #8) sealed by the vault. */
export async function generateSigningKey(alg: SigningAlgorithm, vault: Vault): Promise<SigningKeyMaterial> {
  const privateKey = await generatePrivateKey(alg)
  const jwk = await publicJwk(alg, privateKey)
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const private_key_sealed = vault.seal(signingKeyPlace(jwk.kid), pkcs8)
  return { kid: jwk.kid, alg, public_jwk: JSON.stringify(jwk), private_key_sealed }
}

/**
 * The public half of a private key.
 *
 * @see [RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4) the members
 * @see [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638) `kid` is the key's thumbprint
 */
export async function publicJwk(alg: SigningAlgorithm, privateKey: KeyObject): Promise<PublicJwk> {
  const { kty = '', ...members } = createPublicKey(privateKey).export({ format: 'jwk' })
  const kid = await calculateJwkThumbprint({ kty, ...members })
  const named = { kid, kty, use: 'sig', alg } as const
  return { ...named, ...members, ...named }
}

async function generatePrivateKey(alg: SigningAlgorithm): Promise<KeyObject> {
  switch (alg) {
    case 'RS256':
    case 'PS256':
      return (await generate('rsa', { modulusLength: 2048 })).privateKey
    case 'ES256':
      return (await generate('ec', { namedCurve: 'P-256' })).privateKey
    case 'EdDSA':
      return (await generate('ed25519', {})).privateKey
  }
}
