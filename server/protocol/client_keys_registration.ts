/**
 * The keys that a client registers, and what needs them.
 *
 * @see [RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4)
 * @see [RFC 8725 §3.5](https://www.rfc-editor.org/rfc/rfc8725#section-3.5)
 */
import type { ClientJwk, ClientMetadata, EncryptionAlgorithm } from './client.ts'
import type { RegistrationProblem } from './client_registration.ts'

/** RFC 7518 §6.2.2, §6.3.2, §6.4: what only the owner of a key has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
/** Which members make a public key of each type, and on which curves. */
const KEY_TYPES: Readonly<
  Record<string, { readonly members: readonly string[]; readonly curves?: readonly string[] }>
> = {
  RSA: { members: ['n', 'e'] },
  EC: { members: ['x', 'y'], curves: ['P-256', 'P-384', 'P-521'] },
  OKP: { members: ['x'], curves: ['Ed25519', 'X25519'] },
}
const LEAST_RSA_BITS = 2048
const MOST_RSA_BITS = 8192

export function keyProblems(metadata: ClientMetadata): RegistrationProblem[] {
  const { jwks, jwks_uri, require_signed_request_object } = metadata
  const has_keys = jwks !== undefined || jwks_uri !== undefined
  const problems: RegistrationProblem[] = []
  // RFC 7591 §2: jwks_uri and jwks MUST NOT both be present.
  if (jwks !== undefined && jwks_uri !== undefined) {
    problems.push({ field: 'jwks', message: 'and jwks_uri exclude each other' })
  }
  // RFC 9101 §10.5
  if (require_signed_request_object === true && !has_keys) {
    problems.push({ field: 'require_signed_request_object', message: 'needs jwks or jwks_uri' })
  }
  return [...problems, ...jwksProblems(jwks?.keys ?? []), ...encryptionProblems(metadata)]
}

function jwksProblems(keys: readonly ClientJwk[]): RegistrationProblem[] {
  const field = 'jwks'
  const problems = keys.flatMap((jwk, index) => {
    const problem = jwkProblem(jwk)
    return problem === undefined ? [] : [{ field, message: `has a key (${index}) that ${problem}` }]
  })
  const kids = keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))
  // RFC 7517 §4.5: keys within a JWK Set SHOULD use distinct kid values.
  if (new Set(kids).size < kids.length) problems.push({ field, message: 'has two keys with one kid' })
  return problems
}

/** @returns what is wrong with it, after `that` */
function jwkProblem(jwk: ClientJwk): string | undefined {
  const type = Object.hasOwn(KEY_TYPES, jwk.kty) ? KEY_TYPES[jwk.kty] : undefined
  if (type === undefined) return `has another kty than ${Object.keys(KEY_TYPES).join(', ')}`
  const secret = PRIVATE_MEMBERS.find((member) => member in jwk)
  if (secret !== undefined) return `holds ${secret}, which is private: make a new key, and send its public half`
  const { crv } = jwk
  if (type.curves !== undefined && !(typeof crv === 'string' && type.curves.includes(crv))) {
    return `is on another curve than ${type.curves.join(', ')}`
  }
  const missing = type.members.find((member) => !isBase64url(jwk[member]))
  if (missing !== undefined) return `has no ${missing} in base64url`
  return jwk.kty === 'RSA' ? rsaProblem(jwk) : undefined
}

function isBase64url(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]+$/.test(value)
}

function rsaProblem({ n }: ClientJwk): string | undefined {
  const modulus = Buffer.from(typeof n === 'string' ? n : '', 'base64url')
  const start = modulus.findIndex((byte) => byte !== 0)
  const bits = start === -1 ? 0 : (modulus.length - start) * 8 - Math.clz32(modulus[start] ?? 0) + 24
  // RFC 7518 §3.3, §4.3: a key of size 2048 bits or larger MUST be used.
  if (bits < LEAST_RSA_BITS) return `has ${bits} bits, fewer than ${LEAST_RSA_BITS}`
  return bits > MOST_RSA_BITS ? `has more than ${MOST_RSA_BITS} bits` : undefined
}

const ENCRYPTED = ['id_token', 'userinfo', 'introspection', 'authorization'] as const

function encryptionProblems(metadata: ClientMetadata): RegistrationProblem[] {
  const { jwks, jwks_uri } = metadata
  return ENCRYPTED.flatMap((kind): RegistrationProblem[] => {
    const field = `${kind}_encrypted_response_alg` as const
    const alg = metadata[field]
    if (alg === undefined) {
      // OpenID Connect Registration §2: with the enc, the alg MUST also be provided.
      const enc = `${kind}_encrypted_response_enc` as const
      return metadata[enc] === undefined ? [] : [{ field: enc, message: `needs ${field}` }]
    }
    const fits = jwks_uri !== undefined || (jwks?.keys ?? []).some((jwk) => canEncrypt(jwk, alg))
    return fits ? [] : [{ field, message: `${alg} needs a key for it in jwks, or a jwks_uri` }]
  })
}

/** Whether something can be encrypted to a key. */
function canEncrypt({ kty, crv, use, alg }: ClientJwk, algorithm: EncryptionAlgorithm): boolean {
  if (use === 'sig' || (alg !== undefined && alg !== algorithm)) return false
  return algorithm === 'RSA-OAEP-256' ? kty === 'RSA' : kty === 'EC' || (kty === 'OKP' && crv === 'X25519')
}
