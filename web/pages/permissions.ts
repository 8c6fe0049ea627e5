import { type Html, html } from '../html.ts'
import { describeScope } from './scope_descriptions.ts'

export interface ShownScope {
  readonly name: string
  /** Better words than ours, where there are any. */
  readonly description?: string | undefined
  /** Not allowed before, while others were. */
  readonly is_new?: boolean | undefined
}

/** What would be allowed, one item each. */
export function scopeList(scopes: readonly ShownScope[]): Html | false {
  if (scopes.length === 0) return false
  return html`<ul class="permissions">
${scopes.map(({ name, description = describeScope(name), is_new }) => {
  const words = description ?? html`Use <code>${name}</code>`
  return html`<li>${words}${is_new && html` <span class="new">New</span>`}</li>\n`
})}</ul>`
}
