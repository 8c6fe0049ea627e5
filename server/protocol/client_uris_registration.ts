/**
 * The addresses that a client registers: where answers go, what people are shown, what this server fetches.
 *
 * @see [RFC 7591 §5](https://www.rfc-editor.org/rfc/rfc7591#section-5)
 */
import type { ClientMetadata } from './client.ts'
import type { RegistrationProblem } from './client_registration.ts'
import { LOCALES } from './locale.ts'
import { redirectUriProblem } from './redirect_uri.ts'

/** What people follow or see; RFC 7591 §2.2: each MUST point to a valid web page or image. */
const LINKS = ['client_uri', 'policy_uri', 'tos_uri'] as const
const SHOWN = [
  ...LINKS,
  'logo_uri',
  'initiate_login_uri',
  ...LOCALES.flatMap((locale) => LINKS.map((name) => `${name}#${locale}` as const)),
] as const
/** What this server fetches or calls. */
const FETCHED = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri'] as const

/** @param outbound_allow hosts that may be fetched although they are not https */
export function uriProblems(metadata: ClientMetadata, outbound_allow: readonly string[]): RegistrationProblem[] {
  return [
    ...redirectUriProblems('redirect_uris', metadata.redirect_uris, metadata),
    ...redirectUriProblems('post_logout_redirect_uris', metadata.post_logout_redirect_uris ?? [], metadata),
    ...SHOWN.flatMap((field) => problemOf(field, httpsProblem(metadata[field]))),
    ...FETCHED.flatMap((field) => problemOf(field, fetchedProblem(metadata[field], outbound_allow))),
    ...problemOf('frontchannel_logout_uri', frontchannelProblem(metadata)),
    ...problemOf('subject_type', pairwiseProblem(metadata)),
    ...problemOf('sector_identifier_uri', sectorProblem(metadata)),
  ]
}

function problemOf(field: string, message: string | undefined): RegistrationProblem[] {
  return message === undefined ? [] : [{ field, message }]
}

function redirectUriProblems(
  field: string,
  uris: readonly string[],
  { application_type }: ClientMetadata,
): RegistrationProblem[] {
  return uris.flatMap((uri) => {
    const problem = redirectUriProblem(uri, application_type)
    return problem === undefined ? [] : [{ field, message: `has ${uri}, which ${problem}` }]
  })
}

// A page shows these: no scheme that runs script, nothing that travels in the clear.
function httpsProblem(uri: string | undefined): string | undefined {
  return uri === undefined || isPlainUrl(uri, 'https:') ? undefined : 'is not an https URL'
}

function fetchedProblem(uri: string | undefined, allow: readonly string[]): string | undefined {
  if (uri === undefined || isFetchable(uri, allow)) return undefined
  return 'is not an https URL without a fragment'
}

/** Whether this server would fetch it at all: https, or a host of `outbound.allow`. */
export function isFetchable(uri: string, outbound_allow: readonly string[]): boolean {
  if (isPlainUrl(uri, 'https:')) return true
  if (!isPlainUrl(uri, 'http:')) return false
  const { hostname, port } = new URL(uri)
  return [hostname, `${hostname}:${port || '80'}`].some((host) => outbound_allow.includes(host))
}

/** A URL with a host, without a user name and a fragment. */
function isPlainUrl(uri: string, protocol: 'https:' | 'http:'): boolean {
  const url = uri.includes('#') ? null : URL.parse(uri)
  return url !== null && url.protocol === protocol && url.username === '' && url.password === ''
}

/** OpenID Connect Front-Channel Logout §2: domain, port and scheme MUST be those of a registered redirect URI. */
function frontchannelProblem({ frontchannel_logout_uri: uri, redirect_uris }: ClientMetadata): string | undefined {
  if (uri === undefined) return undefined
  const origin = URL.parse(uri)?.origin
  if (uri.includes('#') || origin === undefined || origin === 'null') return 'is not an https URL without a fragment'
  return redirect_uris.some((redirect_uri) => URL.parse(redirect_uri)?.origin === origin)
    ? undefined
    : 'has another origin than the redirect_uris'
}

/** OpenID Connect Core §8.1: several hosts need a sector_identifier_uri. Whose requests go nowhere is a sector by itself. */
function pairwiseProblem(metadata: ClientMetadata): string | undefined {
  const { subject_type, sector_identifier_uri, redirect_uris } = metadata
  if (subject_type !== 'pairwise' || sector_identifier_uri !== undefined || redirect_uris.length === 0) return undefined
  const hosts = new Set(redirect_uris.map((uri) => URL.parse(uri)?.host ?? ''))
  return hosts.size === 1 && !hosts.has('')
    ? undefined
    : 'pairwise needs redirect_uris on one host, or a sector_identifier_uri'
}

/**
 * Registration §5: the document shows whose client it is by naming its redirect URIs. Naming none of them, anybody could
 * see people by the subjects of somebody else's sector.
 */
function sectorProblem({ sector_identifier_uri, redirect_uris }: ClientMetadata): string | undefined {
  return sector_identifier_uri === undefined || redirect_uris.length > 0
    ? undefined
    : 'needs redirect_uris, which its document names; a client without any is a sector by itself'
}

/**
 * Whether the document at a `sector_identifier_uri` names all redirect URIs.
 *
 * @see [OpenID Connect Registration 1.0 §5](https://openid.net/specs/openid-connect-registration-1_0.html#SectorIdentifierValidation)
 */
export function isOfSector(document: unknown, redirect_uris: readonly string[]): boolean {
  return Array.isArray(document) && redirect_uris.every((uri) => document.includes(uri))
}

/** RFC 8252 §7: whether only an application on a person's device can be there. */
export function isForNativeApplications(redirect_uri: string): boolean {
  const url = URL.parse(redirect_uri)
  if (url === null || url.protocol === 'https:') return false
  return url.protocol !== 'http:' || ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
}
