import type { Client } from './client.ts'

declare const registered: unique symbol
/** Where a browser may go after a logout: a registered address. Only {@link postLogoutTarget} makes it. */
export interface PostLogoutTarget {
  readonly post_logout_redirect_uri: string
  readonly state: string | undefined
  readonly [registered]: true
}

/**
 * The way back to the client after a logout; undefined when it is not registered.
 *
 * @see [OpenID Connect RP-Initiated Logout 1.0 §3](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RedirectionAfterLogout)
 */
export function postLogoutTarget(
  client: Pick<Client, 'post_logout_redirect_uris'>,
  post_logout_redirect_uri: string,
  state: string | undefined,
): PostLogoutTarget | undefined {
  // §2: the value MUST have been previously registered; compared as a string, like every redirect URI.
  if (!client.post_logout_redirect_uris?.includes(post_logout_redirect_uri)) return undefined
  return { post_logout_redirect_uri, state } as PostLogoutTarget
}

/** The address that the browser is sent to: the registered one, and `state` when the client sent one (§2). */
export function postLogoutLocation({ post_logout_redirect_uri, state }: PostLogoutTarget): string {
  return state === undefined ? post_logout_redirect_uri : withQuery(post_logout_redirect_uri, { state })
}

/**
 * What a client wants loaded in the person's browser when the session ends; undefined: nothing.
 *
 * @see [OpenID Connect Front-Channel Logout 1.0 §3](https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout)
 */
export function frontchannelLogoutUrl(
  client: Pick<Client, 'frontchannel_logout_uri' | 'frontchannel_logout_session_required'>,
  session: { iss: string; sid: string },
): string | undefined {
  const { frontchannel_logout_uri, frontchannel_logout_session_required } = client
  if (frontchannel_logout_uri === undefined || !frontchannel_logout_session_required) return frontchannel_logout_uri
  // §2: if either iss or sid is included, both MUST be; a query that was registered is kept.
  return withQuery(frontchannel_logout_uri, session)
}

function withQuery(uri: string, parameters: Readonly<Record<string, string>>): string {
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams(parameters).toString()}`
}
