import type { Deps } from '../deps.ts'
import { ACCESS_TOKEN_TYP, type AccessTokenClaims } from '../protocol/access_token.ts'
import { CLI_CLIENT_ID } from '../protocol/client_registration.ts'
import { randomId } from '../protocol/random_id.ts'
import { ADMIN_SCOPES, formatScope } from '../protocol/scope.ts'
import { builtInResources } from '../tokens/resources.ts'

export { CLI_CLIENT_ID }

const CLI_SUBJECT = 'cli'
const CLI_TOKEN_SECONDS = 60

/**
 * A token with which the command line, running beside the database, calls the admin API. Only someone who holds the
 * vault's key can sign one, and who holds it can do anything already; so it needs no client and no account.
 */
export function mintCliToken(deps: Pick<Deps, 'config' | 'keys' | 'clock' | 'random'>): Promise<string> {
  const now = deps.clock.now()
  const claims: AccessTokenClaims = {
    iss: deps.config.issuer,
    sub: CLI_SUBJECT,
    aud: builtInResources(deps.config).admin_resource,
    client_id: CLI_CLIENT_ID,
    scope: formatScope(ADMIN_SCOPES),
    iat: now,
    exp: now + CLI_TOKEN_SECONDS,
    jti: randomId(deps.random),
    token_type: 'access',
  }
  return deps.keys.sign('RS256', ACCESS_TOKEN_TYP, claims)
}

/** Whether a verified token is one of {@link mintCliToken}: no path that issues to clients or accounts makes one such. */
export function isCliToken(claims: AccessTokenClaims): boolean {
  const { client_id, sub, grant_id, user_id } = claims
  return client_id === CLI_CLIENT_ID && sub === CLI_SUBJECT && grant_id === undefined && user_id === undefined
}
