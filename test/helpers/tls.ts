/** Requests over TLS to a server whose certificate only the test knows, with or without a certificate of one's own. */
import { Agent } from 'undici'
import type { TestCertificate } from './certificates.ts'

/** @param shown the client's certificate */
export function fetchOverTls(server: TestCertificate, shown?: TestCertificate): typeof fetch {
  const identity = shown === undefined ? {} : { cert: shown.certificate, key: shown.key }
  const dispatcher = new Agent({ connect: { ca: server.certificate, ...identity } })
  return (input, init) => {
    const options: object = { ...init, dispatcher }
    return fetch(input, options)
  }
}
