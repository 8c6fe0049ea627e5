import type { Client } from '../../server/protocol/client.ts'
import { LOCALES, type Locale } from '../../server/protocol/locale.ts'
import { type Html, html } from '../html.ts'
import type { Messages } from '../locales/messages.ts'

/** What people are shown of a client. Its logo is not: another site would hear of every sign-in. */
export interface ShownClient {
  readonly client_id: string
  readonly name: string
  readonly uri?: string | undefined
  readonly policy_uri?: string | undefined
  readonly tos_uri?: string | undefined
  /** No administrator has looked at it. */
  readonly self_registered: boolean
  /** What it says of itself in some languages (RFC 7591 §2.2). */
  readonly localized?: Readonly<Partial<Record<Locale, LocalizedClient>>> | undefined
}

/** What of a client differs from language to language. */
type LocalizedClient = Partial<Pick<ShownClient, 'name' | 'uri' | 'policy_uri' | 'tos_uri'>>

/** As much as a page needs that only names it. */
export type NamedClient = Pick<ShownClient, 'name' | 'localized'>

export function shownClient(client: Client): ShownClient {
  return {
    client_id: client.client_id,
    name: client.client_name ?? client.client_id,
    uri: client.client_uri,
    policy_uri: client.policy_uri,
    tos_uri: client.tos_uri,
    self_registered: client.origin !== 'admin',
    localized: Object.fromEntries(LOCALES.map((locale) => [locale, localizedClient(client, locale)])),
  }
}

function localizedClient(client: Client, locale: Locale): LocalizedClient {
  const said = {
    name: client[`client_name#${locale}`],
    uri: client[`client_uri#${locale}`],
    policy_uri: client[`policy_uri#${locale}`],
    tos_uri: client[`tos_uri#${locale}`],
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

/** A client as it is shown in a language: what it does not say there, it says without one. */
export function clientIn<Shown extends NamedClient>({ locale }: Messages, client: Shown): Shown {
  return { ...client, ...client.localized?.[locale] }
}

/** The name, which the client chose: whatever direction it is written in, the text around it stays in order. */
export function clientName({ name }: Pick<ShownClient, 'name'>): Html {
  return html`<bdi class="name">${name}</bdi>`
}

/** RFC 7591 §5: what a client says of itself may be a lie; nothing for a client that an administrator made. */
export function selfRegisteredWarning(
  { client: words }: Messages,
  client: Pick<ShownClient, 'self_registered' | 'client_id'>,
): Html | false {
  if (!client.self_registered) return false
  // The address of a metadata document is the one thing about such a client that was verified.
  const host = URL.parse(client.client_id)?.host
  return html`<div class="warning" role="note">
<p><strong>${words.unchecked}</strong></p>
<p>${words.registered_itself} ${host && html`${words.comes_from(html`<b>${host}</b>`)} `}${words.go_on_only_if}</p>
</div>`
}

/** Where a client tells about itself, at the foot of a page; a home page only where somebody knows that it is its own. */
export function clientLinks(
  { client: words }: Messages,
  { uri, policy_uri, tos_uri, self_registered }: ShownClient,
): Html | undefined {
  const links = [
    self_registered ? undefined : outsideLink(uri, words.website),
    outsideLink(policy_uri, words.privacy_policy),
    outsideLink(tos_uri, words.terms),
  ].filter((link) => link !== undefined)
  return links.length === 0
    ? undefined
    : html`<ul class="links" aria-label="${words.about}">${links.map((link) => html`<li>${link}</li>\n`)}</ul>`
}

/** A link to another site, in a new tab so that the step here is not lost; nothing when it is no web address. */
function outsideLink(uri: string | undefined, text: string): Html | undefined {
  if (uri === undefined || !/^https?:$/.test(URL.parse(uri)?.protocol ?? '')) return undefined
  return html`<a href="${uri}" target="_blank" rel="noopener noreferrer">${text}</a>`
}
