/**
 * What a page may load and where its forms may lead: nothing but what is ours, and what the page says.
 *
 * @see [Content Security Policy Level 3](https://www.w3.org/TR/CSP3/)
 */
import type { Page } from '../../web/pages/layout.ts'

const FIXED = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
]

/** @returns the header's value */
export function contentSecurityPolicy({ form_action = [], frame_src = [] }: Pick<Page, 'form_action' | 'frame_src'>) {
  const directives = [...FIXED, ["form-action 'self'", ...sourcesOf(form_action)].join(' ')]
  if (frame_src.length > 0) directives.push(['frame-src', ...sourcesOf(frame_src)].join(' '))
  return directives.join('; ')
}

/** A name or an IPv4 address, and a port. URLs allow more in a host, `;` and `,` too, which would end a directive. */
const ORIGIN = /^https?:\/\/[a-z0-9._-]+(:\d+)?$/
const SCHEME = /^[a-z][a-z0-9+.-]*:$/

function sourcesOf(uris: readonly string[]): Set<string> {
  return new Set(uris.map(sourceOf).filter((source) => source !== undefined))
}

/** CSP3 §2.3.1: a host-source has no form for an IPv6 address, so that one is let through by its scheme. */
function sourceOf(uri: string): string | undefined {
  const url = URL.parse(uri)
  if (url === null) return undefined
  if (ORIGIN.test(url.origin)) return url.origin
  const by_scheme = !/^https?:$/.test(url.protocol) || url.hostname.startsWith('[')
  return by_scheme && SCHEME.test(url.protocol) ? url.protocol : undefined
}
