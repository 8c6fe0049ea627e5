import type { AccessTokenClaims, Actor } from './access_token.ts'
import { readsEverything } from './administration.ts'
import type { AuthorizationDetail } from './authorization_request.ts'
import type { Client } from './client.ts'
import { type Confirmation, tokenTypeOf } from './confirmation.ts'
import type { Grant } from './grant.ts'
import type { Resource } from './resource.ts'
import { parseScope } from './scope.ts'
import type { Seconds } from './time.ts'

/** @see [RFC 7662 §2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2) */
export type IntrospectionResponse =
  | { readonly active: false }
  | {
      readonly active: true
      readonly token_type?: 'Bearer' | 'DPoP'
      readonly token_use: 'access_token' | 'refresh_token'
      readonly iss: string
      readonly sub: string
      readonly aud: string | readonly string[]
      readonly client_id: string
      readonly username?: string
      readonly scope?: string
      readonly iat: Seconds
      readonly exp: Seconds
      readonly jti?: string
      readonly sid?: string
      readonly auth_time?: Seconds
      /** RFC 9470 §6.2 */
      readonly acr?: string
      readonly amr?: readonly string[]
      /** RFC 8705 §3.2, RFC 9449 §6.2 */
      readonly cnf?: Confirmation
      /** RFC 8693 §7.3 */
      readonly act?: Actor
      /** RFC 9396 §9.2 */
      readonly authorization_details?: readonly AuthorizationDetail[]
    }

export const INACTIVE: IntrospectionResponse = { active: false }

/**
 * Who may learn of a token (RFC 7662 §4): the client that it was issued to, a resource server of its audience, and a
 * client that may read everything anyway. Anybody else hears "inactive", as for a token that never was.
 */
export function mayIntrospect(
  client: Client,
  token: { client_id: string; kind: 'access_token' | 'refresh_token' },
  resources: readonly Resource[],
): boolean {
  if (client.client_id === token.client_id) return true
  if (readsEverything(client)) return true
  // A refresh token is no business of a resource server's.
  if (token.kind === 'refresh_token') return false
  return resources.some(
    ({ resource, introspection_clients }) =>
      introspection_clients.includes(client.client_id) || client.client_id === resource,
  )
}

/** The media type of a response as a JWT, and without `application/` the `typ` of its header (RFC 9701 §5). */
export const INTROSPECTION_JWT = 'token-introspection+jwt'

/**
 * Whether a response is to be a JWT: the request says so, or the registration of who asks.
 *
 * @see [RFC 9701 §4, §6](https://www.rfc-editor.org/rfc/rfc9701#section-4)
 */
export function wantsJwt(
  accept: string | undefined,
  client: Pick<Client, 'introspection_signed_response_alg'>,
): boolean {
  const types = (accept ?? '')
    .toLowerCase()
    .split(',')
    .map((type) => type.split(';', 1)[0]?.trim())
  return client.introspection_signed_response_alg !== undefined || types.includes(`application/${INTROSPECTION_JWT}`)
}

/**
 * Who a person is to the client that asks.
 *
 * @param sub as the asking client knows them: a pairwise subject of its own, where it has those
 */
export interface Person {
  readonly sub: string
  /** undefined: not for this client to know. */
  readonly username: string | undefined
}

/**
 * Whether a client may hear the user name: not what it could not learn from UserInfo, and nothing by which clients with
 * pairwise subjects could put their people together.
 */
export function mayLearnUsername(
  client: Client,
  token: { readonly client_id: string; readonly scope: string },
): boolean {
  if (client.subject_type === 'pairwise') return false
  if (client.client_id !== token.client_id || client.first_party) return true
  return parseScope(token.scope)?.includes('profile') === true
}

export function describeAccessToken(claims: AccessTokenClaims, person: Person | undefined): IntrospectionResponse {
  const { iss, sub, aud, client_id, scope, iat, exp, jti, sid, auth_time, acr, amr, cnf, act } = claims
  const { authorization_details } = claims
  return {
    active: true,
    token_type: tokenTypeOf(cnf),
    token_use: 'access_token',
    iss,
    sub: person?.sub ?? sub,
    aud,
    client_id,
    iat,
    exp,
    jti,
    ...present({ username: person?.username, scope, sid, auth_time, acr, amr, cnf, act, authorization_details }),
  }
}

export function describeRefreshToken(iss: string, grant: Grant, person: Person): IntrospectionResponse {
  const { scope, acr, amr, cnf, authorization_details } = grant
  return {
    active: true,
    token_use: 'refresh_token',
    iss,
    sub: person.sub,
    aud: grant.resources,
    client_id: grant.client_id,
    iat: grant.rotated_at,
    exp: grant.idle_expires_at,
    sid: grant.session_id,
    auth_time: grant.auth_time,
    ...present({
      username: person.username,
      scope: scope === '' ? undefined : scope,
      acr: acr ?? undefined,
      amr,
      cnf: cnf ?? undefined,
      authorization_details: authorization_details.length === 0 ? undefined : authorization_details,
    }),
  }
}

/** The members that have a value. */
function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
