import type { Config } from '../../config/schema.ts'
import { CliError } from './exit.ts'
import { type Finding, fail, ok, warn } from './findings.ts'
import { type HttpReply, request } from './http.ts'
import type { Io } from './io.ts'
import { member, parseJson, textOf } from './transport.ts'

/** How far two clocks may be apart before fresh tokens are refused somewhere. */
const TOLERATED_SECONDS = 5

/** The running server, as a resource server sees it: by its issuer alone. @param active_kid what the database says */
export async function examineServer(config: Config, io: Io, active_kid: string | undefined): Promise<Finding[]> {
  const { issuer } = config
  const url = `${issuer}/.well-known/openid-configuration`
  const discovery = await reach(url)
  if (discovery instanceof CliError) {
    return [fail('server', discovery.message, 'Start it: gatehouse serve. If it runs, its issuer must lead to it.')]
  }
  const named = textOf(parseJson(discovery.text), 'issuer')
  if (discovery.status !== 200 || named === undefined) {
    const remedy = 'Something else answers at the issuer: check the issuer and the proxy in front.'
    return [fail('server', `${url} answers ${discovery.status}, and no discovery document`, remedy)]
  }
  const findings = [
    ok('server', `it answers at ${issuer}`),
    examineName(issuer, named),
    examineClock(discovery, io.now()),
  ]
  return [...findings, ...(await examineJwks(textOf(parseJson(discovery.text), 'jwks_uri'), active_kid))]
}

function examineName(issuer: string, named: string): Finding {
  // RFC 8414 §3.3: identical, or verifiers MUST NOT use it.
  if (named === issuer) return ok('discovery', 'its issuer is the configured one, byte for byte')
  const remedy = 'Start the server with the same configuration as this command, and mind the slash at the end.'
  return fail('discovery', `it names the issuer ${JSON.stringify(named)}, not ${JSON.stringify(issuer)}`, remedy)
}

function examineClock({ headers }: HttpReply, now: number): Finding {
  const date = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(date)) return warn('clock', 'the server sends no Date', 'Let the proxy in front pass the header on.')
  const difference = Math.abs(now - date) / 1000
  // The header has whole seconds.
  if (difference < TOLERATED_SECONDS)
    return ok('clock', `the server's and this one agree within ${TOLERATED_SECONDS} s`)
  const remedy = 'Let both be kept by NTP: tokens are refused by a clock that is behind.'
  return fail('clock', `the server's and this one are ${Math.round(difference)} s apart`, remedy)
}

async function examineJwks(jwks_uri: string | undefined, active_kid: string | undefined): Promise<Finding[]> {
  if (jwks_uri === undefined)
    return [fail('jwks', 'discovery names no jwks_uri', 'Is it Gatehouse that answers there?')]
  const jwks = await reach(jwks_uri)
  if (jwks instanceof CliError) return [fail('jwks', jwks.message, `${jwks_uri} must be reachable by every verifier.`)]
  const keys = member(parseJson(jwks.text), 'keys')
  if (jwks.status !== 200 || !Array.isArray(keys)) {
    return [fail('jwks', `${jwks_uri} answers ${jwks.status}, and no JWK Set`, 'Check the proxy in front.')]
  }
  return [examineCaching(jwks), examineKid(keys, active_kid)]
}

function examineCaching({ headers }: HttpReply): Finding {
  const cacheable = /max-age=\d/.test(headers.get('cache-control') ?? '') && headers.has('etag')
  if (cacheable) return ok('jwks', 'it is served, and may be cached')
  return warn('jwks', 'it is served without Cache-Control or ETag', 'Let the proxy in front pass these headers on.')
}

function examineKid(keys: readonly unknown[], active_kid: string | undefined): Finding {
  if (active_kid === undefined) return warn('jwks', 'there was no active key to look for', 'Mend the database first.')
  if (keys.some((key) => textOf(key, 'kid') === active_kid)) return ok('jwks', 'the key that signs is in it')
  const remedy = 'Does the server use this database? If it does, a cache in front serves an old answer: purge it.'
  return fail('jwks', `${active_kid}, which signs, is not in it`, remedy)
}

async function reach(url: string): Promise<HttpReply | CliError> {
  try {
    return await request(url)
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
}
