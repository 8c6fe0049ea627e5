/** What a verifier is told, and what it takes where it is told nothing. */
import type { ProofStore } from './dpop.ts'

export interface VerifierOptions {
  /** The issuer's URL, exactly as in the tokens' `iss`. https, unless it is on the loopback. */
  readonly issuer: string
  /** This API's own name, exactly as in the tokens' `aud`. Tokens for any other are refused. */
  readonly audience: string
  /** Of access tokens and status lists. Default: RS256, PS256, ES256, EdDSA. Only what has a public key (RFC 8725 §3.2). */
  readonly algorithms?: readonly string[]
  /** The header `typ` of access tokens. Default `at+jwt` (RFC 9068 §2.1); `JWT` for issuers that write it there. */
  readonly token_typ?: 'at+jwt' | 'JWT'
  /** Between the issuer's clock and this one. Default 5. */
  readonly clock_tolerance_seconds?: number

  /** Where the issuer's keys are. Default: what its metadata says. */
  readonly jwks_uri?: string
  /** How long keys serve on past their time while none can be fetched. Default 86400. Then: 503. */
  readonly stale_keys_seconds?: number
  /** Between two looks for an unknown `kid`, and after a fetch that failed. Default 5. */
  readonly cool_down_seconds?: number
  /** For one fetch. Default 3. */
  readonly timeout_seconds?: number

  /**
   * How revocations are learnt of. `list` (default): by the Token Status List that a token names, as old as its `ttl`.
   * `stream`: at once, by the issuer's stream, and by lists while it is down. `off`: not at all.
   */
  readonly status?: 'stream' | 'list' | 'off'
  /** While a list cannot be fetched: how long past its time tokens are taken by what is known. Default 3600. */
  readonly status_outage?: { readonly accept_seconds: number } | 'refuse'
  /** Origins that lists may come from. Default: the issuer's own. */
  readonly status_list_origins?: readonly string[]
  /** As whom the stream is read: by HTTP Basic, or by what the function says, as form parameters of a POST. */
  readonly client?: StreamClient
  /** The stream is dead when nothing came for so long. Default 45; the issuer's heartbeat is every 15. */
  readonly heartbeat_seconds?: number
  /** Before the first reconnection; doubles up to thirty times as much. Default 1. */
  readonly reconnect_seconds?: number

  /** Tokens bound to a key by RFC 9449: taken with their proof (`allowed`, default), the only ones taken, or none. */
  readonly dpop?: 'allowed' | 'required' | 'off'
  /** Default: ES256, EdDSA, Ed25519, PS256, RS256. */
  readonly dpop_algorithms?: readonly string[]
  /** How old a proof may be, and how far ahead its clock. Default 60. */
  readonly dpop_proof_seconds?: number
  /** Makes proofs need a nonce (RFC 9449 §9). At least 32 characters; the same in each process of one API. */
  readonly dpop_nonce_secret?: string
  /** Which proofs were used. Default: the last 100,000, in this process. Share one between the processes of one API. */
  readonly used_proofs?: ProofStore
  /** This API's origin as its callers see it, for `htu`. Default: that of an `audience` which is a URL, else the request's. */
  readonly origin?: string

  /** The URL of this API's metadata (RFC 9728), for challenges. Default: none. */
  readonly resource_metadata?: string

  readonly fetch?: typeof fetch
  /** Epoch seconds. */
  readonly now?: () => number
  /** Is told of each fetch that failed and each stream that broke. Default: nobody. */
  readonly on_problem?: (problem: { readonly what: string; readonly cause: unknown }) => void
}

export type StreamClient =
  | { readonly client_id: string; readonly client_secret: string }
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)

/** All of them have a public half to verify with. RFC 8725 §3.2: `none` and the HMAC family are none of them. */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

type Given = 'jwks_uri' | 'client' | 'dpop_nonce_secret' | 'used_proofs' | 'origin' | 'resource_metadata'

