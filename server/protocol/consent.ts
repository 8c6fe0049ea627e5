/**
 * What people have allowed clients to ask for, and what they still have to be asked.
 *
 * @see [RFC 6749 §10.2](https://www.rfc-editor.org/rfc/rfc6749#section-10.2) client impersonation
 * @see [OpenID Connect Core 1.0 §3.1.2.4](https://openid.net/specs/openid-connect-core-1_0.html#Consent)
 */
import type { AuthorizationRequest } from './authorization_request.ts'
import type { ClaimsRequest } from './claims.ts'
import type { Client } from './client.ts'
import { formatScope, parseScope } from './scope.ts'
import type { Seconds } from './time.ts'

/** What an account has allowed a client to ask for. Withdrawing it revokes the grants that rest on it. */
export interface Consent {
  readonly account_id: string
  readonly client_id: string
  readonly scope: string
  readonly resources: readonly string[]
  /** Hosts (or schemes, or paths of a loopback address) that answers went to: a new one is asked about. */
  readonly redirect_hosts: readonly string[]
  /** Names of claims asked for one by one. */
  readonly claims: readonly string[]
  readonly granted_at: Seconds
  readonly updated_at: Seconds
}

type Asked = Pick<AuthorizationRequest, 'scope' | 'resources' | 'claims' | 'authorization_details' | 'prompt'> & {
  /** null: a device's request, which is answered to the device itself. */
  readonly redirect_uri: string | null
}

/** Whether the person has to be asked before this request is answered. */
export function needsConsent(
  client: Pick<Client, 'first_party' | 'origin'>,
  request: Asked,
  consent: Consent | undefined,
): boolean {
  // RFC 6749 §10.2: who registered itself may be anybody, and is not answered without the person's knowledge.
  if (client.origin !== 'admin' && !renewsSilently(request)) return true
  if (client.origin === 'admin' && client.first_party) return false
  if (request.prompt.includes('consent') || consent === undefined) return true
  // RFC 9396 §1: each request's details are about something of its own (this payment, that account).
  if (request.authorization_details.length > 0) return true
  const { scope, resources, redirect_hosts, claims } = partsOf(request)
  const covered =
    within(scope, parseScope(consent.scope) ?? []) &&
    within(resources, consent.resources) &&
    within(redirect_hosts, consent.redirect_hosts) &&
    within(claims, consent.claims)
  return !covered
}

/**
 * A client goes on with what it has been allowed, where no page may be shown, and the answer goes to a host that nobody
 * else can take: unlike an app's scheme or a port of this machine (RFC 8252 §8.6).
 */
function renewsSilently({ prompt, redirect_uri }: Asked): boolean {
  return prompt.includes('none') && redirect_uri?.startsWith('https:') === true
}

/** What is allowed once the person has said yes: what was before, and what was asked now. */
export function mergeConsent(
  parties: { account_id: string; client_id: string },
  request: Omit<Asked, 'authorization_details' | 'prompt'>,
  before: Consent | undefined,
  now: Seconds,
): Consent {
  const { scope, resources, redirect_hosts, claims } = partsOf(request)
  return {
    account_id: parties.account_id,
    client_id: parties.client_id,
    scope: formatScope([...(parseScope(before?.scope ?? '') ?? []), ...scope]),
    resources: union(before?.resources, resources),
    redirect_hosts: union(before?.redirect_hosts, redirect_hosts),
    claims: union(before?.claims, claims),
    granted_at: before?.granted_at ?? now,
    updated_at: now,
  }
}

/**
 * Who gets the answer, as a person can judge it: the host; for an app on the same machine, whose port changes, the
 * address with its path; for an app's own scheme, the scheme.
 */
export function redirectHost(redirect_uri: string): string {
  const { protocol, host, hostname, pathname } = new URL(redirect_uri)
  if (!/^https?:$/.test(protocol)) return protocol
  return LOOPBACK.has(hostname) ? `${hostname}${pathname}` : host
}

/** The names of the claims that are asked for one by one and say something about the person. */
export function claimsAskedFor(claims: ClaimsRequest | null): readonly string[] {
  const names = [...Object.keys(claims?.userinfo ?? {}), ...Object.keys(claims?.id_token ?? {})]
  return [...new Set(names)].filter((name) => !ABOUT_THE_SIGN_IN.has(name))
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])
const ABOUT_THE_SIGN_IN: ReadonlySet<string> = new Set(['sub', 'acr', 'amr', 'auth_time', 'sid'])

function partsOf(request: Omit<Asked, 'authorization_details' | 'prompt'>) {
  return {
    scope: parseScope(request.scope) ?? [],
    resources: request.resources,
    redirect_hosts: request.redirect_uri === null ? [] : [redirectHost(request.redirect_uri)],
    claims: claimsAskedFor(request.claims),
  }
}

function within(asked: readonly string[], allowed: readonly string[]): boolean {
  return asked.every((one) => allowed.includes(one))
}

function union(before: readonly string[] | undefined, now: readonly string[]): readonly string[] {
  return [...new Set([...(before ?? []), ...now])]
}
