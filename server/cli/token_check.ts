import { compactVerify, createLocalJWKSet, errors, type JWK } from 'jose'
import { ACCESS_TOKEN_TYP } from '../protocol/access_token.ts'
import { SIGNING_ALGORITHMS } from '../protocol/resource.ts'
import { type DecodedToken, relative } from './decode.ts'
import { CliError } from './exit.ts'
import { request } from './http.ts'
import { printable } from './output.ts'
import { member, parseJson } from './transport.ts'

/** Whether a signature has been checked, and with what result. */
export type SignatureCheck =
  | { readonly outcome: 'verified'; readonly kid: string; readonly alg: string }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'not_checked'; readonly reason: string }

/**
 * Checks a token's signature with the keys that its issuer publishes. The token goes nowhere, and no address in it is
 * called: only that of the issuer which the configuration or `--url` names.
 *
 * @param issuer whose keys are fetched
 */
export async function checkSignature(
  token: string,
  { header, payload }: DecodedToken,
  issuer: string,
): Promise<SignatureCheck> {
  if (payload.iss !== issuer) {
    const said = payload.iss === undefined ? 'it names no issuer' : `it says that ${printable(payload.iss)} issued it`
    return { outcome: 'not_checked', reason: `${said}; asked was ${issuer} (--issuer, --url)` }
  }
  let jwks: unknown
  try {
    jwks = parseJson((await request(`${issuer}/.well-known/jwks.json`)).text)
  } catch (error) {
    if (error instanceof CliError) return { outcome: 'not_checked', reason: error.message }
    throw error
  }
  const published = member(jwks, 'keys')
  if (!Array.isArray(published)) return { outcome: 'not_checked', reason: `${issuer} published no key set` }
  return checkWith(token, header, published.filter(isJwk))
}

async function checkWith(token: string, header: DecodedToken['header'], keys: readonly JWK[]): Promise<SignatureCheck> {
  if (!keys.some(({ kid }) => kid === header.kid)) {
    return { outcome: 'refused', reason: 'the issuer publishes no key of this kid (any more)' }
  }
  try {
    const { protectedHeader } = await compactVerify(token, createLocalJWKSet({ keys: [...keys] }), {
      algorithms: [...SIGNING_ALGORITHMS],
    })
    return { outcome: 'verified', kid: String(protectedHeader.kid), alg: protectedHeader.alg }
  } catch (error) {
    // RFC 8725 §3.1: whatever is wrong with it, it is not to be believed.
    return { outcome: 'refused', reason: error instanceof errors.JOSEError ? error.message : String(error) }
  }
}

function isJwk(value: unknown): value is JWK {
  return typeof member(value, 'kty') === 'string'
}

/** The check in a sentence. */
export function signatureSaid(check: SignatureCheck): string {
  if (check.outcome === 'verified') return `verified (${check.alg}), with the key ${printable(check.kid)} of the issuer`
  return check.outcome === 'refused' ? `WRONG: ${printable(check.reason)}` : `not checked: ${printable(check.reason)}`
}

/** Proxies that take 8 KiB of headers in all are common. */
const LARGE_BYTES = 4096
const CLOCK_LEEWAY = 60
const TYP_KINDS: Readonly<Record<string, string>> = {
  'logout+jwt': 'a logout token, which tells a client of a sign-out',
  'statuslist+jwt': 'a status list, which says what has been revoked',
  'secevent+jwt': 'a security event',
  'dpop+jwt': 'a DPoP proof, which a client makes with its own key',
  'oauth-authz-req+jwt': 'an authorization request',
  'token-introspection+jwt': 'an answer of introspection',
}

/** What speaks against a token, or is easily taken amiss. @param now epoch seconds */
export function warningsAbout(token: string, decoded: DecodedToken, now: number): string[] {
  const { header, payload } = decoded
  return [...aboutTime(payload, now), ...aboutKind(decoded), ...aboutHeader(header), ...aboutSize(token)]
}

function aboutTime({ exp, nbf, iat }: DecodedToken['payload'], now: number): string[] {
  const warnings: string[] = []
  if (typeof exp !== 'number') warnings.push('it never expires: there is no exp, and RFC 9068 §2.2 asks for one')
  else if (exp <= now) warnings.push(`it has expired, ${relative(exp, now)}: every verifier refuses it`)
  if (typeof nbf === 'number' && nbf > now) warnings.push(`it is not valid yet: ${relative(nbf, now)}`)
  if (typeof iat === 'number' && iat > now + CLOCK_LEEWAY) {
    warnings.push(`it comes from the future (${relative(iat, now)}): one of the two clocks is wrong`)
  }
  return warnings
}

function aboutKind({ header, payload }: DecodedToken): string[] {
  const typ = typeof header.typ === 'string' ? header.typ.toLowerCase().replace(/^application\//, '') : undefined
  if (typ === ACCESS_TOKEN_TYP) {
    return payload.aud === undefined ? ['it has no aud, so that no API can tell whether it is meant'] : []
  }
  const kind = typ === undefined || !Object.hasOwn(TYP_KINDS, typ) ? undefined : TYP_KINDS[typ]
  if (kind !== undefined) return [`it is no access token but ${kind}`]
  if (payload.token_type === 'access') {
    return [`its typ is not ${ACCESS_TOKEN_TYP}: verifiers that go by RFC 9068 §4 refuse it; check aud all the more`]
  }
  if (['nonce', 'at_hash', 'c_hash'].some((name) => name in payload)) {
    return ['it is an ID token: for the client in aud to read, and for no API to accept']
  }
  return [`its typ is not ${ACCESS_TOKEN_TYP}: it does not say that it is an access token (RFC 9068 §2.1)`]
}

function aboutHeader({ alg, crit, jku, jwk, x5u }: DecodedToken['header']): string[] {
  const warnings: string[] = []
  if (String(alg).toLowerCase() === 'none') warnings.push('alg none: nobody has signed it (RFC 8725 §3.2)')
  else if (/^HS\d+$/.test(String(alg))) {
    warnings.push('it is signed with a shared secret: whoever can verify it can make one (RFC 8725 §3.5)')
  }
  if (crit !== undefined) warnings.push('a verifier that does not know what crit names has to refuse it')
  if ([jku, jwk, x5u].some((value) => value !== undefined)) {
    warnings.push(
      'it brings its own key along, or says where one is: a verifier must not believe that (RFC 8725 §3.10)',
    )
  }
  return warnings
}

function aboutSize(token: string): string[] {
  if (token.length <= LARGE_BYTES) return []
  return [`it has ${token.length} bytes: many proxies take 8 KiB of headers in all`]
}
