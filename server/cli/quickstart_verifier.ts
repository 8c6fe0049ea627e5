/**
 * A resource server in miniature, for the quickstart: it knows an issuer's URL and its own audience, and finds the keys
 * by discovery. It imports nothing of Gatehouse. Tokens come in on standard input, one a line; verdicts go out.
 *
 * @see [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4)
 */
import { text } from 'node:stream/consumers'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [issuer = '', audience = ''] = process.argv.slice(2)

const discovery = await fetch(`${issuer}/.well-known/openid-configuration`)
const metadata: unknown = await discovery.json()
const named = (name: string) =>
  typeof metadata === 'object' && metadata !== null ? String(Reflect.get(metadata, name)) : ''
// RFC 8414 §3.3: the issuer there MUST be identical to the one that was asked for.
if (named('issuer') !== issuer) throw new Error(`${issuer} calls itself ${named('issuer')}`)
const keys = createRemoteJWKSet(new URL(named('jwks_uri')))

for (const token of (await text(process.stdin)).split('\n')) {
  const verdict = await jwtVerify(token, keys, {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
  }).then(
    () => 'accepted',
    (error: unknown) => `refused (${error instanceof Error ? error.message : String(error)})`,
  )
  process.stdout.write(`${verdict}\n`)
}
