import type { IncomingHttpHeaders } from 'node:http'
import { OAuthError } from '../protocol/errors.ts'

/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses what another site's page sends here. Old browsers send neither header, and are let through: hence a form
 * also carries a secret of its own, and this is the second lock on the door, never the only one.
 *
 * @param origin ours: the issuer's
 * @throws {OAuthError} 403
 * @see [Fetch Metadata §2.3](https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header)
 * @see [RFC 6454 §7](https://www.rfc-editor.org/rfc/rfc6454#section-7) `Origin`; `null` is somebody else's, too
 */
export function refuseCrossSite(request: { method: string; headers: IncomingHttpHeaders }, origin: string): void {
  if (SAFE.has(request.method)) return
  const { 'sec-fetch-site': site, origin: sender } = request.headers
  const ours = (site === undefined || site === 'same-origin' || site === 'none') && (sender ?? origin) === origin
  if (ours) return
  throw new OAuthError('access_denied', `this form was not sent from ${origin}`, {
    detail: `sec-fetch-site ${site ?? 'absent'}, origin ${sender ?? 'absent'}`,
  })
}
