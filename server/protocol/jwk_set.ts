import type { ClientJwk } from './client.ts'

const MAX_KEYS = 100

/**
 * The keys of a JWK Set that somebody else wrote. Those of a kind that nobody here knows are left out (RFC 7517 §5).
 *
 * @returns undefined when it is no JWK Set
 * @see [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)
 */
export function readJwkSet(json: unknown): readonly ClientJwk[] | undefined {
  if (typeof json !== 'object' || json === null || !('keys' in json) || !Array.isArray(json.keys)) return undefined
  const keys: readonly unknown[] = json.keys
  return keys.length > MAX_KEYS ? undefined : keys.filter(isJwk)
}

function isJwk(value: unknown): value is ClientJwk {
  if (typeof value !== 'object' || value === null || !('kty' in value) || typeof value.kty !== 'string') return false
  return (['kid', 'alg', 'use'] as const).every((name) => {
    const member: unknown = Object.getOwnPropertyDescriptor(value, name)?.value
    return member === undefined || typeof member === 'string'
  })
}

/** The kind of key that an algorithm takes (RFC 7518 §3.1 and §4.1, RFC 8037 §3). */
const KTY: Readonly<Record<string, readonly string[]>> = {
  RS256: ['RSA'],
  PS256: ['RSA'],
  ES256: ['EC'],
  EdDSA: ['OKP'],
  Ed25519: ['OKP'],
  'RSA-OAEP-256': ['RSA'],
  'ECDH-ES': ['EC', 'OKP'],
  'ECDH-ES+A128KW': ['EC', 'OKP'],
  'ECDH-ES+A256KW': ['EC', 'OKP'],
}

const PUBLIC_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
}

const CURVES: Readonly<Record<string, readonly string[]>> = {
  ES256: ['P-256'],
  EdDSA: ['Ed25519'],
  Ed25519: ['Ed25519'],
}
const AGREEMENT_CURVES: readonly string[] = ['P-256', 'P-384', 'P-521', 'X25519']

export interface WantedKey {
  readonly alg: string
  /** `sig` to verify with, `enc` to encrypt to (RFC 7517 §4.2). */
  readonly use: 'sig' | 'enc'
  readonly kid?: string | undefined
}

/** The keys that fit, reduced to their public members. */
export function keysFor(keys: readonly ClientJwk[], { alg, use, kid }: WantedKey): ClientJwk[] {
  return keys
    .filter(
      (key) =>
        KTY[alg]?.includes(key.kty) &&
        (key.use === undefined || key.use === use) &&
        (key.alg === undefined || sameAlgorithm(key.alg, alg)) &&
        (kid === undefined || key.kid === kid) &&
        onCurve(key, alg),
    )
    .map(publicKeyOf)
}

/** RFC 9864 §2.2: `Ed25519` is what `EdDSA` has meant here all along. */
export function sameAlgorithm(a: string, b: string): boolean {
  return a === b || (ED25519_NAMES.includes(a) && ED25519_NAMES.includes(b))
}

const ED25519_NAMES: readonly string[] = ['EdDSA', 'Ed25519']

function onCurve({ kty, crv }: ClientJwk, alg: string): boolean {
  if (kty === 'RSA') return true
  return typeof crv === 'string' && (CURVES[alg] ?? AGREEMENT_CURVES).includes(crv)
}

function publicKeyOf(key: ClientJwk): ClientJwk {
  const members = (PUBLIC_MEMBERS[key.kty] ?? []).map((name): [string, unknown] => [name, key[name]])
  return { kty: key.kty, ...(key.kid === undefined ? {} : { kid: key.kid }), ...Object.fromEntries(members) }
}

/** Whether two public keys are the same, whatever else is said of them. */
export function sameKey(a: ClientJwk, b: ClientJwk): boolean {
  const members = PUBLIC_MEMBERS[a.kty]
  return a.kty === b.kty && members !== undefined && members.every((name) => a[name] === b[name])
}
