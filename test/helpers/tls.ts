/** A server with TLS of its own whose certificate only the test knows, and requests with or without a certificate of one's own. */
import { Agent } from 'undici'
import type { TestCertificate } from './certificates.ts'
import { freePort } from './process.ts'

/** Settings for `startServer`. @param authority whose certificates are believed */
export async function tlsSettings(
  server: TestCertificate,
  authority?: TestCertificate,
): Promise<Readonly<Record<string, string>>> {
  const port = String(await freePort())
  return {
    GATEHOUSE_PORT: port,
    GATEHOUSE_ISSUER: `https://localhost:${port}`,
    GATEHOUSE_HTTP__TLS_CERTIFICATE_FILE: server.certificate_file,
    GATEHOUSE_HTTP__TLS_KEY_FILE: server.key_file,
    ...(authority === undefined ? {} : { GATEHOUSE_HTTP__CLIENT_CA_FILE: authority.certificate_file }),
  }
}

/** What a client is registered with that signs its certificate itself. */
export function keySetOf({ x509 }: TestCertificate) {
  return { keys: [{ ...x509.publicKey.export({ format: 'jwk' }), kty: 'EC' }] }
}

/** @param shown the client's certificate */
export function fetchOverTls(server: TestCertificate, shown?: TestCertificate): typeof fetch {
  const identity = shown === undefined ? {} : { cert: shown.certificate, key: shown.key }
  const dispatcher = new Agent({ connect: { ca: server.certificate, ...identity } })
  return (input, init) => {
    const options: object = { ...init, dispatcher }
    return fetch(input, options)
  }
}
