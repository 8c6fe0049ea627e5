/**
 * What a browser keeps at the host of an application behind a proxy: while its person signs in, a name; then a cookie that
 * says whose session it goes by. Cookies and `state` are sealed with the vault's key, so nothing is stored for them.
 *
 * @see [RFC 6265bis §4.1.3.2](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2) `__Host-`
 */
import { timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Vault } from '../../keys/vault.ts'
import { findLiveSessionById, isHandle, type LiveSession, newHandle, type SessionDeps } from '../accounts/session.ts'
import type { Deps } from '../deps.ts'
import type { Seconds } from '../protocol/time.ts'
import { cookieNamed } from './browser_state.ts'

type SealDeps = { readonly vault: Pick<Vault, 'digest'> }
type Members = Readonly<Record<string, string | number>>
type Request = Pick<FastifyRequest, 'headers'>

const MAX_SEALED_CHARACTERS = 8192

/** Text that only this server can have made, and only for this `use`. */
export function seal({ vault }: SealDeps, use: 'session' | 'state', members: Members): string {
  const payload = Buffer.from(JSON.stringify(members)).toString('base64url')
  return `${payload}.${vault.digest(`forward_auth_${use}`, payload)}`
}

/** @returns undefined: not made here, or for something else */
export function unseal({ vault }: SealDeps, use: 'session' | 'state', sealed: string | undefined): Members | undefined {
  if (sealed === undefined || sealed.length > MAX_SEALED_CHARACTERS) return undefined
  const [payload = '', mac = ''] = sealed.split('.', 2)
  const expected = Buffer.from(vault.digest(`forward_auth_${use}`, payload))
  const shown = Buffer.from(mac)
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) return undefined
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

/** 256 random bits. */
export function newStartName(random: Deps['random']): string {
  return newHandle(random)
}

/** The name of a browser on its way to sign in, if it has one. */
export function startedBy(request: Request, origin: string): string | undefined {
  const value = cookieNamed(request, cookieName('start', origin))
  return value !== undefined && isHandle(value) ? value : undefined
}

export function setStartCookie(reply: FastifyReply, origin: string, handle: string, max_age_seconds: Seconds): void {
  setCookie(reply, 'start', origin, handle, max_age_seconds)
}

/** @param session_id of the session that lets its browser in at `origin`, for as long as it is one */
export function setForwardCookie(
  deps: SealDeps,
  reply: FastifyReply,
  { session_id, origin }: { readonly session_id: string; readonly origin: string },
): void {
  setCookie(reply, 'session', origin, seal(deps, 'session', { session_id, origin }))
}

/** The live session that a browser's cookie for this origin goes by. */
export async function forwardedSession(
  deps: SessionDeps,
  request: Request,
  origin: string,
): Promise<LiveSession | undefined> {
  const members = unseal(deps, 'session', cookieNamed(request, cookieName('session', origin)))
  // A cookie of one application is worth nothing at another, who has seen it.
  if (members === undefined || members.origin !== origin) return undefined
  return findLiveSessionById(deps, String(members.session_id))
}

function setCookie(
  reply: FastifyReply,
  name: 'start' | 'session',
  origin: string,
  value: string,
  max_age_seconds?: Seconds,
): void {
  const attributes = [
    `${cookieName(name, origin)}=${value}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure(origin) ? ['Secure'] : []),
    ...(max_age_seconds === undefined ? [] : [`Max-Age=${max_age_seconds}`]),
  ]
  reply.header('set-cookie', attributes.join('; '))
}

function cookieName(name: 'start' | 'session', origin: string): string {
  return `${isSecure(origin) ? '__Host-' : ''}gatehouse_forward_${name}`
}

function isSecure(origin: string): boolean {
  return origin.startsWith('https:')
}
