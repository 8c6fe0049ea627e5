import type { AccessTokenClaims } from './access_token.ts'
import type { Client } from './client.ts'
import type { Grant } from './grant.ts'
import type { Resource } from './resource.ts'
import { parseScope } from './scope.ts'
import type { Seconds } from './time.ts'

/** @see [RFC 7662 §2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2) */
export type IntrospectionResponse =
  | { readonly active: false }
  | {
      readonly active: true
      readonly token_type?: 'Bearer'
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
  if (parseScope(client.scope)?.includes('gatehouse:read')) return true
  // A refresh token is no business of a resource server's.
  if (token.kind === 'refresh_token') return false
  return resources.some(
    ({ resource, introspection_clients }) =>
      introspection_clients.includes(client.client_id) || client.client_id === resource,
  )
}

export function describeAccessToken(claims: AccessTokenClaims, username: string | undefined): IntrospectionResponse {
  const { iss, sub, aud, client_id, scope, iat, exp, jti, sid, auth_time } = claims
  return {
    active: true,
    token_type: 'Bearer',
    token_use: 'access_token',
    iss,
    sub,
    aud,
    client_id,
    iat,
    exp,
    jti,
    ...(username === undefined ? {} : { username }),
    ...(scope === undefined ? {} : { scope }),
    ...(sid === undefined ? {} : { sid }),
    ...(auth_time === undefined ? {} : { auth_time }),
  }
}

export function describeRefreshToken(iss: string, grant: Grant, username: string | undefined): IntrospectionResponse {
  return {
    active: true,
    token_use: 'refresh_token',
    iss,
    sub: grant.account_id,
    aud: grant.resources,
    client_id: grant.client_id,
    iat: grant.rotated_at,
    exp: grant.idle_expires_at,
    sid: grant.session_id,
    auth_time: grant.auth_time,
    ...(username === undefined ? {} : { username }),
    ...(grant.scope === '' ? {} : { scope: grant.scope }),
  }
}
