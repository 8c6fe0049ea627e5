/**
 * Who may exchange a token of ours for another, and who acts in it.
 *
 * @see [RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)
 */
import type { AccessTokenClaims, Actor, ExchangedToken } from './access_token.ts'
import type { Client } from './client.ts'
import { type Confirmation, confirms } from './confirmation.ts'
import { OAuthError } from './errors.ts'
import type { Grant } from './grant.ts'
import type { Resource } from './resource.ts'
import { type Granted, normalizeResource } from './target.ts'

export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** §3: what is issued, and what is taken; our access tokens are JWTs. */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
const TAKEN: readonly string[] = [ACCESS_TOKEN_TYPE, 'urn:ietf:params:oauth:token-type:jwt']

/** So many have acted, each for the one before, when the last may not pass it on. */
const MAX_ACTORS = 4

/** So many tokens lie between the first and the last. Who does not act, or acts again, does not count as an actor. */
const MAX_EXCHANGES = 8

export interface ExchangeParameters {
  readonly subject_token_type: string
  readonly actor_token?: string | undefined
  readonly actor_token_type?: string | undefined
  readonly requested_token_type?: string | undefined
}

/** @throws {OAuthError} `invalid_request` for kinds of tokens that are neither taken nor issued here */
export function assertTokenTypes(asked: ExchangeParameters): void {
  const { subject_token_type, actor_token, actor_token_type, requested_token_type } = asked
  // §2.1: actor_token_type is REQUIRED when the actor_token is there, and MUST NOT be included otherwise.
  if ((actor_token === undefined) !== (actor_token_type === undefined)) {
    throw new OAuthError('invalid_request', 'actor_token and actor_token_type go together')
  }
  if (!TAKEN.includes(subject_token_type) || (actor_token_type !== undefined && !TAKEN.includes(actor_token_type))) {
    throw new OAuthError('invalid_request', 'only access tokens of this server are exchanged')
  }
  if (requested_token_type !== undefined && requested_token_type !== ACCESS_TOKEN_TYPE) {
    throw new OAuthError('invalid_request', 'only access tokens are issued')
  }
}

/** A token that was brought, and what is known of it. */
export interface BroughtToken {
  readonly claims: AccessTokenClaims
  /** Of its audience. */
  readonly resources: readonly Resource[]
}

/**
 * Whether a token is in hands that it was meant for: its own client's, or those of a resource server of its audience.
 * Whoever else has it has found it.
 *
 * A token that is bound to a key stays bound. Its own client shows that key. A resource server cannot: it has seen the
 * proof when it was sent the token, and shows a key of its own.
 *
 * @throws {OAuthError} `invalid_request` (§2.2.2)
 * @see [RFC 9700 §4.10.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.10.1) sender constraint
 */
export function assertMayBring(
  client: Pick<Client, 'client_id'>,
  { claims, resources }: BroughtToken,
  shown: Confirmation | undefined,
): void {
  const { client_id } = client
  const own = claims.client_id === client_id
  const serves = resources.some(
    ({ resource, introspection_clients }) => resource === client_id || introspection_clients.includes(client_id),
  )
  if (!own && !serves) throw invalidToken('neither its client nor a resource server of its audience')
  if (claims.cnf === undefined) return
  const proven = own ? confirms(shown, claims.cnf) : shown !== undefined
  if (!proven)
    throw new OAuthError('invalid_request', 'a token that is bound to a key is exchanged with proof of a key')
}

/** One answer for every token that cannot be exchanged (§2.2.2). */
export function invalidToken(detail: string): OAuthError {
  return new OAuthError('invalid_request', 'the subject token or the actor token is not valid here', { detail })
}

/**
 * Who acts in the new token.
 *
 * @param actor.sub of the actor token, else the client's id
 * @param actor.impersonates the client may stay unnamed (§1.1); who has acted before does not
 * @returns undefined: the subject alone
 * @throws {OAuthError} `invalid_request`
 * @see [RFC 8693 §4.1](https://www.rfc-editor.org/rfc/rfc8693#section-4.1)
 */
export function actorOf(
  subject: Pick<AccessTokenClaims, 'act' | 'may_act'>,
  actor: { readonly sub: string; readonly impersonates: boolean },
): Actor | undefined {
  // §4.4: may_act names who is authorized to act.
  if (subject.may_act !== undefined && subject.may_act.sub !== actor.sub) {
    throw new OAuthError('invalid_request', 'the subject token names another actor')
  }
  if (actor.impersonates || subject.act?.sub === actor.sub) return subject.act
  const act: Actor = { sub: actor.sub, ...(subject.act === undefined ? {} : { act: subject.act }) }
  if (depthOf(act) > MAX_ACTORS) throw new OAuthError('invalid_request', 'too many have acted in this token already')
  return act
}

function depthOf({ act }: Actor): number {
  return act === undefined ? 1 : 1 + depthOf(act)
}

/**
 * The tokens that the new one comes of: each of them can still be revoked, and its client be disabled.
 *
 * @throws {OAuthError} `invalid_request`
 */
export function exchangedFrom(
  subject: Pick<AccessTokenClaims, 'jti' | 'client_id' | 'exchanged_from'>,
): readonly ExchangedToken[] {
  const { jti, client_id, exchanged_from = [] } = subject
  if (exchanged_from.length >= MAX_EXCHANGES) {
    throw new OAuthError('invalid_request', 'this token has been exchanged too often already')
  }
  return [...exchanged_from, { jti, client_id }]
}

/**
 * What the new token may be for: never a scope that the subject token lacks. Its own client stays at the resources that
 * were granted to it; a resource server goes on to those that it is registered for itself.
 *
 * @param asked.resource `resource` and `audience`, which here name the same things
 * @throws {OAuthError} `invalid_target`
 */
export function grantedByExchange(
  client: Pick<Client, 'client_id'>,
  { claims, grant }: { readonly claims: AccessTokenClaims; readonly grant: Pick<Grant, 'client_id' | 'resources'> },
  asked: { readonly resource: readonly string[] },
): Granted {
  const { client_id } = client
  const audience = [claims.aud].flat()
  const own = claims.client_id === client_id
  const named = asked.resource.length > 0 ? asked.resource.map(normalizeResource) : audience
  const held = [...audience, ...(grant.client_id === client_id ? grant.resources : [])]
  return {
    scope: claims.scope ?? '',
    resources: own ? named.filter((resource) => held.includes(resource)) : named,
    authorization_details: claims.authorization_details ?? [],
  }
}
