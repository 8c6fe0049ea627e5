/**
 * What the access tokens for one resource say besides what every access token says: an administrator writes the claims
 * down as JSON, with `{{name}}` where something of the token, the client or the person goes.
 */
import type { Account } from './account.ts'
import { accountClaims, SCOPE_CLAIMS } from './claims.ts'
import type { Client } from './client.ts'
import type { Grant } from './grant.ts'
import { parseScope } from './scope.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** The claims of a mapping, by name. */
export type ClaimMapping = { readonly [name: string]: Json }

export const NO_CLAIMS: ClaimMapping = {}

/** What a mapping may name. Nothing of it is a secret; what is known of a person goes nowhere unless it is named. */
export const CLAIM_SOURCES: readonly string[] = [
  'sub',
  'account_id',
  'legacy_user_id',
  'username',
  'roles',
  'role',
  'client_id',
  'client_name',
  'scope',
  'scopes',
  'grant_id',
  'sid',
  'auth_time',
  'acr',
  'amr',
  ...Object.values(SCOPE_CLAIMS).flat(),
]

/** What every token says by itself, or what verifiers take for a rule. `user_id` may be mapped: sites number their users. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'auth_time', 'acr', 'amr', 'sid', 'azp'],
  ...['grant_id', 'status', 'cnf', 'act', 'may_act', 'exchanged_from', 'authorization_details', 'token_type'],
  ...['nonce', 'at_hash', 'events', 'token_introspection', '__proto__', 'constructor', 'prototype'],
])

const MAX_BYTES = 4096
const MAX_DEPTH = 6
const MAX_NAME = 255

// What is between the braces is trimmed afterwards: an expression that did it would take cubic time over many spaces.
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g
const WHOLE = /^\{\{([^{}]*)\}\}$/

/** @returns what is wrong with a mapping, one line for each thing; none: it may be registered */
export function claimMappingProblems(mapping: ClaimMapping): string[] {
  if (JSON.stringify(mapping).length > MAX_BYTES) return [`is longer than ${MAX_BYTES} characters`]
  const reserved = Object.keys(mapping).filter((name) => RESERVED.has(name))
  return [
    ...reserved.map((name) => `${name} is a claim that every token has a meaning for: choose another name`),
    ...valueProblems(mapping, 0),
  ]
}

function valueProblems(value: Json, depth: number): string[] {
  if (depth > MAX_DEPTH) return [`nests more than ${MAX_DEPTH} levels deep`]
  if (typeof value === 'string') {
    const named = [...value.matchAll(PLACEHOLDER)].map(([, name = '']) => name.trim())
    const unknown = named.filter((name) => !isSource(name))
    return unknown.map((name) => `{{${name}}} is not known; known are ${CLAIM_SOURCES.join(', ')}`)
  }
  if (isList(value)) return value.flatMap((item) => valueProblems(item, depth + 1))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === '' || name.length > MAX_NAME) return [`a name has 1 to ${MAX_NAME} characters`]
    if (name === '__proto__') return ['__proto__ is no name']
    return valueProblems(member, depth + 1)
  })
}

function isSource(name: string): boolean {
  return CLAIM_SOURCES.includes(name)
}

/** Who and what a token speaks of. */
export interface MappedFrom {
  readonly client: Client
  readonly account: Account | null
  readonly grant: Grant | null
  readonly sub: string
  readonly scope: string
}

/**
 * The claims of a token. What has no value is left out, with the text or the member that it would have been in; a list
 * inside a list is laid flat.
 */
export function mappedClaims(mapping: ClaimMapping, from: MappedFrom): Readonly<Record<string, unknown>> {
  const names = Object.keys(mapping)
  if (names.length === 0) return {}
  return asObject(filled(mapping, sourcesOf(from)))
}

/**
 * What a mapping may come to, as JSON: with the rest of the token, and in base64url, it stays below the 8 KiB that this
 * server's own verifier reads.
 */
export const MAX_MAPPED_BYTES = 4096

/** How long the claims of a mapping are, as JSON in UTF-8. What comes of a sign-in is short, and is not counted. */
export function mappedBytes(mapping: ClaimMapping, from: Omit<MappedFrom, 'grant' | 'sub'>): number {
  if (Object.keys(mapping).length === 0) return 0
  return new TextEncoder().encode(JSON.stringify(mappedClaims(mapping, { ...from, grant: null, sub: '' }))).length
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function sourcesOf({ client, account, grant, sub, scope }: MappedFrom): ReadonlyMap<string, unknown> {
  const person: Record<string, unknown> =
    account === null
      ? {}
      : {
          ...accountClaims(account),
          // OpenID Connect Core §8.1: a client with pairwise subjects learns no other name of the account.
          ...(client.subject_type === 'pairwise' ? {} : namesOf(account)),
          username: account.username,
          roles: account.roles,
          ...(account.roles[0] === undefined ? {} : { role: account.roles[0] }),
        }
  const session = grant === null ? {} : { grant_id: grant.grant_id, sid: grant.session_id, auth_time: grant.auth_time }
  const sign_in = grant === null ? {} : { amr: grant.amr, ...(grant.acr === null ? {} : { acr: grant.acr }) }
  return new Map<string, unknown>(
    Object.entries({
      ...person,
      ...session,
      ...sign_in,
      sub,
      client_id: client.client_id,
      ...(client.client_name === undefined || client.client_name === null ? {} : { client_name: client.client_name }),
      scope,
      scopes: parseScope(scope) ?? [],
    }),
  )
}

/** What the account is called, here and where it came from. */
function namesOf({ account_id, legacy_user_id }: Account) {
  return legacy_user_id === null ? { account_id } : { account_id, legacy_user_id }
}

/** @returns undefined: it has no value */
function filled(value: Json, sources: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'string') return filledText(value, sources)
  if (isList(value)) {
    return value.flatMap((item) => {
      const made = filled(item, sources)
      return made === undefined ? [] : made
    })
  }
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, filled(member, sources)] as const)
  return Object.fromEntries(members.filter(([, made]) => made !== undefined))
}

function filledText(text: string, sources: ReadonlyMap<string, unknown>): unknown {
  const whole = WHOLE.exec(text)?.[1]?.trim()
  if (whole !== undefined) return sources.get(whole)
  let missing = false
  const made = text.replace(PLACEHOLDER, (_, name: string) => {
    const value = sources.get(name.trim())
    if (value === undefined) {
      missing = true
      return ''
    }
    if (Array.isArray(value)) return value.join(' ')
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
  return missing ? undefined : made
}

/**
 * The claims of a token for several resources.
 *
 * @returns undefined: two of them want different values under one name
 */
export function mergeMappings(mappings: readonly ClaimMapping[]): ClaimMapping | undefined {
  const merged: Record<string, Json> = {}
  for (const mapping of mappings) {
    for (const [name, value] of Object.entries(mapping)) {
      if (Object.hasOwn(merged, name) && JSON.stringify(merged[name]) !== JSON.stringify(value)) return undefined
      merged[name] = value
    }
  }
  return merged
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
