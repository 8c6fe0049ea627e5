import { html } from '../html.ts'
import { clientName, type ShownClient } from './client.ts'
import type { Page } from './layout.ts'

export interface InteractionGone {
  /** Who asked, when that is still known. */
  readonly client?: Pick<ShownClient, 'name' | 'uri'> | undefined
}

/** A step that was done already, has expired, or belongs to another browser: which, is nobody's business. */
export function interactionGonePage({ client }: InteractionGone = {}): Page {
  return {
    title: 'This step is over',
    content: html`<h1>This step is over</h1>
<p>It was done already, or it waited for too long.</p>
<p>Go back to ${client ? clientName(client) : 'the application'} and sign in from there again.</p>`,
  }
}
