/**
 * What a client's certificate says, and whether it is the one that the client is registered with.
 *
 * @see [RFC 8705 §2](https://www.rfc-editor.org/rfc/rfc8705#section-2)
 */
import { createHash } from 'node:crypto'
import { ipv6Groups } from './address_prefix.ts'
import type { ClientJwk, ClientMetadata } from './client.ts'
import { normalizedName } from './distinguished_name.ts'
import { sameKey } from './jwk_set.ts'

/** Whoever has read it off the connection has seen that the client holds its key. */
export interface ClientCertificate {
  /** RFC 8705 §3.1: the SHA-256 digest of its DER form, base64url. */
  readonly x5t_s256: string
  /** Whether it is valid now and an authority of `http.client_ca_file` has issued it. */
  readonly anchored: boolean
  /** As {@link normalizedName} gives it; undefined: none that could be compared. */
  readonly subject_dn: string | undefined
  readonly san: SubjectAlternativeNames
  readonly public_key: ClientJwk
}

/** The entries of a certificate's subjectAltName (RFC 5280 §4.2.1.6). */
export interface SubjectAlternativeNames {
  readonly dns: readonly string[]
  readonly uri: readonly string[]
  readonly ip: readonly string[]
  readonly email: readonly string[]
}

/** Whether a certificate has the one name that a client is registered with (RFC 8705 §2.1.2). */
export function namesClient({ subject_dn, san }: ClientCertificate, client: ClientMetadata): boolean {
  const {
    tls_client_auth_subject_dn: dn,
    tls_client_auth_san_dns: dns,
    tls_client_auth_san_uri: uri,
    tls_client_auth_san_ip: ip,
    tls_client_auth_san_email: email,
  } = client
  if (dn !== undefined) return subject_dn !== undefined && subject_dn === normalizedName(dn)
  if (dns !== undefined) return holds(san.dns, dns, lowerCase)
  if (uri !== undefined) return san.uri.includes(uri)
  if (ip !== undefined) return holds(san.ip, ip, plainAddress)
  return email !== undefined && san.email.includes(email)
}

function holds(names: readonly string[], name: string, normal: (name: string) => string): boolean {
  return names.some((one) => normal(one) === normal(name))
}

const lowerCase = (name: string) => name.toLowerCase()
const plainAddress = (address: string) => ipv6Groups(address)?.join(':') ?? address

/**
 * Whether a registered key stands for a certificate: by the certificate in its `x5c`, else by being the certificate's
 * key (RFC 8705 §2.2.2).
 */
export function isCertificateOf(certificate: ClientCertificate, key: ClientJwk): boolean {
  const [x5c]: readonly unknown[] = Array.isArray(key.x5c) ? key.x5c : []
  if (typeof x5c !== 'string') return sameKey(certificate.public_key, key)
  return certificateThumbprint(Buffer.from(x5c, 'base64')) === certificate.x5t_s256
}

/** `x5t#S256` of a certificate in DER. */
export function certificateThumbprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64url')
}

const KINDS: Readonly<Record<string, keyof SubjectAlternativeNames>> = {
  DNS: 'dns',
  URI: 'uri',
  'IP Address': 'ip',
  email: 'email',
}

/**
 * Reads a subjectAltName as Node.js writes it: `DNS:a.example, URI:"with, comma"`.
 *
 * @see [crypto: x509.subjectAltName](https://nodejs.org/api/crypto.html#x509subjectaltname)
 */
export function readSubjectAltName(text: string | undefined): SubjectAlternativeNames {
  const names = { dns: [] as string[], uri: [] as string[], ip: [] as string[], email: [] as string[] }
  const entry = /([^:,]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y
  while (text !== undefined && entry.lastIndex < text.length) {
    const [, kind = '', value = ''] = entry.exec(text) ?? []
    // What cannot be told apart names nobody.
    if (kind === '') return { dns: [], uri: [], ip: [], email: [] }
    const list = KINDS[kind]
    if (list !== undefined) names[list].push(value.startsWith('"') ? String(JSON.parse(value)) : value)
  }
  return names
}
