/**
 * Why a request is refused, as an answer over HTTP.
 *
 * @see [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) WWW-Authenticate
 * @see [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1) the scheme DPoP
 * @see [RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1) resource_metadata
 */

export type VerifierErrorCode =
  /** 401: the request carries no access token. RFC 6750 §3.1: the challenge then has no error. */
  | 'token_required'
  /** 400: the request is malformed. */
  | 'invalid_request'
  /** 401: the token is no good, or not any more. */
  | 'invalid_token'
  /** 403: the token is good, but not for this. */
  | 'insufficient_scope'
  /** 401: the person has to sign in again, or better (RFC 9470). */
  | 'insufficient_user_authentication'
  /** 401: the token is bound to a key, and the proof is no good (RFC 9449). */
  | 'invalid_dpop_proof'
  /** 401: the same again, with the nonce of the header DPoP-Nonce. */
  | 'use_dpop_nonce'
  /** 503: nothing can be said about the token now. It may be good. */
  | 'temporarily_unavailable'

const STATUS: Readonly<Record<VerifierErrorCode, 400 | 401 | 403 | 503>> = {
  token_required: 401,
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  insufficient_user_authentication: 401,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  temporarily_unavailable: 503,
}

/** What the caller may read. The reason is for the log. */
const DESCRIPTION: Readonly<Record<VerifierErrorCode, string>> = {
  token_required: 'An access token is needed.',
  invalid_request: 'The request is malformed.',
  invalid_token: 'The access token is not valid.',
  insufficient_scope: 'The access token lacks a scope that is needed.',
  insufficient_user_authentication: 'A more recent or stronger authentication of the person is needed.',
  invalid_dpop_proof: 'The DPoP proof is not valid.',
  use_dpop_nonce: 'The DPoP proof needs the nonce of the header DPoP-Nonce.',
  temporarily_unavailable: 'The access token cannot be verified at the moment.',
}

export interface VerifierErrorDetails {
  readonly reason: string
  /** The value of `WWW-Authenticate`. */
  readonly challenge?: string | undefined
  readonly retry_after_seconds?: number | undefined
  readonly dpop_nonce?: string | undefined
  readonly cause?: unknown
}

/** A request that is not let in. Its `message` may be shown to the caller. */
export class VerifierError extends Error {
  override readonly name = 'VerifierError'
  readonly code: VerifierErrorCode
  readonly status: 400 | 401 | 403 | 503
  /** The same as `status`: frameworks look for either. */
  readonly statusCode: number
  /** What exactly is wrong, for the log. Not for the caller. */
  readonly reason: string
  /** The value of the header `WWW-Authenticate`; undefined with 503. */
  readonly challenge: string | undefined
  /** Every header of the answer, names in lower case. */
  readonly headers: Readonly<Record<string, string>>

  constructor(code: VerifierErrorCode, details: VerifierErrorDetails) {
    super(DESCRIPTION[code], details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = STATUS[code]
    this.statusCode = this.status
    this.reason = details.reason
    this.challenge = details.challenge
    this.headers = {
      'cache-control': 'no-store',
      ...(details.challenge === undefined ? {} : { 'www-authenticate': details.challenge }),
      ...(details.retry_after_seconds === undefined
        ? {}
        : { 'retry-after': String(Math.max(1, Math.ceil(details.retry_after_seconds))) }),
      ...(details.dpop_nonce === undefined ? {} : { 'dpop-nonce': details.dpop_nonce }),
    }
  }

  /** The body of the answer, as JSON (RFC 6749 §5.2 has the members). */
  body(): { readonly error: string; readonly error_description: string } {
    return { error: this.code, error_description: this.message }
  }
}

export interface Challenge {
  readonly error?: VerifierErrorCode | undefined
  /** The scheme that the request used. */
  readonly scheme?: 'Bearer' | 'DPoP' | undefined
  readonly scope?: string | undefined
  readonly acr_values?: string | undefined
  readonly max_age?: number | undefined
}

export interface ChallengeSettings {
  readonly dpop: 'allowed' | 'required' | 'off'
  readonly dpop_algorithms: readonly string[]
  readonly resource_metadata: string | undefined
}

/** @returns the value of `WWW-Authenticate`: a challenge for each scheme that would do */
export function challengeOf(challenge: Challenge, settings: ChallengeSettings): string {
  const algs = settings.dpop_algorithms.join(' ')
  const known = challenge.error === undefined || challenge.error === 'token_required'
  const parameters: Record<string, string | number | undefined> = {
    ...(known ? {} : { error: challenge.error, error_description: DESCRIPTION[challenge.error] }),
    scope: challenge.scope,
    acr_values: challenge.acr_values,
    max_age: challenge.max_age,
    resource_metadata: settings.resource_metadata,
  }
  const isDpop = challenge.scheme === 'DPoP' || settings.dpop === 'required'
  if (isDpop && settings.dpop !== 'off') return written('DPoP', { ...parameters, algs })
  const bearer = written('Bearer', parameters)
  return settings.dpop === 'off' ? bearer : `${bearer}, ${written('DPoP', { algs })}`
}

/** RFC 9110 §11.2: parameters as quoted strings, in which a quote and a backslash are escaped. */
function written(scheme: string, parameters: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name}="${String(value)
          .replace(/[^\x20-\x7e]/g, '')
          .replace(/["\\]/g, '\\$&')}"`,
    )
  return pairs.length === 0 ? scheme : `${scheme} ${pairs.join(', ')}`
}
