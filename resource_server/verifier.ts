/**
 * Verifies the access tokens of one issuer for one API.
 *
 * @see [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4)
 */
import {
  type AccessTokenClaims,
  hasScope,
  isAuthenticatedFor,
  isObject,
  readClaims,
  type StepUp,
} from './access_token.ts'
import { sha256 } from './digest.ts'
import { documents } from './documents.ts'
import { proofChecker } from './dpop.ts'
import { issuerKeys } from './issuer_keys.ts'
import { issuerMetadata } from './issuer_metadata.ts'
import { readOptions, type Settings, type VerifierOptions } from './options.ts'
import {
  addressOf,
  certificateOf,
  headerOf,
  type Presentation,
  readPresentation,
  type VerifiableRequest,
} from './presentation.ts'
import type { ProtectedResourceMetadata } from './protected_resource_metadata.ts'
import { type RevocationStream, revocationStream } from './revocation_stream.ts'
import { jwtVerifier } from './signed_jwt.ts'
import { tokenStatus } from './token_status.ts'
import { type Challenge, challengeOf, VerifierError, type VerifierErrorCode } from './verifier_error.ts'

const MAX_TOKEN_CHARACTERS = 8 * 1024
/** RFC 7515 §7.1, to the letter: decoders forgive more. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

export interface Requirements extends StepUp {
  /** All of these, separated by spaces. */
  readonly scope?: string | undefined
  /**
   * The SHA-256 digest of the client's certificate in DER, base64url, where a proxy has seen it (RFC 8705 §3.1). Default:
   * that of the request's own TLS connection.
   */
  readonly certificate_thumbprint?: string | undefined
}

export interface Verifier {
  readonly issuer: string
  readonly audience: string
  /**
   * @param presented a request with an Authorization header, or a token alone; a token that is bound to a key by DPoP
   *   needs its request
   * @returns the claims of a token that is good for this API and meets the requirements
   * @throws VerifierError: what to answer instead
   */
  verify(presented: VerifiableRequest | string, requirements?: Requirements): Promise<AccessTokenClaims>
  /** The document of RFC 9728, with more members, such as `scopes_supported`. */
  metadata(more?: Readonly<Record<string, unknown>>): ProtectedResourceMetadata
  /** Ends its stream and its fetches. */
  close(): void
}

