import { type Html, html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientIn, clientName, type NamedClient } from './client.ts'
import { hiddenFields, type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'

export interface LogoutForm extends StepForm {
  /** Who asked; left out when the person did. */
  readonly client?: NamedClient | undefined
  readonly account: ShownAccount
  /** The request's own parameters, sent along. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

/** RP-Initiated Logout §2: sends `decision=confirm` or `decision=cancel`. */
export function logoutPage(form: LogoutForm): Page {
  const { client, account, parameters = {}, form_action } = form
  return (words) => {
    const { common, logout } = words
    return {
      title: logout.title,
      content: html`<h1>${logout.title}</h1>
<p class="lead">${client ? logout.client_asks(clientName(clientIn(words, client))) : logout.lead}</p>
${accountCard(words, account)}
${stepForm(
  form,
  html`${hiddenFields(parameters)}
<button id="logout-confirm" name="decision" value="confirm">${common.sign_out}</button>
<button id="logout-cancel" class="quiet" name="decision" value="cancel">${logout.stay}</button>`,
)}`,
      ...(form_action && { form_action }),
    }
  }
}

export interface SignedOut {
  /** Where to go on: the client's post_logout_redirect_uri, with its `state`. */
  readonly return_to?: { readonly href: string; readonly client: NamedClient } | undefined
  /** Front-Channel Logout §2: shown in frames, with `iss` and `sid` where asked for. */
  readonly frontchannel_logout_uris?: readonly string[] | undefined
}

/** With frames and somewhere to go, it goes on by itself as soon as they have loaded; the link does so without script. */
export function signedOutPage({ return_to, frontchannel_logout_uris = [] }: SignedOut): Page {
  return (words) => ({
    title: words.logout.done,
    content: html`<h1>${words.logout.done}</h1>
${
  return_to
    ? html`<p><a id="go-on" class="button" href="${return_to.href}">${words.logout.back_to(clientName(clientIn(words, return_to.client)))}</a></p>`
    : html`<p>${words.common.may_close}</p>`
}
${frontchannel_logout_uris.map((uri) => logoutFrame(uri, words.logout.frame))}`,
    scripts: frontchannel_logout_uris.length > 0 ? ['go_on'] : [],
    frame_src: frontchannel_logout_uris,
  })
}

/** It may clean up after itself, and not lead this page away. */
function logoutFrame(uri: string, title: string): Html {
  return html`<iframe src="${uri}" title="${title}" sandbox="allow-scripts allow-same-origin allow-forms" hidden></iframe>\n`
}
