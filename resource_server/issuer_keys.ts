/**
 * The issuer's public keys: kept as long as it allows, and longer while it is down.
 *
 * @see [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5) JWK Set
 */
import { type CryptoKey, importJWK } from 'jose'
import { isObject, type Members } from './access_token.ts'
import { type Documents, KNOWN_DOWN_SECONDS, lifetimeOf, NoDocument } from './documents.ts'
import type { IssuerMetadata } from './issuer_metadata.ts'
import type { Settings } from './options.ts'
import { VerifierError } from './verifier_error.ts'

const MAX_BYTES = 256 * 1024
const MAX_KEYS = 100
const LIFETIME = { least: 30, most: 3_600, otherwise: 300 }
/** The part of its life after which a key set is fetched anew in the background. */
const REFRESH_AT = 0.8

export interface IssuerKeys {
  /**
   * @returns the public key; undefined when the issuer has none of that name for that algorithm
   * @throws VerifierError, 503: it cannot be said whether it has
   */
  find(kid: string, alg: string): CryptoKey | undefined | Promise<CryptoKey | undefined>
}

interface KeySet {
  readonly jwks: readonly Members[]
  /** By algorithm and name. Each is imported once. */
  readonly imported: Map<string, CryptoKey>
  readonly refresh_at: number
  readonly fresh_until: number
}

export function issuerKeys(settings: Settings, metadata: IssuerMetadata, documents: Documents): IssuerKeys {
  const { now, cool_down_seconds, stale_keys_seconds } = settings
  let kept: KeySet | undefined
  let failure: { readonly cause: unknown } | undefined
  let quiet_until = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined

  async function refetch(): Promise<void> {
    try {
      const url = settings.jwks_uri ?? (await metadata.endpoint('jwks_uri'))
      const { text, headers } = await documents.fetch(url, {
        accept: 'application/jwk-set+json, application/json',
        max_bytes: MAX_BYTES,
      })
      const lifetime = lifetimeOf(headers, LIFETIME)
      const at = now()
      kept = {
        jwks: readJwks(text),
        imported: new Map(),
        refresh_at: at + lifetime * REFRESH_AT,
        fresh_until: at + lifetime,
      }
      failure = undefined
    } catch (cause) {
      failure = { cause }
      quiet_until = now() + cool_down_seconds
      settings.on_problem({ what: 'the keys could not be fetched', cause })
    }
    fetching = undefined
  }

  function fetchUnlessQuiet(): Promise<void> | undefined {
    if (fetching === undefined && now() >= quiet_until) fetching = refetch()
    return fetching
  }

  /** The policy for outages: keys serve on for so long. */
  function isTooOld(set: KeySet | undefined): boolean {
    return set === undefined || now() >= set.fresh_until + stale_keys_seconds
  }

  async function findSlowly(kid: string, alg: string): Promise<CryptoKey | undefined> {
    const known = kept !== undefined && jwkFor(kept.jwks, kid, alg) !== undefined
    const is_down = failure !== undefined && now() < quiet_until + KNOWN_DOWN_SECONDS
    const waited = known && kept !== undefined && now() < kept.fresh_until ? undefined : fetchUnlessQuiet()
    // Nobody waits for an issuer that is known to be down, if there is something to verify with.
    if (!(is_down && known && !isTooOld(kept))) await waited
    if (kept === undefined || isTooOld(kept)) throw unavailable('no keys are at hand')
    const jwk = jwkFor(kept.jwks, kid, alg)
    if (jwk !== undefined) return importInto(kept.imported, jwk, kid, alg)
    // The issuer may have made the key meanwhile.
    if (failure !== undefined) throw unavailable('the key is unknown, and the key set cannot be fetched')
    // A stranger invents names faster than anybody can fetch.
    if (waited !== undefined) quiet_until = now() + cool_down_seconds
    return undefined
  }

  function unavailable(reason: string): VerifierError {
    const retry_after_seconds = Math.max(quiet_until - now(), 1)
    return new VerifierError('temporarily_unavailable', { reason, retry_after_seconds, cause: failure?.cause })
  }

  return {
    find(kid, alg) {
      const key = kept?.imported.get(`${alg} ${kid}`)
      if (kept === undefined || key === undefined || now() >= kept.fresh_until) return findSlowly(kid, alg)
      if (now() >= kept.refresh_at) void fetchUnlessQuiet()
      return key
    },
  }
}

/** @throws NoDocument when it is none: the keys at hand are better than none at all */
function readJwks(text: string): readonly Members[] {
  const set: unknown = JSON.parse(text)
  const keys = isObject(set) && Array.isArray(set.keys) ? set.keys.slice(0, MAX_KEYS) : []
  // A set may hold keys of other kinds (RFC 7517 §5): those are for others.
  const usable = keys
    .filter(isObject)
    .filter(({ kid, use }) => typeof kid === 'string' && (use === undefined || use === 'sig'))
  if (usable.length === 0) throw new NoDocument('the key set has no key to verify with')
  return usable
}

function jwkFor(jwks: readonly Members[], kid: string, alg: string): Members | undefined {
  return jwks.find((jwk) => jwk.kid === kid && fits(jwk, alg))
}

/** RFC 8725 §3.1: a key is for one algorithm; where the set does not say which, its kind has to fit. */
function fits({ kty, crv, alg: own, key_ops }: Members, alg: string): boolean {
  const isEd25519 = alg === 'EdDSA' || alg === 'Ed25519'
  if (own !== undefined && own !== alg && !(isEd25519 && (own === 'EdDSA' || own === 'Ed25519'))) return false
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return false
  if (isEd25519) return kty === 'OKP' && crv === 'Ed25519'
  if (alg.startsWith('ES')) return kty === 'EC' && crv === { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg]
  return kty === 'RSA'
}

async function importInto(
  imported: Map<string, CryptoKey>,
  { kty, crv, n, e, x, y }: Members,
  kid: string,
  alg: string,
): Promise<CryptoKey | undefined> {
  const name = `${alg} ${kid}`
  const known = imported.get(name)
  if (known !== undefined) return known
  // Only what is public, whatever else somebody has published.
  const parts = Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => typeof value === 'string')
  try {
    const key = await importJWK(Object.fromEntries(parts), alg)
    if (key instanceof Uint8Array) return undefined
    imported.set(name, key)
    return key
  } catch {
    // It cannot verify anything.
    return undefined
  }
}
