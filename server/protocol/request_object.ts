/**
 * An authorization request in a JWT that the client has signed. Here, what its claims say once the signature is verified.
 *
 * @see [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101)
 */
import { OAuthError } from './errors.ts'
import type { Form } from './parameters.ts'

/** About the JWT, not about the request. */
const JWT_CLAIMS: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'])

/**
 * The parameters that a request object holds, in the form that they have in a query. §6.3: nothing outside of it counts.
 *
 * @throws {OAuthError} `invalid_request_object`
 */
export function parametersOf(claims: Readonly<Record<string, unknown>>, client_id: string): Form {
  // §5.2: the two client_ids MUST be identical.
  if (claims.client_id !== client_id) throw invalid('client_id differs')
  // §4: request and request_uri MUST NOT be included. §10.8: sub would make a client assertion of it.
  if ('request' in claims || 'request_uri' in claims || 'sub' in claims) throw invalid('a claim that has no place here')
  const form = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(claims)) {
    if (JWT_CLAIMS.has(name)) continue
    const values = valuesOf(name, value).filter((one) => one !== '')
    if (values.some((one) => one.includes('\0'))) throw invalid('a NUL')
    if (values.length > 0) form.set(name, values)
  }
  return form
}

/** §4: strings and numbers stay what they are, and JSON values are JSON; a parameter that may recur is a list. */
function valuesOf(name: string, value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' && Number.isSafeInteger(value)) return [String(value)]
  if (name === 'resource' && Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  if (typeof value === 'object' && value !== null) return [JSON.stringify(value)]
  if (typeof value === 'boolean') return [String(value)]
  throw invalid(`${name} has no meaning`)
}

function invalid(detail: string): OAuthError {
  return new OAuthError('invalid_request_object', 'the request object is not valid', { detail })
}
