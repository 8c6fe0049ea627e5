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

/** The name, which the client chose: whatever script it is in, the text around it stays in order. */
export function clientName({ name }: Pick<ShownClient, 'name'>): Html {
  return html`<bdi class="name">${name}</bdi>`
}

/** The first letter of a name, in place of a logo. */
export function monogram(name: string): Html {
  const [letter = ''] = name.match(/[\p{L}\p{N}]/u) ?? []
  return html`<span class="monogram" aria-hidden="true">${letter.toUpperCase()}</span>`
}

/** A link to another site, in a new tab so that the step here is not lost; nothing when it is no web address. */
export function outsideLink(uri: string | undefined, text: string): Html | undefined {
  if (uri === undefined || !/^https?:$/.test(URL.parse(uri)?.protocol ?? '')) return undefined
  return html`<a href="${uri}" target="_blank" rel="noopener noreferrer">${text}</a>`
}
