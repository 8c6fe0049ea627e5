import type { AuthorizationDetail } from '../../server/protocol/authorization_request.ts'
import { type Html, html } from '../html.ts'
import type { Messages } from '../locales/messages.ts'

export interface ShownScope {
  readonly name: string
  /** Better words than ours, where there are any. */
  readonly description?: string | undefined
  /** Not allowed before, while others were. */
  readonly is_new?: boolean | undefined
}

/** What a client asks for. */
export interface Permissions {
  readonly scopes: readonly ShownScope[]
  /** Claims that were asked for one by one. */
  readonly claims?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
  readonly authorization_details?: readonly AuthorizationDetail[] | undefined
}

/** What would be allowed, one item each, in the words of the person who is asked. */
export function permissionList(
  words: Messages,
  { scopes, claims = [], resources = [], authorization_details = [] }: Permissions,
): Html {
  const { permissions } = words
  const newly = (said: Html | string, is_new = false) => item(said, is_new && permissions.is_new)
  return html`<h2 id="permissions">${permissions.heading}</h2>
<ul class="permissions" aria-labelledby="permissions">
${scopes.map(({ name, description = wordFor(words.scopes, name), is_new }) =>
  newly(description ?? permissions.use(html`<code>${name}</code>`), is_new),
)}
${claims.length > 0 && newly(permissions.details(claims.map((claim) => wordFor(words.claims, claim) ?? spaced(claim))))}
${authorization_details.map((detail) => newly(detailFacts(words, detail)))}
${scopes.length + claims.length + authorization_details.length === 0 && newly(permissions.nothing)}
</ul>
${
  resources.length > 0 &&
  html`<h2 id="resources">${permissions.at(resources.length)}</h2>
<ul class="plain" aria-labelledby="resources">${resources.map((resource) => html`<li><code>${resource}</code></li>\n`)}</ul>`
}`
}

function item(said: Html | string, is_new: string | false): Html {
  return html`<li><span>${said}${is_new && html` <span class="new">${is_new}</span>`}</span></li>\n`
}

/** @returns undefined for what only its name tells of */
function wordFor(known: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined
}

function spaced(name: string): string {
  return name.replaceAll('_', ' ')
}

/** RFC 9396 §2: every type has members of its own, and a person has to see all of them. */
function detailFacts({ permissions }: Messages, { type, ...members }: AuthorizationDetail): Html {
  const facts = Object.entries(members)
  return html`${permissions.act_on(html`<code>${type}</code>`)}${
    facts.length > 0 &&
    html`<dl>${facts.map(([name, value]) => html`<dt>${spaced(name)}</dt><dd>${factOf(value)}</dd>\n`)}</dl>`
  }`
}

function factOf(value: unknown): string | Html {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ')
  return html`<code>${JSON.stringify(value, null, 1)}</code>`
}
