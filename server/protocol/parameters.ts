import type { Static, TArray, TObject, TOptional, TString } from 'typebox'
import { OAuthError } from './errors.ts'

/** A decoded form: every parameter that had a value, in order. */
export type Form = ReadonlyMap<string, readonly string[]>

/** What a grant type or an endpoint reads: strings, and lists where the specification lets a parameter recur. */
export type Parameters = TObject<Record<string, TString | TOptional<TString> | TArray<TString>>>

const MAX_PARAMETERS = 100

/**
 * Decodes `application/x-www-form-urlencoded`, strictly: broken percent-encoding and broken UTF-8 are errors rather
 * than replacement characters, since what was meant cannot be known.
 *
 * @throws {OAuthError} `invalid_request`
 * @see [RFC 6749 Appendix B](https://www.rfc-editor.org/rfc/rfc6749#appendix-B)
 */
export function parseForm(body: Uint8Array): Form {
  const form = new Map<string, string[]>()
  const text = decodeUtf8(body)
  if (text === '') return form
  const pairs = text.split('&', MAX_PARAMETERS + 1)
  if (pairs.length > MAX_PARAMETERS) throw new OAuthError('invalid_request', 'too many parameters')
  for (const pair of pairs) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decodeFormComponent(at === -1 ? pair : pair.slice(0, at))
    const value = at === -1 ? '' : decodeFormComponent(pair.slice(at + 1))
    // RFC 6749 §3.2: parameters sent without a value MUST be treated as if they were omitted from the request.
    if (value === '') continue
    // RFC 6749 Appendix A: no parameter's grammar has a NUL, and no database stores one as text.
    if (value.includes('\0')) throw new OAuthError('invalid_request', 'a parameter contains a NUL')
    const values = form.get(name)
    if (values === undefined) form.set(name, [value])
    else values.push(value)
  }
  return form
}

/** One name or value of a form, decoded. @throws {OAuthError} `invalid_request` */
export function decodeFormComponent(component: string): string {
  try {
    return decodeURIComponent(component.replaceAll('+', ' '))
  } catch (cause) {
    throw new OAuthError('invalid_request', 'the request is not valid application/x-www-form-urlencoded', { cause })
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new OAuthError('invalid_request', 'the request is not valid UTF-8', { cause })
  }
}

/** The one value of a parameter. @throws {OAuthError} `invalid_request` when it recurs */
export function single(form: Form, name: string): string | undefined {
  const values = form.get(name)
  // RFC 6749 §3.2: request and response parameters MUST NOT be included more than once.
  if (values !== undefined && values.length > 1) {
    throw new OAuthError('invalid_request', `${name} is included more than once`)
  }
  return values?.[0]
}

/**
 * Reads what `schema` declares out of a form; parameters that it does not name are ignored.
 *
 * @throws {OAuthError} `invalid_request` for what is missing or recurs
 */
export function readParameters<P extends Parameters>(schema: P, form: Form): Static<P> {
  const values: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(schema.properties)) {
    if (property.type === 'array') {
      values[name] = form.get(name) ?? []
      continue
    }
    const value = single(form, name)
    if (value !== undefined) values[name] = value
    else if (schema.required?.includes(name)) throw new OAuthError('invalid_request', `${name} is missing`)
  }
  return values as Static<P>
}
