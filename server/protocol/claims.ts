/**
 * Claims about a person, and which of them a client may see.
 *
 * @see [OpenID Connect Core 1.0 §5](https://openid.net/specs/openid-connect-core-1_0.html#Claims)
 */
import type { Account } from './account.ts'
import type { Client } from './client.ts'
import { ANY, parseScope } from './scope.ts'

/** One member of the `claims` parameter (§5.5.1); null: voluntary, without conditions. */
export type ClaimRequest = {
  readonly essential?: boolean
  readonly value?: unknown
  readonly values?: readonly unknown[]
} | null

/** The `claims` parameter (§5.5). Members that name no claim of ours are kept out of it. */
export interface ClaimsRequest {
  readonly userinfo?: Readonly<Record<string, ClaimRequest>>
  readonly id_token?: Readonly<Record<string, ClaimRequest>>
}

export type Claims = Readonly<Record<string, unknown>>

/** §5.4: the claims that each scope asks for. */
export const SCOPE_CLAIMS = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
} as const satisfies Record<string, readonly string[]>

/** Claims about the sign-in: in every ID token, and what `claims` may say more about (§2, §5.5.1). */
export const AUTHENTICATION_CLAIMS = ['sub', 'auth_time', 'acr', 'amr', 'sid'] as const

/** Discovery's `claims_supported`, and what the `claims` parameter may name. */
export const CLAIM_NAMES: readonly string[] = [...AUTHENTICATION_CLAIMS, ...Object.values(SCOPE_CLAIMS).flat()]

/**
 * The claims of an account that UserInfo gives for a scope and a `claims` parameter.
 *
 * @param scope of the access token
 * @see [OpenID Connect Core 1.0 §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)
 */
export function userinfoClaims(
  client: Pick<Client, 'scope'>,
  account: Account,
  { scope, claims }: { readonly scope: string; readonly claims: ClaimsRequest | null },
): Claims {
  const scopes = parseScope(scope) ?? []
  const byScope = Object.entries(SCOPE_CLAIMS).flatMap(([name, names]) => (scopes.includes(name) ? names : []))
  const known = accountClaims(account)
  return { ...pick(known, byScope), ...requestedClaims(client, known, claims?.userinfo) }
}

/**
 * The claims of an account that an ID token carries: those asked for by name. What a scope asks for is UserInfo's, since
 * there is always an access token (§5.4).
 */
export function idTokenAccountClaims(
  client: Pick<Client, 'scope'>,
  account: Account,
  claims: ClaimsRequest | null,
): Claims {
  return claims?.id_token === undefined ? {} : requestedClaims(client, accountClaims(account), claims.id_token)
}

/** All that is known of an account, in the words of §5.1. What is not known is left out, never null (§5.3.2). */
export function accountClaims({ username, name, email, email_verified_at, updated_at, profile }: Account): Claims {
  const { phone_number, phone_number_verified, address, ...rest } = profile
  return {
    preferred_username: username,
    ...rest,
    ...(name === null ? {} : { name }),
    ...(email === null ? {} : { email, email_verified: email_verified_at !== null }),
    ...(phone_number === undefined ? {} : { phone_number, phone_number_verified: phone_number_verified === true }),
    ...(address === undefined || Object.keys(address).length === 0 ? {} : { address }),
    updated_at,
  }
}

function requestedClaims(
  client: Pick<Client, 'scope'>,
  known: Claims,
  requested: Readonly<Record<string, ClaimRequest>> = {},
): Claims {
  const names = Object.entries(requested).flatMap(([name, request]) =>
    mayRelease(client, name) && isAskedFor(request, known[name]) ? [name] : [],
  )
  return pick(known, names)
}

/** A claim asked for by name takes the registration that the scope around it takes: `claims` is no way past it. */
function mayRelease(client: Pick<Client, 'scope'>, claim: string): boolean {
  const scopes = parseScope(client.scope) ?? []
  return Object.entries(SCOPE_CLAIMS).some(
    ([scope, names]) =>
      (scopes.includes(scope) || scopes.includes(ANY)) && names.some((name: string) => name === claim),
  )
}

/** §5.5.1: with `value` or `values`, only such a value is asked for. */
function isAskedFor(request: ClaimRequest, value: unknown): boolean {
  if (request === null) return true
  if (request.value !== undefined) return request.value === value
  return request.values === undefined || request.values.includes(value)
}

function pick(known: Claims, names: readonly string[]): Claims {
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(known, name) ? [[name, known[name]]] : [])))
}
