import { constants, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { SigningAlgorithm } from '../server/protocol/resource.ts'
import type { SigningKeyRecord } from '../server/storage/records.ts'
import { type PublicJwk, publicJwk } from './generate.ts'
import { signingKeyPlace, type Vault } from './vault.ts'
import { VaultError } from './vault_error.ts'

/** A key of the keyring in memory. */
export interface LoadedKey {
  readonly alg: SigningAlgorithm
  readonly jwk: PublicJwk
  /** The public key, also as SPKI in PEM. */
  readonly key: KeyObject
  readonly pem: string
  /** @returns a JWS in compact serialisation; the signature is made on the thread pool. */
  sign(typ: string, payload: object): Promise<string>
}

const SMALLEST_RSA_BITS = 2048

/**
 * Opens a stored key. What is published is derived from the private key, never taken from the database: who can write
 * there still cannot have us publish a key of theirs.
 *
 * @throws {VaultError} when the record does not hold the key that it claims
 */
export async function loadSigningKey(record: SigningKeyRecord, vault: Vault): Promise<LoadedKey> {
  const { alg, kid } = record
  const pkcs8 = Buffer.from(vault.open(signingKeyPlace(kid), record.private_key_sealed))
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  pkcs8.fill(0)
  assertFits(kid, alg, privateKey)
  const jwk = await publicJwk(alg, privateKey)
  if (jwk.kid !== kid) throw new VaultError(`Signing key ${kid} is another key than its id says. Restore the database.`)
  const key = createPublicKey(privateKey)
  const pem = key.export({ type: 'spki', format: 'pem' }).toString()
  return { alg, jwk, key, pem, sign: makeSigner(alg, kid, privateKey) }
}

/**
 * @see [RFC 7518 §3.3 to §3.5](https://www.rfc-editor.org/rfc/rfc7518#section-3.3) RS256, ES256, PS256
 * @see [RFC 8037 §3.1](https://www.rfc-editor.org/rfc/rfc8037#section-3.1) EdDSA with Ed25519
 */
function assertFits(kid: string, alg: SigningAlgorithm, key: KeyObject): void {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  const fits = {
    RS256: key.asymmetricKeyType === 'rsa',
    PS256: key.asymmetricKeyType === 'rsa',
    ES256: key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1',
    EdDSA: key.asymmetricKeyType === 'ed25519',
  }
  if (!fits[alg]) throw new VaultError(`Signing key ${kid} is not a key for ${alg}. Restore the database.`)
  // RFC 7518 §3.3: a key of size 2048 bits or larger MUST be used.
  if (key.asymmetricKeyType === 'rsa' && modulusLength < SMALLEST_RSA_BITS) {
    throw new VaultError(
      `Signing key ${kid} has ${modulusLength} bits; an RSA key needs at least ${SMALLEST_RSA_BITS}. Delete it from signing_keys: a stronger one is made on the next start.`,
    )
  }
}

/** @see [RFC 7515 §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1) JWS Compact Serialization */
function makeSigner(alg: SigningAlgorithm, kid: string, key: KeyObject) {
  // RFC 7518 §3.4: R and S side by side, not in DER.
  const input = {
    key,
    dsaEncoding: 'ieee-p1363',
    // RFC 7518 §3.5: the salt has the size of the hash.
    ...(alg === 'PS256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {}),
  } as const
  // RFC 8032 §5.1: Ed25519 hashes by itself.
  const digest = alg === 'EdDSA' ? null : 'sha256'
  const headers = new Map<string, string>()
  return (typ: string, payload: object) => {
    let header = headers.get(typ)
    if (header === undefined) {
      header = Buffer.from(JSON.stringify({ alg, typ, kid })).toString('base64url')
      headers.set(typ, header)
    }
    const signing_input = `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
    return new Promise<string>((resolve, reject) => {
      sign(digest, Buffer.from(signing_input, 'latin1'), input, (error, signature) => {
        if (error === null) resolve(`${signing_input}.${signature.toString('base64url')}`)
        else reject(error)
      })
    })
  }
}
