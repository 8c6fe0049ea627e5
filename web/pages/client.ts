import type { Client } from '../../server/protocol/client.ts'
import { type Html, html } from '../html.ts'

/** What people are shown of a client. Its logo is not: another site would hear of every sign-in. */
export interface ShownClient {
  readonly client_id: string
  readonly name: string
  readonly uri?: string | undefined
  readonly policy_uri?: string | undefined
  readonly tos_uri?: string | undefined
  /** No administrator has looked at it. */
  readonly self_registered: boolean
}

export function shownClient(client: Client): ShownClient {
  return {
    client_id: client.client_id,
    name: client.client_name ?? client.client_id,
    uri: client.client_uri,
    policy_uri: client.policy_uri,
    tos_uri: client.tos_uri,
    self_registered: client.origin !== 'admin',
  }
}

/** The name, which the client chose: whatever direction it is written in, the text around it stays in order. */
export function clientName({ name }: Pick<ShownClient, 'name'>): Html {
  return html`<bdi class="name">${name}</bdi>`
}

/** RFC 7591 §5: what a client says of itself may be a lie; nothing for a client that an administrator made. */
export function selfRegisteredWarning(client: Pick<ShownClient, 'self_registered' | 'client_id'>): Html | false {
  if (!client.self_registered) return false
  // The address of a metadata document is the one thing about such a client that was verified.
  const host = URL.parse(client.client_id)?.host
  return html`<div class="warning" role="note">
<p><strong>Not checked by an administrator</strong></p>
<p>This application registered itself, under a name that it chose. ${
    host && html`Its details come from <b>${host}</b>. `
  }Go on only if you have just started it yourself and trust it.</p>
</div>`
}

/** Where a client tells about itself, at the foot of a page; a home page only where somebody knows that it is its own. */
export function clientLinks({ uri, policy_uri, tos_uri, self_registered }: ShownClient): Html | undefined {
  const links = [
    self_registered ? undefined : outsideLink(uri, 'Website'),
    outsideLink(policy_uri, 'Privacy policy'),
    outsideLink(tos_uri, 'Terms'),
  ].filter((link) => link !== undefined)
  return links.length === 0
    ? undefined
    : html`<ul class="links" aria-label="About the application">${links.map((link) => html`<li>${link}</li>\n`)}</ul>`
}

/** A link to another site, in a new tab so that the step here is not lost; nothing when it is no web address. */
function outsideLink(uri: string | undefined, text: string): Html | undefined {
  if (uri === undefined || !/^https?:$/.test(URL.parse(uri)?.protocol ?? '')) return undefined
  return html`<a href="${uri}" target="_blank" rel="noopener noreferrer">${text}</a>`
}