export interface Settings extends Required<Omit<VerifierOptions, Given>> {
  readonly jwks_uri: string | undefined
  readonly client: StreamClient | undefined
  readonly dpop_nonce_secret: string | undefined
  readonly used_proofs: ProofStore | undefined
  readonly origin: string | undefined
  readonly resource_metadata: string | undefined
}

/** @throws TypeError for what no verifier can work with */
export function readOptions(options: VerifierOptions): Settings {
  const { issuer, audience } = options
  const url = parsed(issuer)
  // RFC 8414 §2: https, no query, no fragment.
  if (url === undefined || !isSafe(url.href, issuer) || /[?#]/.test(issuer) || url.username !== '')
    throw new TypeError('issuer has to be an https URL without query and fragment')
  if (typeof audience !== 'string' || audience === '') throw new TypeError('audience is missing')
  const settings: Settings = {
    issuer,
    audience,
    algorithms: options.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'],
    token_typ: options.token_typ ?? 'at+jwt',
    clock_tolerance_seconds: options.clock_tolerance_seconds ?? 5,
    jwks_uri: options.jwks_uri,
    stale_keys_seconds: options.stale_keys_seconds ?? 86_400,
    cool_down_seconds: options.cool_down_seconds ?? 5,
    timeout_seconds: options.timeout_seconds ?? 3,
    status: options.status ?? 'list',
    status_outage: options.status_outage ?? { accept_seconds: 3_600 },
    status_list_origins: options.status_list_origins ?? [url.origin],
    client: options.client,
    heartbeat_seconds: options.heartbeat_seconds ?? 45,
    reconnect_seconds: options.reconnect_seconds ?? 1,
    dpop: options.dpop ?? 'allowed',
    dpop_algorithms: options.dpop_algorithms ?? ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    dpop_proof_seconds: options.dpop_proof_seconds ?? 60,
    dpop_nonce_secret: options.dpop_nonce_secret,
    used_proofs: options.used_proofs,
    origin: options.origin ?? originOf(audience),
    resource_metadata: options.resource_metadata,
    // Looked up when it is called: tests and instrumentation replace it.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    now: options.now ?? (() => Date.now() / 1_000),
    on_problem: quietly(options.on_problem),
  }
  for (const alg of [...settings.algorithms, ...settings.dpop_algorithms]) {
    if (!ASYMMETRIC.includes(alg)) throw new TypeError(`${alg} is no algorithm with a public key`)
  }
  if (settings.algorithms.length === 0) throw new TypeError('algorithms is empty')
  if (settings.status === 'stream' && settings.client === undefined)
    throw new TypeError('status: stream needs client, as whom the stream is read')
  if (settings.jwks_uri !== undefined && !isSafe(settings.jwks_uri, issuer))
    throw new TypeError('jwks_uri has to be an https URL')
  const { dpop_nonce_secret: secret } = settings
  if (secret !== undefined && secret.length < 32) throw new TypeError('dpop_nonce_secret is shorter than 32 characters')
  return settings
}

/** Whether something may be fetched from there: by https, or by http from the loopback if the issuer is there, too. */
export function isSafe(address: string, issuer: string): boolean {
  const url = parsed(address)
  if (url === undefined || url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && isLoopback(url.hostname) && isLoopback(parsed(issuer)?.hostname ?? '')
}

function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

function originOf(audience: string): string | undefined {
  const url = parsed(audience)
  return url !== undefined && /^https?:$/.test(url.protocol) ? url.origin : undefined
}

/** URL.parse is younger than Node 20. */
export function parsed(address: string): URL | undefined {
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}

/** Whoever listens cannot break what is told. */
function quietly(tell: VerifierOptions['on_problem']): Settings['on_problem'] {
  return (problem) => {
    try {
      tell?.(problem)
    } catch {
      // There is nobody left to tell.
    }
  }
}
