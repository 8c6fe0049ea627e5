import type { Clock, Seconds } from '../protocol/time.ts'
import { type Outbound, OutboundError } from './outbound.ts'

const FRESH_SECONDS = 3600
const SECONDS_AFTER_FAILURE = 10

/** Where an issuer publishes its keys. @throws {OutboundError} when it does not say */
export type JwksUriOf = (issuer: string) => Promise<string>

interface Found {
  readonly answer: Promise<string>
  readonly at: Seconds
  failed: boolean
}

/** Asks issuers' metadata, and remembers what they say for a while. The issuers are those of the configuration: few. */
export function createJwksUriOf({ outbound, clock }: { outbound: Outbound; clock: Clock }): JwksUriOf {
  const known = new Map<string, Found>()
  return (issuer) => {
    const found = known.get(issuer)
    const seconds = found?.failed ? SECONDS_AFTER_FAILURE : FRESH_SECONDS
    if (found !== undefined && clock.now() - found.at < seconds) return found.answer
    const asked: Found = { answer: ask(outbound, issuer), at: clock.now(), failed: false }
    asked.answer.catch(() => {
      asked.failed = true
    })
    known.set(issuer, asked)
    return asked.answer
  }
}

/** Providers of OpenID Connect may have their metadata in the second place only. */
async function ask(outbound: Outbound, issuer: string): Promise<string> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const places = [
    // RFC 8414 §3: in front of the issuer's path. OpenID Connect Discovery §4: behind it.
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
  const problems: string[] = []
  for (const place of places) {
    try {
      return jwksUriIn((await outbound.getJson(place)).json, issuer)
    } catch (cause) {
      problems.push(cause instanceof Error ? cause.message : String(cause))
    }
  }
  throw new OutboundError(`the metadata of ${issuer}: ${problems.join('; ')}`)
}

function jwksUriIn(json: unknown, issuer: string): string {
  // RFC 8414 §3.3: metadata whose issuer is another MUST NOT be used.
  if (typeof json !== 'object' || json === null || !('issuer' in json) || json.issuer !== issuer) {
    throw new OutboundError('it is of another issuer')
  }
  if (!('jwks_uri' in json) || typeof json.jwks_uri !== 'string') throw new OutboundError('it names no jwks_uri')
  return json.jwks_uri
}
