/**
 * The issuer's public keys: found through its metadata, kept as long as it allows.
 *
 * @see [RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3) metadata
 * @see [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5) JWK Set
 */
import { createPublicKey } from 'node:crypto'

/** No key was ever fetched, so nothing can be said about any token. */
export class KeysUnavailable extends Error {
  readonly statusCode = 503
}

/** After a fetch that brought nothing new. A stranger invents key names faster than anybody can fetch. */
const COOL_DOWN_MS = 5_000

/**
 * @param issuer exactly as in the tokens' `iss`
 * @returns finds the PEM of a public key by its name; undefined when the issuer has no such key. Keys past their time
 *   serve on while the issuer is down.
 */
export function issuerKeys(issuer: string): (kid: string) => Promise<string | undefined> {
  let kept: { keys: Map<string, string>; fresh_until: number } | undefined
  let quiet_until = 0
  let fetching: Promise<void> | undefined

  async function refetch(kid: string): Promise<void> {
    try {
      kept = await fetchKeys(issuer)
      if (!kept.keys.has(kid)) quiet_until = performance.now() + COOL_DOWN_MS
    } catch (error) {
      quiet_until = performance.now() + COOL_DOWN_MS
      console.error('The keys could not be fetched:', error)
    }
    fetching = undefined
  }

  return async (kid) => {
    const now = performance.now()
    const good = kept !== undefined && now < kept.fresh_until && kept.keys.has(kid)
    if (!good && now >= quiet_until) fetching ??= refetch(kid)
    if (!good) await fetching
    if (kept === undefined) throw new KeysUnavailable(`No keys of ${issuer} are at hand`)
    return kept.keys.get(kid)
  }
}

async function fetchKeys(issuer: string): Promise<{ keys: Map<string, string>; fresh_until: number }> {
  const [metadata] = await fetchJson(`${issuer}/.well-known/openid-configuration`)
  // RFC 8414 §3.3: the issuer in the metadata MUST be the one that was asked.
  if (metadata.issuer !== issuer) throw new Error(`Another issuer answers at ${issuer}`)
  const [jwks, headers] = await fetchJson(String(metadata.jwks_uri))
  const keys = new Map<string, string>()
  for (const jwk of Array.isArray(jwks.keys) ? jwks.keys : []) {
    // A set may hold keys of other kinds: those are for others.
    if (jwk?.kty !== 'RSA' || jwk.use !== 'sig' || jwk.alg !== 'RS256') continue
    keys.set(jwk.kid, createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString())
  }
  const max_age = /\bmax-age=(\d+)/.exec(headers.get('cache-control') ?? '')?.[1] ?? 300
  return { keys, fresh_until: performance.now() + Number(max_age) * 1_000 }
}

async function fetchJson(url: string): Promise<[Record<string, unknown>, Headers]> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(3_000) })
  const json = await response.json()
  if (!response.ok || typeof json !== 'object' || json === null) throw new Error(`${url} answered ${response.status}`)
  return [{ ...json }, response.headers]
}
