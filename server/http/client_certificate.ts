import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { Deps } from '../deps.ts'
import { type ClientCertificate, certificateThumbprint, readSubjectAltName } from '../protocol/client_certificate.ts'
import { nameFromLines, normalizedName } from '../protocol/distinguished_name.ts'
import type { Seconds } from '../protocol/time.ts'
import { rangesOf } from './trusted_proxy.ts'

/** The certificate of a request's sender, who has shown to hold its key. @returns undefined: none that can be read */
export type CertificateOf = (request: FastifyRequest) => ClientCertificate | undefined

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2'
const MAX_HEADER_CHARACTERS = 12_288

/**
 * Makes what reads certificates off the connection: this server's own TLS, or the header of a proxy that it trusts.
 *
 * @throws when `http.client_ca_file` cannot be read
 * @see [RFC 8705 §6.5](https://www.rfc-editor.org/rfc/rfc8705#section-6.5)
 */
export function createCertificateReader(deps: Pick<Deps, 'config' | 'clock' | 'log'>): CertificateOf {
  const { tls_certificate_file, client_ca_file, client_certificate_header: header, trust_proxy } = deps.config.http
  const authorities = client_ca_file === null ? [] : readCertificates(client_ca_file)
  const isProxy = rangesOf(trust_proxy)

  const read = (request: FastifyRequest): X509Certificate | undefined => {
    const { socket } = request.raw
    if (tls_certificate_file !== null) {
      return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
    }
    // Whoever is not the proxy could write the header as well.
    if (header === null || !isProxy(socket.remoteAddress)) return undefined
    return readHeader(request.headers[header])
  }

  return (request) => {
    try {
      const certificate = read(request)
      return certificate && describe(certificate, authorities, deps.clock.now())
    } catch (err) {
      deps.log.warn({ err, request_id: request.id }, 'a client certificate that cannot be read')
      return undefined
    }
  }
}

/** All certificates of a PEM file. */
function readCertificates(path: string): X509Certificate[] {
  const blocks = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

/** RFC 9440 §2.1 has base64 between colons; proxies without it send percent-encoded PEM. */
function readHeader(value: string | readonly string[] | undefined): X509Certificate | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string' || value.length > MAX_HEADER_CHARACTERS)
    throw new Error('several certificates in the header')
  const base64 = /^:([a-z0-9+/]+=*):$/i.exec(value)?.[1]
  return new X509Certificate(base64 === undefined ? decodeURIComponent(value) : Buffer.from(base64, 'base64'))
}

function describe(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  now: Seconds,
): ClientCertificate {
  const { kty, ...members } = certificate.publicKey.export({ format: 'jwk' })
  return {
    x5t_s256: certificateThumbprint(certificate.raw),
    anchored: isAnchored(certificate, authorities, now),
    subject_dn: normalizedName(nameFromLines(certificate.subject ?? '')),
    san: readSubjectAltName(certificate.subjectAltName),
    public_key: { ...members, kty: kty ?? '' },
  }
}

/** Issued directly by one of the authorities, for clients, and valid now as the authority is. */
function isAnchored(certificate: X509Certificate, authorities: readonly X509Certificate[], now: Seconds): boolean {
  if (!isValid(certificate, now)) return false
  // RFC 5280 §4.2.1.12: what has purposes is for no other.
  const purposes: readonly string[] | undefined = certificate.keyUsage
  if (purposes !== undefined && !purposes.includes(CLIENT_AUTHENTICATION)) return false
  return authorities.some(
    (authority) =>
      authority.ca &&
      isValid(authority, now) &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey),
  )
}

function isValid({ validFromDate, validToDate }: X509Certificate, now: Seconds): boolean {
  return validFromDate.getTime() / 1000 <= now && now < validToDate.getTime() / 1000
}
