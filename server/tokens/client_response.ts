import { CompactEncrypt } from 'jose'
import type { Deps } from '../deps.ts'
import type { Client, ContentEncryption, EncryptionAlgorithm } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { SigningAlgorithm } from '../protocol/resource.ts'
import { ClientKeyError, clientEncryptionKey } from './client_keys.ts'

export type ClientResponseDeps = Pick<Deps, 'keys' | 'remoteKeys'>

/** How a client wants an answer: its metadata's `…_signed_response_alg`, `…_encrypted_response_alg` and `…_enc`. */
interface ResponseForm {
  readonly encrypted_response_alg: EncryptionAlgorithm | undefined
  /** Left out: A128CBC-HS256 (OpenID Connect Registration 1.0 §2). */
  readonly encrypted_response_enc: ContentEncryption | undefined
}

/**
 * An answer to a client as a JWT: signed, and when its registration asks for it, encrypted around the signature.
 *
 * @throws {OAuthError} `invalid_request` when the client's keys are of no use
 * @see [RFC 7519 §11.2](https://www.rfc-editor.org/rfc/rfc7519#section-11.2) signed, then encrypted
 */
export async function signForClient(
  deps: ClientResponseDeps,
  client: Client,
  response: ResponseForm & {
    readonly typ: string
    readonly payload: object
    readonly signed_response_alg: SigningAlgorithm
  },
): Promise<string> {
  const { typ, payload, signed_response_alg } = response
  const jws = await deps.keys.sign(signed_response_alg, typ, payload)
  return response.encrypted_response_alg === undefined ? jws : encryptForClient(deps, client, jws, response, 'JWT')
}

/**
 * An answer that is encrypted to a client.
 *
 * @param plaintext a signed JWT, or claims that were to be encrypted only
 * @param cty `JWT` for the former (RFC 7519 §5.2)
 */
export async function encryptForClient(
  deps: ClientResponseDeps,
  client: Client,
  plaintext: string,
  { encrypted_response_alg, encrypted_response_enc = 'A128CBC-HS256' }: ResponseForm,
  cty?: 'JWT',
): Promise<string> {
  if (encrypted_response_alg === undefined) throw new Error('the client asks for no encryption')
  const { key, kid } = await encryptionKey(deps, client, encrypted_response_alg)
  const encrypt = new CompactEncrypt(Buffer.from(plaintext)).setProtectedHeader({
    alg: encrypted_response_alg,
    enc: encrypted_response_enc,
    ...(kid === undefined ? {} : { kid }),
    ...(cty === undefined ? {} : { cty }),
  })
  // A key may have every member that its kind has and be none all the same: a point off its curve, a modulus too short.
  return encrypt.encrypt(key).catch((cause: unknown) => {
    throw unusable(cause)
  })
}

async function encryptionKey(deps: ClientResponseDeps, client: Client, alg: EncryptionAlgorithm) {
  try {
    return await clientEncryptionKey(deps, client, alg)
  } catch (cause) {
    if (!(cause instanceof ClientKeyError)) throw cause
    throw unusable(cause)
  }
}

function unusable(cause: unknown): OAuthError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new OAuthError('invalid_request', "none of the client's keys can be encrypted to", { cause, detail })
}
