import type { AuthorizationDetail } from '../../server/protocol/authorization_request.ts'
import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientName, outsideLink, type ShownClient } from './client.ts'
import { type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'
import { type ShownScope, scopeList } from './permissions.ts'

export interface ConsentForm extends StepForm {
  readonly client: ShownClient
  /** Where the answer goes: the redirect URI's host, or its scheme. */
  readonly redirect_host: string
  readonly account: ShownAccount
  readonly scopes: readonly ShownScope[]
  /** Claims that were asked for one by one. */
  readonly claims?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
  readonly authorization_details?: readonly AuthorizationDetail[] | undefined
}

/** Sends `decision=approve` or `decision=deny`. */
export function consentPage(form: ConsentForm): Page {
  const { client, redirect_host, account, scopes, claims = [], resources = [], authorization_details = [] } = form
  return {
    title: `Allow ${client.name}?`,
    content: html`<h1>Allow ${clientName(client)}?</h1>
${accountCard(account)}
${client.self_registered && html`<p class="warning">Not checked by an administrator.</p>`}
${scopeList(scopes)}
${claims.length > 0 && html`<ul>${claims.map((claim) => html`<li><code>${claim}</code></li>`)}</ul>`}
${resources.length > 0 && html`<ul>${resources.map((resource) => html`<li><code>${resource}</code></li>`)}</ul>`}
${authorization_details.map((detail) => html`<pre>${JSON.stringify(detail, null, 2)}</pre>`)}
<p>You go on to <strong>${redirect_host}</strong>.</p>
<p>${outsideLink(client.policy_uri, 'Privacy policy')} ${outsideLink(client.tos_uri, 'Terms of service')}</p>
${stepForm(
  form,
  html`<button id="consent-approve" name="decision" value="approve">Allow</button>
<button id="consent-deny" name="decision" value="deny">Deny</button>`,
)}`,
    ...(form.form_action && { form_action: form.form_action }),
  }
}
