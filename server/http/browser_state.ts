/**
 * What a browser brings along: a name of its own, and perhaps a session. Both are cookies with 256 random bits; the
 * database has their digests.
 *
 * @see [RFC 6265bis §4.1.3.2](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2) `__Host-`
 * @see [OWASP CSRF Prevention](https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html)
 */
import { timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Vault } from '../../keys/vault.ts'
import { findLiveSession, isHandle, newHandle, type SessionDeps } from '../accounts/session.ts'
import type { Deps } from '../deps.ts'
import type { Account } from '../protocol/account.ts'
import { OAuthError } from '../protocol/errors.ts'
import { type Form, single } from '../protocol/parameters.ts'
import type { Session } from '../protocol/session.ts'
import type { Seconds } from '../protocol/time.ts'

/** Live ones only: who has a session is signed in, with an account that may be. */
export type BrowserState = { readonly browser_handle: string | undefined } & (
  | { readonly session: Session; readonly account: Account }
  | { readonly session: undefined; readonly account: undefined }
)

/** A browser that has its name: interactions and CSRF tokens hang on it. */
export type NamedBrowser = BrowserState & { readonly browser_handle: string }

type CookieDeps = { readonly config: Pick<Deps['config'], 'issuer'> }
type CsrfDeps = { readonly vault: Pick<Vault, 'digest'> }
type CookieName = 'session' | 'browser'

/** Who sent the request, as far as the cookies tell. What is no handle of ours is as if it were not there. */
export async function readBrowserState(
  deps: SessionDeps & CookieDeps,
  request: Pick<FastifyRequest, 'headers'>,
): Promise<BrowserState> {
  const browser = readCookie(deps, request, 'browser')
  const browser_handle = browser !== undefined && isHandle(browser) ? browser : undefined
  const handle = readCookie(deps, request, 'session')
  const live = handle === undefined ? undefined : await findLiveSession(deps, handle)
  return live === undefined ? { browser_handle, session: undefined, account: undefined } : { browser_handle, ...live }
}

/** Gives the browser a name if it has none: one that it keeps until it is closed, through every sign-in. */
export function ensureBrowser(
  deps: CookieDeps & Pick<Deps, 'random'>,
  reply: FastifyReply,
  state: BrowserState,
): NamedBrowser {
  if (isNamed(state)) return state
  const browser_handle = newHandle(deps.random)
  setCookie(deps, reply, 'browser', browser_handle)
  return { ...state, browser_handle }
}

export function isNamed(state: BrowserState): state is NamedBrowser {
  return state.browser_handle !== undefined
}

/** What is stored of a browser's name. */
export function browserDigest(deps: CsrfDeps, { browser_handle }: NamedBrowser): string {
  return deps.vault.digest('browser', browser_handle)
}

/** @param remembered_seconds how long the browser keeps it; left out: until it is closed */
export function setSessionCookie(
  deps: CookieDeps,
  reply: FastifyReply,
  handle: string,
  remembered_seconds?: Seconds,
): void {
  setCookie(deps, reply, 'session', handle, remembered_seconds)
}

export function clearSessionCookie(deps: CookieDeps, reply: FastifyReply): void {
  setCookie(deps, reply, 'session', '', 0)
}

/**
 * What a form's token hangs on: the session that it was shown in, or only the browser. A form to sign in is as good after
 * somebody has signed in next to it, in another tab.
 */
export type CsrfBond = 'session' | 'browser'

/** What a form of ours carries as `csrf_token`. */
export function csrfToken(deps: CsrfDeps, state: NamedBrowser, bond: CsrfBond = 'session'): string {
  const session_id = bond === 'session' ? state.session?.session_id : undefined
  // Neither has a space in it, so no two pairs are the same text.
  return deps.vault.digest('csrf', `${state.browser_handle} ${session_id ?? ''}`)
}

/** @throws {OAuthError} 403 unless the form came from a page of ours in this browser and session */
export function assertCsrf(
  deps: CsrfDeps,
  state: BrowserState,
  form: Form,
  bond: CsrfBond = 'session',
): asserts state is NamedBrowser {
  const shown = Buffer.from(single(form, 'csrf_token') ?? '')
  const expected = Buffer.from(isNamed(state) ? csrfToken(deps, state, bond) : '')
  if (expected.length > 0 && shown.length === expected.length && timingSafeEqual(shown, expected)) return
  throw new OAuthError('access_denied', 'this form is not from a page of this session', {
    detail: isNamed(state) ? 'csrf_token differs' : 'no browser cookie',
  })
}

function setCookie(
  deps: CookieDeps,
  reply: FastifyReply,
  name: CookieName,
  value: string,
  max_age_seconds?: Seconds,
): void {
  const attributes = [
    `${cookieName(deps, name)}=${value}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure(deps) ? ['Secure'] : []),
    ...(max_age_seconds === undefined ? [] : [`Max-Age=${max_age_seconds}`]),
  ]
  reply.header('set-cookie', attributes.join('; '))
}

/** The value as it came: ours need no decoding, and whose do is not ours. */
function readCookie(deps: CookieDeps, request: Pick<FastifyRequest, 'headers'>, name: CookieName): string | undefined {
  return cookieNamed(request, cookieName(deps, name))
}

/** The first cookie of a name, as it came. */
export function cookieNamed({ headers }: Pick<FastifyRequest, 'headers'>, name: string): string | undefined {
  const pairs = headers.cookie?.split(';').map((pair) => pair.trim())
  return pairs?.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** The prefix keeps sibling hosts from setting it, and needs https, which a loopback issuer may do without. */
function cookieName(deps: CookieDeps, name: CookieName): string {
  return `${isSecure(deps) ? '__Host-' : ''}gatehouse_${name}`
}

function isSecure({ config }: CookieDeps): boolean {
  return config.issuer.startsWith('https:')
}
