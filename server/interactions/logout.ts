import type { FastifyReply, FastifyRequest } from 'fastify'
import { shownClient } from '../../web/pages/client.ts'
import { logoutPage, signedOutPage } from '../../web/pages/logout.ts'
import { signedInPage } from '../../web/pages/signed_in.ts'
import { endSession } from '../accounts/session.ts'
import type { Deps } from '../deps.ts'
import type { PageOptions } from '../http/browser_scope.ts'
import { assertCsrf, type BrowserState, clearSessionCookie, csrfToken, ensureBrowser } from '../http/browser_state.ts'
import { callerOf } from '../http/caller.ts'
import { refuseCrossSite } from '../http/csrf.ts'
import type { Client } from '../protocol/client.ts'
import { frontchannelLogoutUrl, type PostLogoutTarget, postLogoutLocation } from '../protocol/end_session.ts'
import { type Form, single } from '../protocol/parameters.ts'
import type { Session } from '../protocol/session.ts'
import type { IdTokenHint } from '../tokens/id_token_hint.ts'
import { subjectOf } from '../tokens/subject.ts'

/** A request to log out whose every parameter has been verified. */
export interface EndSessionRequest {
  /** Who asks; undefined: it did not say, or the person does. */
  readonly client: Client | undefined
  readonly hint: IdTokenHint | undefined
  readonly target: PostLogoutTarget | undefined
  /** The languages that the person is said to read, best first. */
  readonly ui_locales: readonly string[]
}

export interface Logout {
  readonly asked: EndSessionRequest
  readonly state: BrowserState
  /** The path of the endpoint. */
  readonly action: string
}

type SignedIn = Extract<BrowserState, { session: Session }>

interface Exchange extends PageOptions {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Signs the person out, or asks first: whoever links here is not to sign people out behind their backs. */
export async function logOut(deps: Deps, logout: Logout, exchange: Exchange): Promise<FastifyReply> {
  const { asked, state } = logout
  if (state.session === undefined) return stayOut(deps, asked, exchange)
  // RP-Initiated Logout §2: the OP MUST ask, unless an ID token shows that the session is this client's.
  if (!isAbout(deps, asked, state.session)) return ask(deps, logout, state, exchange)
  return signOut(deps, asked, state.session, exchange)
}

/** The person has answered the page. Sent twice, it finds nobody signed in, and nothing left to guard. */
export async function confirmLogout(
  deps: Deps,
  { asked, state, action, form }: Logout & { readonly form: Form },
  exchange: Exchange,
): Promise<FastifyReply> {
  refuseCrossSite(exchange.request, new URL(deps.config.issuer).origin)
  if (state.session === undefined) return stayOut(deps, asked, exchange)
  const { account, session } = state
  assertCsrf(deps, state, form)
  if (single(form, 'decision') !== 'cancel') return signOut(deps, asked, session, exchange)
  return exchange.sendPage(exchange.reply, signedInPage({ account, logout_href: action }))
}

function isAbout(deps: Deps, { client, hint }: EndSessionRequest, { session_id, account_id }: Session): boolean {
  if (client === undefined || hint === undefined) return false
  return hint.sid === session_id && hint.sub === subjectOf(deps, client, account_id)
}

function ask(
  deps: Deps,
  { asked: { client, target, ui_locales }, action }: Logout,
  state: SignedIn,
  { reply, sendPage }: Exchange,
): FastifyReply {
  const parameters = {
    ...(client && { client_id: client.client_id }),
    ...(target && { post_logout_redirect_uri: target.post_logout_redirect_uri }),
    ...(target?.state !== undefined && { state: target.state }),
    ...(ui_locales.length > 0 && { ui_locales: ui_locales.join(' ') }),
  }
  const csrf_token = csrfToken(deps, ensureBrowser(deps, reply, state))
  const page = logoutPage({
    action,
    csrf_token,
    client: client && shownClient(client),
    account: state.account,
    parameters,
    form_action: target && [target.post_logout_redirect_uri],
  })
  return sendPage(reply, page)
}

async function signOut(
  deps: Deps,
  asked: EndSessionRequest,
  session: Session,
  exchange: Exchange,
): Promise<FastifyReply> {
  const clients = await deps.store.listSessionClients(session.session_id)
  await endSession(deps, session, 'signed_out', callerOf(exchange.request))
  const signedInTo = { iss: deps.config.issuer, sid: session.session_id }
  const frames = clients.map((client) => frontchannelLogoutUrl(client, signedInTo)).filter((url) => url !== undefined)
  return leave(deps, asked, frames, exchange)
}

/**
 * Nobody is signed in here. Whether an answer may lead away by itself then, is as at the authorization endpoint: a client
 * that registered itself leads nobody on who has not just been signed out.
 *
 * @see [RFC 9700 §4.11.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2)
 */
function stayOut(deps: Deps, asked: EndSessionRequest, exchange: Exchange): FastifyReply {
  const { client, target } = asked
  // An ID token shows that somebody was signed in somewhere, and not that it was here.
  if (client === undefined || client.origin === 'admin') return leave(deps, asked, [], exchange)
  clearSessionCookie(deps, exchange.reply)
  const return_to = target && { href: postLogoutLocation(target), client: shownClient(client) }
  return exchange.sendPage(exchange.reply, signedOutPage({ return_to }))
}

/**
 * Nobody is signed in here any more.
 *
 * @param frames what clients want loaded before the person moves on
 * @see [OpenID Connect Front-Channel Logout 1.0 §3](https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout)
 */
function leave(
  deps: Deps,
  { client, target }: EndSessionRequest,
  frames: readonly string[],
  { reply, sendPage }: Exchange,
): FastifyReply {
  clearSessionCookie(deps, reply)
  const href = target && postLogoutLocation(target)
  if (href !== undefined && frames.length === 0) return reply.redirect(href, 303)
  const return_to = href !== undefined && client !== undefined ? { href, client: shownClient(client) } : undefined
  return sendPage(reply, signedOutPage({ return_to, frontchannel_logout_uris: frames }))
}