/** @throws TypeError for options that contradict themselves */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = readOptions(options)
  const { issuer, audience, now } = settings
  const fetched = documents(settings)
  const metadata = issuerMetadata(settings, fetched)
  const keys = issuerKeys(settings, metadata, fetched)
  const verifyJwt = jwtVerifier(keys, settings.algorithms)
  const proofs = proofChecker(settings)
  let stream: RevocationStream | undefined
  const status = tokenStatus(settings, { documents: fetched, verifyJwt, stream: () => stream })
  if (settings.status === 'stream') stream = revocationStream(settings, metadata, status.events)

  async function verify(
    presented: VerifiableRequest | string,
    requirements: Requirements = {},
  ): Promise<AccessTokenClaims> {
    const { scope, max_age, acr_values } = requirements
    const { scheme, token } = presentation(presented, scope)
    const claims = await verifiedClaims(token, scheme)
    // What is at hand is not waited for.
    const checked = settings.status === 'off' ? undefined : status.check(claims)
    const revoked = checked instanceof Promise ? await checked : checked
    if (revoked !== undefined) throw refusal('invalid_token', revoked, { scheme })
    if (claims.cnf !== undefined || scheme === 'DPoP' || settings.dpop === 'required')
      await checkBinding(claims, { scheme, token }, presented, requirements)
    if (scope !== undefined && !hasScope(claims, scope))
      throw refusal('insufficient_scope', `the scope ${claims.scope ?? ''} is not enough`, { scheme, scope })
    if (!isAuthenticatedFor(claims, requirements, now()))
      throw refusal('insufficient_user_authentication', 'authenticated otherwise', { scheme, max_age, acr_values })
    return claims
  }

  function presentation(presented: VerifiableRequest | string, scope: string | undefined): Presentation {
    if (typeof presented === 'string') return { scheme: 'Bearer', token: presented }
    const read = readPresentation(presented)
    if ('code' in read) throw refusal(read.code, read.reason, { scope })
    return read
  }

  async function verifiedClaims(token: string, scheme: Presentation['scheme']): Promise<AccessTokenClaims> {
    if (token.length > MAX_TOKEN_CHARACTERS) throw refusal('invalid_token', 'longer than 8 KiB', { scheme })
    if (!COMPACT.test(token)) throw refusal('invalid_token', 'not a JWS', { scheme })
    const members = await verifyJwt(token, settings.token_typ)
    const claims = typeof members === 'string' ? members : readClaims(members, settings, now())
    if (typeof claims === 'string') throw refusal('invalid_token', claims, { scheme })
    return claims
  }

  /** RFC 7800 §3.1: a token that is bound to a key is no good without it. */
  async function checkBinding(
    { cnf }: AccessTokenClaims,
    { scheme, token }: Presentation,
    presented: VerifiableRequest | string,
    { certificate_thumbprint }: Requirements,
  ): Promise<void> {
    const request = typeof presented === 'string' ? undefined : presented
    const jkt = isObject(cnf) ? cnf.jkt : undefined
    const x5t = isObject(cnf) ? cnf['x5t#S256'] : undefined
    if (cnf !== undefined && typeof jkt !== 'string' && typeof x5t !== 'string')
      throw refusal('invalid_token', 'bound by a method that is unknown', { scheme })
    if (typeof x5t === 'string') {
      const der = request && certificateOf(request)
      const shown = certificate_thumbprint ?? (der && (await sha256(der)))
      // RFC 8705 §3: 401 invalid_token.
      if (shown !== x5t) throw refusal('invalid_token', 'bound to another certificate', { scheme })
    }
    if (typeof jkt === 'string') return checkProof(jkt, scheme, token, request)
    // RFC 9449 §7.1: the scheme DPoP is for bound tokens only.
    if (scheme === 'DPoP' || settings.dpop === 'required')
      throw refusal('invalid_token', 'not bound to a DPoP key', { scheme })
  }

  async function checkProof(
    jkt: string,
    scheme: Presentation['scheme'],
    access_token: string,
    request: VerifiableRequest | undefined,
  ): Promise<void> {
    const refused = { scheme: 'DPoP' } as const
    if (settings.dpop === 'off') throw refusal('invalid_token', 'bound to a DPoP key', { scheme })
    // RFC 9449 §7.2: a bound token is not taken as a bearer token.
    if (scheme === 'Bearer' || request === undefined) throw refusal('invalid_token', 'bound to a DPoP key', refused)
    const proof = headerOf(request, 'dpop')
    const htu = addressOf(request, settings.origin)
    if (proof === undefined || htu === undefined) throw refusal('invalid_dpop_proof', 'the proof is missing', refused)
    const outcome = await proofs.check(proof, { access_token, jkt, method: request.method ?? 'GET', htu })
    if (outcome === 'good') return
    if (outcome === 'full') throw unavailable('no more proofs can be remembered')
    if (outcome === 'nonce_needed')
      throw refusal('use_dpop_nonce', 'the nonce is missing or old', refused, await proofs.nonce())
    throw refusal('invalid_dpop_proof', outcome.reason, refused)
  }

  function refusal(code: VerifierErrorCode, reason: string, about: Challenge, dpop_nonce?: string): VerifierError {
    return new VerifierError(code, { reason, challenge: challengeOf({ error: code, ...about }, settings), dpop_nonce })
  }

  return {
    issuer,
    audience,
    verify,
    metadata: (more = {}) => ({ ...metadataOf(settings), ...more }),
    close() {
      stream?.close()
      fetched.close()
    },
  }
}

function unavailable(reason: string): VerifierError {
  return new VerifierError('temporarily_unavailable', { reason, retry_after_seconds: 1 })
}

function metadataOf({ issuer, audience, dpop, dpop_algorithms }: Settings): ProtectedResourceMetadata {
  return {
    resource: audience,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    ...(dpop === 'off' ? {} : { dpop_signing_alg_values_supported: dpop_algorithms }),
    ...(dpop === 'required' ? { dpop_bound_access_tokens_required: true } : {}),
  }
}
