/**
 * Where answers may go. Whatever is not registered is never redirected to, on any path.
 *
 * @see [RFC 9700 §2.1, §4.1.3](https://www.rfc-editor.org/rfc/rfc9700#section-2.1)
 * @see [RFC 8252 §7](https://www.rfc-editor.org/rfc/rfc8252#section-7) native applications
 */
import type { AuthorizationRequest, RedirectTarget, ResponseMode } from './authorization_request.ts'
import type { Client, ClientMetadata } from './client.ts'
import { OAuthError } from './errors.ts'

type Registered = Pick<Client, 'client_id' | 'application_type' | 'redirect_uris'>

/** The start of a URI on the own machine; the port is the part that may differ. */
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::(\d{1,5}))?(?=[/?]|$)/

/**
 * The target of a request's answers.
 *
 * @param asked.by_name whether the request has to name it
 * @throws {OAuthError} `invalid_request`, for a page: there is nowhere to redirect to
 */
export function redirectTarget(
  client: Registered,
  asked: {
    readonly redirect_uri: string | undefined
    readonly response_mode: ResponseMode
    readonly state: string | undefined
    readonly by_name: boolean
  },
): RedirectTarget {
  const { response_mode, state } = asked
  const redirect_uri = asked.redirect_uri ?? (asked.by_name ? undefined : onlyRedirectUri(client))
  if (redirect_uri === undefined) throw new OAuthError('invalid_request', 'redirect_uri is missing')
  if (!isRedirectUriRegistered(client, redirect_uri)) {
    throw new OAuthError('invalid_request', 'redirect_uri is not registered', { detail: `of ${client.client_id}` })
  }
  return { client_id: client.client_id, redirect_uri, response_mode, state } as RedirectTarget
}

/** The target of a request that has waited: its redirect URI may have been taken away meanwhile. @throws {OAuthError} */
export function redirectTargetOf(client: Registered, request: AuthorizationRequest): RedirectTarget {
  const { redirect_uri, response_mode, state } = request
  return redirectTarget(client, { redirect_uri, response_mode, state: state ?? undefined, by_name: true })
}

/** OAuth 2.1 §4.1.1: it may be left out where one is registered. */
function onlyRedirectUri({ redirect_uris }: Registered): string | undefined {
  return redirect_uris.length === 1 ? redirect_uris[0] : undefined
}

export function isRedirectUriRegistered(client: Registered, redirect_uri: string): boolean {
  return client.redirect_uris.some((registered) => matches(redirect_uri, registered, client.application_type))
}

function matches(asked: string, registered: string, application_type: Client['application_type']): boolean {
  // RFC 9700 §2.1: exact string matching, except for port numbers in localhost redirection URIs of native apps.
  if (asked === registered) return true
  if (application_type !== 'native') return false
  const one = LOOPBACK.exec(asked)
  const other = LOOPBACK.exec(registered)
  if (one === null || other === null || Number(one[2] ?? 80) > 65_535) return false
  return one[1] === other[1] && asked.slice(one[0].length) === registered.slice(other[0].length)
}

/** RFC 3986 §2: the characters of a URI. */
const URI_CHARACTERS = /^[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/
const MAX_CHARACTERS = 2048

/** What our answers add to it; RFC 6749 §4.1.2, RFC 9207 §2, JARM §2.3.1, OpenID Connect Session Management §3. */
const RESERVED_PARAMETERS: ReadonlySet<string> = new Set([
  'code',
  'state',
  'iss',
  'response',
  'error',
  'error_description',
  'error_uri',
  'access_token',
  'id_token',
  'token_type',
  'expires_in',
  'session_state',
])

/**
 * Why a redirect URI cannot be registered.
 *
 * @returns a predicate without its subject, such as `has a fragment`; undefined: it can
 */
export function redirectUriProblem(
  redirect_uri: string,
  application_type: ClientMetadata['application_type'],
): string | undefined {
  if (redirect_uri.length > MAX_CHARACTERS) return `is longer than ${MAX_CHARACTERS} characters`
  if (!URI_CHARACTERS.test(redirect_uri)) return 'holds characters that no URI has'
  // RFC 6749 §3.1.2: an absolute URI, which MUST NOT include a fragment component.
  if (redirect_uri.includes('#')) return 'has a fragment'
  if (redirect_uri.includes('*')) return 'has a wildcard; register each address'
  if (!URL.canParse(redirect_uri)) return 'is not an absolute URI'
  if (/^[^:]*:\/\/[^/?]*@/.test(redirect_uri)) return 'has a user name in it'
  const { protocol, searchParams } = new URL(redirect_uri)
  const reserved = [...searchParams.keys()].find((name) => RESERVED_PARAMETERS.has(name))
  if (reserved !== undefined) return `has the parameter ${reserved}, which answers use`
  return schemeProblem(redirect_uri, protocol.slice(0, -1), application_type)
}

function schemeProblem(redirect_uri: string, scheme: string, application_type: string): string | undefined {
  if (scheme === 'https') return /^https:\/\/[^/?]/.test(redirect_uri) ? undefined : 'names no host'
  // RFC 8252 §7.3, §8.3: plain http stays on the machine.
  if (scheme === 'http') {
    return LOOPBACK.test(redirect_uri) ? undefined : 'is http; only 127.0.0.1, [::1] and localhost may be'
  }
  // RFC 8252 §7.1: a private-use scheme is a domain name in reverse, so that it has a dot. No scheme that runs script has.
  if (!scheme.includes('.'))
    return `has the scheme ${scheme}; use https, or a reversed domain name such as com.example.app`
  return application_type === 'native' ? undefined : 'has a private-use scheme, which is for application_type native'
}

/** How a redirect URI that was sent differs from one that is registered, for the developer who looks for the reason. */
export interface RedirectUriDifference {
  readonly registered: string
  readonly differs: readonly string[]
}

/** @param registered of the client that the request names */
export function redirectUriDifferences(sent: string, registered: readonly string[]): RedirectUriDifference[] {
  return registered.map((one) => ({ registered: one, differs: differences(sent, one) }))
}

function differences(sent: string, registered: string): string[] {
  if (!URL.canParse(sent) || !URL.canParse(registered)) return ['the one sent is not an absolute URI']
  const one = new URL(sent)
  const other = new URL(registered)
  const found = [
    one.protocol !== other.protocol && `scheme: ${one.protocol.slice(0, -1)} for ${other.protocol.slice(0, -1)}`,
    one.hostname !== other.hostname && `host: ${one.hostname} for ${other.hostname}${loopbackAdvice(one, other)}`,
    one.port !== other.port && `port: ${one.port || 'none'} for ${other.port || 'none'}`,
    one.pathname !== other.pathname && pathDifference(one.pathname, other.pathname),
    one.search !== other.search && `query: ${one.search || 'none'} for ${other.search || 'none'}`,
    one.hash !== other.hash && 'a fragment',
  ].filter((difference) => difference !== false)
  return found.length === 0 ? ['the spelling: they are compared as strings'] : found
}

function pathDifference(sent: string, registered: string): string {
  if (`${sent}/` === registered) return 'a slash is missing at the end'
  if (sent === `${registered}/`) return 'a slash too many at the end'
  return `path: ${sent} for ${registered}`
}

const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

function loopbackAdvice(one: URL, other: URL): string {
  const both = LOOPBACK_HOSTS.includes(one.hostname) && LOOPBACK_HOSTS.includes(other.hostname)
  return both ? ' (the same machine, but another name)' : ''
}
