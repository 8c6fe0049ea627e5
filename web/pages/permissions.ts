import type { AuthorizationDetail } from '../../server/protocol/authorization_request.ts'
import { type Html, html } from '../html.ts'
import { describeScope } from './scope_descriptions.ts'

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
export function permissionList({ scopes, claims = [], resources = [], authorization_details = [] }: Permissions): Html {
  return html`<h2 id="permissions">It would be able to</h2>
<ul class="permissions" aria-labelledby="permissions">
${scopes.map(({ name, description = describeScope(name), is_new }) =>
  item(description ?? html`Use <code>${name}</code>`, is_new),
)}
${claims.length > 0 && item(`See these details about you: ${claims.map((claim) => claim.replaceAll('_', ' ')).join(', ')}`)}
${authorization_details.map((detail) => item(detailFacts(detail)))}
${scopes.length + claims.length + authorization_details.length === 0 && item('Know that you have allowed it, and nothing else')}
</ul>
${
  resources.length > 0 &&
  html`<h2 id="resources">At ${resources.length === 1 ? 'this service' : 'these services'}</h2>
<ul class="plain" aria-labelledby="resources">${resources.map((resource) => html`<li><code>${resource}</code></li>\n`)}</ul>`
}`
}

function item(words: Html | string, is_new = false): Html {
  return html`<li><span>${words}${is_new && html` <span class="new">new</span>`}</span></li>\n`
}

/** RFC 9396 §2: every type has members of its own, and a person has to see all of them. */
function detailFacts({ type, ...members }: AuthorizationDetail): Html {
  const facts = Object.entries(members)
  return html`Act on <code>${type}</code>${
    facts.length > 0 &&
    html`<dl>${facts.map(([name, value]) => html`<dt>${name.replaceAll('_', ' ')}</dt><dd>${factOf(value)}</dd>\n`)}</dl>`
  }`
}

function factOf(value: unknown): string | Html {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ')
  return html`<code>${JSON.stringify(value, null, 1)}</code>`
}
