/**
 * What counts of a certificate that a client has shown. Whoever read it off the connection has seen that the client
 * holds its key.
 *
 * @see [RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)
 */
export interface ClientCertificate {
  /** RFC 8705 §3.1: the SHA-256 digest of its DER form, base64url. */
  readonly x5t_s256: string
  /** Whether it is valid now and an authority of `http.client_ca_file` has issued it. */
  readonly anchored: boolean
  /** RFC 4514 in the one form of {@link normalizedName}; undefined: there is none that could be compared. */
  readonly subject_dn: string | undefined
  /** Its subjectAltName entries. */
  readonly san: {
    readonly dns: readonly string[]
    readonly uri: readonly string[]
    readonly ip: readonly string[]
    readonly email: readonly string[]
  }
  /** Its public key as a JWK. */
  readonly public_key: Readonly<Record<string, unknown>>
}
