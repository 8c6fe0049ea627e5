import { html } from '../html.ts'
import { clientName, type ShownClient } from './client.ts'
import type { Page } from './layout.ts'

export interface InteractionGone {
  /** Who asked, when that is still known. */
  readonly client?: Pick<ShownClient, 'name'> | undefined
}

/** A step that was done already, has expired, or belongs to another browser: which, is nobody's business. */
export function interactionGonePage({ client }: InteractionGone = {}): Page {
  return {
    title: 'This page is out of date',
    content: html`<h1>This page is out of date</h1>
<p>You have done this step already, or it has waited for too long. Nothing went wrong, and nothing is lost.</p>
<p>Go back to ${client ? clientName(client) : 'the application that you wanted to use'}. If it does not know you yet,
 sign in from there again.</p>`,
  }
}
