import { html } from '../html.ts'
import { clientIn, clientName, type NamedClient } from './client.ts'
import type { Page } from './layout.ts'

export interface InteractionGone {
  /** Who asked, when that is still known. */
  readonly client?: NamedClient | undefined
}

/** A step that was done already, has expired, or belongs to another browser: which, is nobody's business. */
export function interactionGonePage({ client }: InteractionGone = {}): Page {
  return (words) => {
    const { title, lead, go_back, go_back_to, sign_in_there } = words.interaction_gone
    return {
      title,
      content: html`<h1>${title}</h1>
<p>${lead}</p>
<p>${client ? go_back_to(clientName(clientIn(words, client))) : go_back} ${sign_in_there}</p>`,
    }
  }
}
