/**
 * What a proxy asks about a request that it holds back, and what it is told. There is no specification: nginx, Traefik,
 * Caddy and Envoy pass a request that was answered with 200, refuse it otherwise, and hand headers of the answer on.
 *
 * @see [nginx auth_request](https://nginx.org/en/docs/http/ngx_http_auth_request_module.html)
 */
import type { Account } from './account.ts'
import type { Client } from './client.ts'
import { OAuthError } from './errors.ts'
import { type Form, single } from './parameters.ts'
import { parseScope } from './scope.ts'
import type { AuthenticationRequirement } from './step_up.ts'

/** What lets a request through. The operator wrote it into the proxy's configuration. */
export interface ForwardPolicy extends AuthenticationRequirement {
  /** What a token has to be for; undefined: the default resource. */
  readonly resource: string | undefined
  /** What a token has to allow, all of it; '' for nothing. */
  readonly scope: string
  /** Any of these the person has to have; none: it does not matter. */
  readonly roles: readonly string[]
  /** What lets in at all. */
  readonly accept: ReadonlySet<'token' | 'session'>
  /** Whether a browser without a session is sent to sign in, by a proxy that passes redirects on. */
  readonly redirects: boolean
}

const NAMES = new Set(['resource', 'scope', 'role', 'accept', 'max_age', 'acr_values', 'sign_in'])
/** Whoever signs in has to come back in time. */
const LEAST_MAX_AGE = 10

/**
 * Reads a policy. It fails closed: a parameter with a mistake in its name or without a value would be a rule that does not
 * hold, and nobody would notice.
 *
 * @param query as it was sent
 * @param form the same, decoded
 * @throws {OAuthError} `invalid_request`
 */
export function readForwardPolicy(query: string, form: Form): ForwardPolicy {
  const pairs = query === '' ? [] : query.split('&')
  if (pairs.some((pair) => !/^[^=]+=./.test(pair)) || [...form.keys()].some((name) => !NAMES.has(name))) {
    throw wrong('the policy has a parameter without a value, or one that is not known')
  }
  const scope = single(form, 'scope') ?? ''
  if (scope !== '' && parseScope(scope) === undefined) throw wrong('the scope of the policy is malformed')
  const acr_values = single(form, 'acr_values')
    ?.split(' ')
    .filter((value) => value !== '')
  const max_age = readMaxAge(single(form, 'max_age'))
  const sign_in = single(form, 'sign_in') ?? 'challenge'
  if (sign_in !== 'challenge' && sign_in !== 'redirect') throw wrong('sign_in of the policy is challenge or redirect')
  return {
    resource: single(form, 'resource'),
    scope,
    roles: form.get('role') ?? [],
    accept: readAccept(single(form, 'accept'), scope),
    redirects: sign_in === 'redirect',
    ...(acr_values === undefined ? {} : { acr_values }),
    ...(max_age === undefined ? {} : { max_age }),
  }
}

/** A session has no scope: where one is asked for, sessions are let in only when the policy says so. */
function readAccept(accept: string | undefined, scope: string): ReadonlySet<'token' | 'session'> {
  if (accept === undefined) return new Set<'token' | 'session'>(scope === '' ? ['token', 'session'] : ['token'])
  const kinds = accept
    .split(' ')
    .flatMap((kind): ('token' | 'session')[] => (kind === 'token' || kind === 'session' ? [kind] : []))
  if (kinds.length !== accept.split(' ').length) throw wrong('accept of the policy is token, session, or both')
  return new Set(kinds)
}

function readMaxAge(max_age: string | undefined): number | undefined {
  if (max_age === undefined) return undefined
  if (!/^\d{1,9}$/.test(max_age) || Number(max_age) < LEAST_MAX_AGE) {
    throw wrong(`max_age of the policy is a number of seconds, ${LEAST_MAX_AGE} at least`)
  }
  return Number(max_age)
}

function wrong(description: string): OAuthError {
  return new OAuthError('invalid_request', description)
}

