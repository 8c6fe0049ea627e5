/**
 * What a page may load and where its forms may lead: nothing but what is ours, and what the page says.
 *
 * @see [Content Security Policy Level 3](https://www.w3.org/TR/CSP3/)
 */
import type { Sheet } from '../../web/pages/layout.ts'

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
export function contentSecurityPolicy({
  form_action = [],
  frame_src = [],
}: Pick<Sheet, 'form_action' | 'frame_src'>): string {
  const directives = [...FIXED, ["form-action 'self'", ...sources(form_action, schemeOf)].join(' ')]
  if (frame_src.length > 0) directives.push(['frame-src', ...sources(frame_src, originOf)].join(' '))
  return directives.join('; ')
}

type Source = (uri: URL) => string | undefined

function sources(uris: readonly string[], sourceOf: Source): Set<string> {
  const found = uris.map((uri) => URL.parse(uri)).map((url) => (url === null ? undefined : sourceOf(url)))
  return new Set(found.filter((source) => source !== undefined))
}

/**
 * CSP3 §6.4.1.2 holds for every redirect after a form, too, so that Chromium stops a client whose callback leads on to
 * another origin of its own. Which that is, we cannot know: the scheme is what can be said (docs/decisions/0013).
 */
const schemeOf: Source = ({ protocol }) => (/^[a-z][a-z0-9+.-]*:$/.test(protocol) ? protocol : undefined)

/** A name or an IPv4 address, and a port. URLs allow more in a host, `;` and `,` too, which would end a directive. */
const originOf: Source = ({ origin }) => (/^https?:\/\/[a-z0-9._-]+(:\d+)?$/.test(origin) ? origin : undefined)
