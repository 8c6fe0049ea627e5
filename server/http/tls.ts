import { readFileSync, statSync } from 'node:fs'
import type { ServerOptions } from 'node:https'
import type { Config } from '../../config/schema.ts'

const NOT_FOR_OTHERS = 0o077

/**
 * How this server speaks TLS itself. Clients are asked for a certificate and let in without one: what it is worth is
 * decided where a client authenticates.
 *
 * @returns undefined: a proxy in front does
 * @throws when a file cannot be read, or others may read the key
 */
export function tlsOptions({ tls_certificate_file, tls_key_file }: Config['http']): ServerOptions | undefined {
  if (tls_certificate_file === null || tls_key_file === null) return undefined
  if ((statSync(tls_key_file).mode & NOT_FOR_OTHERS) !== 0) {
    throw new Error(`${tls_key_file} (http.tls_key_file) can be read by others. Run: chmod 600 ${tls_key_file}`)
  }
  return {
    cert: readFileSync(tls_certificate_file),
    key: readFileSync(tls_key_file),
    requestCert: true,
    rejectUnauthorized: false,
  }
}
