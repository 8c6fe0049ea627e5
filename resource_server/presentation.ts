/**
 * What a request shows: its token, and what proves that it is its own.
 *
 * @see [RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1) the Authorization header, and no other place
 * @see [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1) the scheme DPoP
 */
import { parsed } from './options.ts'

/** A `Request` of fetch, or a request of node:http, Express or fastify's `request.raw`. */
export interface VerifiableRequest {
  readonly method?: string | undefined
  /** Absolute, or from the path on. */
  readonly url?: string | undefined
  /** Express: `url` without the mount point cut off. */
  readonly originalUrl?: string | undefined
  readonly headers: Headers | Readonly<Record<string, string | string[] | undefined>>
  /** Of node:tls, for the client's certificate. */
  readonly socket?: object | null | undefined
}

export interface Presentation {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

export interface Refused {
  readonly code: 'token_required' | 'invalid_request'
  readonly reason: string
}

/** RFC 9110 §11.2: token68. */
const CREDENTIALS = /^(Bearer|DPoP) +([\w\-.~+/]+=*) *$/i

export function readPresentation(request: VerifiableRequest): Presentation | Refused {
  const value = headerOf(request, 'authorization')
  if (value === undefined || !/^(?:Bearer|DPoP)(?: |$)/i.test(value))
    return { code: 'token_required', reason: 'no access token in the Authorization header' }
  const [, scheme = '', token = ''] = CREDENTIALS.exec(value) ?? []
  if (token === '') return { code: 'invalid_request', reason: 'the Authorization header is malformed' }
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token }
}

/** @returns undefined: absent. Repeated, it is one value with a comma in it, as HTTP says. */
export function headerOf({ headers }: VerifiableRequest, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  const value = (headers as Readonly<Record<string, string | string[] | undefined>>)[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/**
 * The request's address without query, as its caller knows it.
 *
 * @param origin this API's own, where it is known: behind a proxy the request may say another
 */
export function addressOf(request: VerifiableRequest, origin: string | undefined): string | undefined {
  const { originalUrl, url = '/', socket } = request
  const isSecure = typeof socket === 'object' && socket !== null && 'encrypted' in socket && socket.encrypted === true
  const seen = `${isSecure ? 'https' : 'http'}://${headerOf(request, 'host') ?? 'localhost'}`
  const path = originalUrl ?? url
  // Not resolved against the origin: a path that starts with // would name another.
  const address = path.startsWith('/') ? parsed(`${origin ?? seen}${path}`) : parsed(path)
  return address && `${origin ?? address.origin}${address.pathname}`
}

/** The DER form of the certificate that a client has shown on a connection of node:tls; undefined: none. */
export function certificateOf({ socket }: VerifiableRequest): Uint8Array<ArrayBuffer> | undefined {
  if (typeof socket !== 'object' || socket === null || !('getPeerCertificate' in socket)) return undefined
  if (typeof socket.getPeerCertificate !== 'function') return undefined
  const certificate: unknown = socket.getPeerCertificate()
  if (typeof certificate !== 'object' || certificate === null || !('raw' in certificate)) return undefined
  return certificate.raw instanceof Uint8Array ? new Uint8Array(certificate.raw) : undefined
}
