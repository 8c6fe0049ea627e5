/** What `gatehouse snippet apache` prints, as it is printed: Debian's mod_auth_openidc as a resource server. */
import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { noApache, startApache, tlsHost } from '../helpers/apache.ts'
import { certificateMaker } from '../helpers/certificates.ts'
import { adapted } from '../helpers/nginx.ts'
import { freePort } from '../helpers/process.ts'
import { apiAt, judgeVerifier, serve, snippetText } from '../helpers/snippets.ts'
import { type StandInIssuer, startStandInIssuer } from '../helpers/stand_in_issuer.ts'

/** The same issuer at another address: the module reads keys over https only. */
function readdressed(issuer: StandInIssuer, address: string): StandInIssuer {
  return {
    ...issuer,
    issuer: address,
    claims: (changes) => issuer.claims({ iss: address, ...changes }),
    token: (changes, header) => issuer.token({ iss: address, ...changes }, header),
  }
}

const skip = noApache()
if (skip) process.stderr.write(`test/snippets/apache.test.ts SKIPPED: ${skip}\n`)

t.setTimeout(60_000)
t.test('RFC 9068 §4, RFC 6750 §3: apache', { skip }, async (t) => {
  const certificate = certificateMaker(t).selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
  chmodSync(dirname(certificate.certificate_file), 0o755)
  const standIn = await startStandInIssuer(t)
  const [tls, port] = [await freePort(), await freePort()]
  const issuer = readdressed(standIn, `https://localhost:${tls}`)
  const printed = await snippetText('apache', issuer.issuer, issuer.audience)
  // The API behind Apache hears of the token by headers.
  const behind = await serve(t, ({ headers }) => ({ body: JSON.stringify({ sub: headers.oidc_claim_sub }) }))
  await startApache(t, {
    [tls]: tlsHost(certificate, standIn.issuer),
    [port]: `OIDCCABundlePath ${certificate.certificate_file}\n${adapted(printed, { '127.0.0.1:8081': behind })}`,
  })
  await judgeVerifier(t, issuer, await apiAt(port), 401)
})