/** The request that a proxy holds back. */
export interface OriginalRequest {
  readonly method: string
  readonly url: URL
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

const MAX_URI_CHARACTERS = 4096
const METHOD = /^[A-Z]{1,20}$/
const HOST = /^(?:[a-z\d](?:[a-z\d.-]{0,253}[a-z\d])?|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i

/**
 * The original request, by the headers of a proxy that is believed: `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`, or
 * `X-Original-Method` and `-URL`. Proxies hand on what a client sent of the headers that they do not write themselves: where
 * both are there they have to say the same.
 *
 * @returns undefined: nobody can tell
 */
export function originalRequest(headers: Headers): OriginalRequest | undefined {
  const forwarded = headers['x-forwarded-uri'] !== undefined
  const original = headers['x-original-url'] !== undefined
  const one = forwarded
    ? requestOf(headers['x-forwarded-method'], addressOf(headers, headers['x-forwarded-uri']))
    : undefined
  if (!original) return one
  const other = requestOf(
    headers['x-original-method'] ?? headers['x-forwarded-method'],
    text(headers['x-original-url']),
  )
  if (!forwarded) return other
  return one?.method === other?.method && one?.url.href === other?.url.href ? one : undefined
}

/**
 * The same for Envoy, which asks with the method and the `Host` of the original request, and its path behind the prefix.
 *
 * @param uri path and query
 */
export function prefixedRequest(method: string, headers: Headers, uri: string): OriginalRequest | undefined {
  return requestOf(method, addressOf({ ...headers, 'x-forwarded-host': headers.host }, uri))
}

function addressOf(headers: Headers, uri: string | readonly string[] | undefined): string | undefined {
  const [proto, host, path] = [text(headers['x-forwarded-proto']), text(headers['x-forwarded-host']), text(uri)]
  if ((proto !== 'http' && proto !== 'https') || host === undefined || !HOST.test(host)) return undefined
  return path?.startsWith('/') ? `${proto}://${host}${path}` : undefined
}

function requestOf(method: string | readonly string[] | undefined, address: string | undefined) {
  const [name, url] = [text(method), address === undefined ? null : URL.parse(address)]
  // What came twice was joined with a comma and a space, and is two addresses.
  if (address === undefined || address.length > MAX_URI_CHARACTERS || /[\s\\]/.test(address)) return undefined
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined
  return name !== undefined && METHOD.test(name) ? { method: name, url } : undefined
}

function text(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Whether a request is one of a browser that shows a page next: it can be sent to another address, and back. */
export function isNavigation(headers: Headers): boolean {
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return text(headers.accept)?.includes('text/html') === true
}

/** Who is let through. */
export interface Admitted {
  readonly sub: string
  readonly account: Account | null
  /** Of a token; undefined: a session, which is the person's own. */
  readonly client: Pick<Client, 'client_id' | 'first_party' | 'subject_type'> | undefined
  /** Of a token. */
  readonly scope: string
}

/**
 * What the application behind the proxy is told. Every header is always there, if only empty: a proxy then overwrites what a
 * client sent under its name. Whoever holds a token can ask here as well, so a token tells of a person no more than UserInfo
 * would, but for the operator's own clients.
 */
export function identityHeaders({ sub, account, client, scope }: Admitted): Readonly<Record<string, string>> {
  const scopes = parseScope(scope) ?? []
  const own = client === undefined || (client.first_party && client.subject_type !== 'pairwise')
  const of = (allowed: boolean, value: string | null | undefined) => (allowed ? headerValue(value ?? '') : '')
  const username = of(own || scopes.includes('profile'), account?.username)
  // An address that nobody has proved is nobody's: applications find accounts by it.
  const email = account?.email_verified_at == null ? null : account.email
  // A comma stands between roles, so none is left within one.
  const roles = own ? (account?.roles ?? []).map((role) => headerValue(role).replaceAll(',', '%2C')).join(',') : ''
  return {
    'x-auth-subject': headerValue(sub),
    'x-auth-username': username,
    'x-auth-email': of(own || scopes.includes('email'), email),
    'x-auth-name': of(own || scopes.includes('profile'), account?.name),
    'x-auth-roles': roles,
    'x-auth-scope': headerValue(scope),
    'x-auth-client': headerValue(client?.client_id ?? ''),
    'remote-user': username,
    'remote-groups': roles,
  }
}

/**
 * Any text as a header's value: what is no printable ASCII, and `%`, as UTF-8 in percent-encoding. So a line break stays in
 * its value, and what comes out of `decodeURIComponent` is what was put in.
 */
export function headerValue(value: string): string {
  const encoded = value.toWellFormed().replace(/[^\x20-\x7E]|%/gu, (found) => encodeURIComponent(found))
  // RFC 9110 §5.5: a field value begins and ends without whitespace.
  return encoded.replace(/^ +| +$/g, (spaces) => '%20'.repeat(spaces.length))
}

/** Whether a person has one of the roles that a policy names. @throws {OAuthError} `access_denied` */
export function assertRole({ roles }: Pick<ForwardPolicy, 'roles'>, account: Account | null): void {
  if (roles.length === 0 || roles.some((role) => account?.roles.includes(role))) return
  throw new OAuthError('access_denied', 'this needs a role that the account does not have')
}
