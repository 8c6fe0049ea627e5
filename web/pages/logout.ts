import { type Html, html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientName, type ShownClient } from './client.ts'
import { hiddenFields, type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'

export interface LogoutForm extends StepForm {
  /** Who asked; left out when the person did. */
  readonly client?: Pick<ShownClient, 'name'> | undefined
  readonly account: ShownAccount
  /** The request's own parameters, sent along. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

/** RP-Initiated Logout §2: sends `decision=confirm` or `decision=cancel`. */
export function logoutPage(form: LogoutForm): Page {
  const { client, account, parameters = {}, form_action } = form
  return {
    title: 'Sign out?',
    content: html`<h1>Sign out?</h1>
${client && html`<p class="lead">${clientName(client)} asks to sign you out here, and of everything that you signed in to from here.</p>`}
${!client && html`<p class="lead">This signs you out here, and of everything that you signed in to from here.</p>`}
${accountCard(account)}
${stepForm(
  form,
  html`${hiddenFields(parameters)}
<button id="logout-confirm" name="decision" value="confirm">Sign out</button>
<button id="logout-cancel" class="quiet" name="decision" value="cancel">Stay signed in</button>`,
)}`,
    ...(form_action && { form_action }),
  }
}

export interface SignedOut {
  /** Where to go on: the client's post_logout_redirect_uri, with its `state`. */
  readonly return_to?: { readonly href: string; readonly client: Pick<ShownClient, 'name'> } | undefined
  /** Front-Channel Logout §2: shown in frames, with `iss` and `sid` where asked for. */
  readonly frontchannel_logout_uris?: readonly string[] | undefined
}

/** With frames and somewhere to go, it goes on by itself as soon as they have loaded; the link does so without script. */
export function signedOutPage({ return_to, frontchannel_logout_uris = [] }: SignedOut): Page {
  return {
    title: 'You have signed out',
    content: html`<h1>You have signed out</h1>
${
  return_to
    ? html`<p><a id="go-on" class="button" href="${return_to.href}">Back to ${clientName(return_to.client)}</a></p>`
    : html`<p>You can close this page.</p>`
}
${frontchannel_logout_uris.map(logoutFrame)}`,
    scripts: frontchannel_logout_uris.length > 0 ? ['go_on'] : [],
    frame_src: frontchannel_logout_uris,
  }
}

/** It may clean up after itself, and not lead this page away. */
function logoutFrame(uri: string): Html {
  return html`<iframe src="${uri}" title="Signing out" sandbox="allow-scripts allow-same-origin allow-forms" hidden></iframe>\n`
}
