import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientLinks, clientName, type ShownClient, selfRegisteredWarning } from './client.ts'
import { type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'
import { type Permissions, permissionList } from './permissions.ts'

export interface ConsentForm extends StepForm, Permissions {
  readonly client: ShownClient
  /** Where the answer goes: the redirect URI's host, or its scheme. */
  readonly redirect_host: string
  readonly account: ShownAccount
}

/** Sends `decision=approve` or `decision=deny`. */
export function consentPage(form: ConsentForm): Page {
  const { client, redirect_host, account, form_action } = form
  return {
    title: `Allow ${client.name} to use your account?`,
    content: html`<h1>Allow ${clientName(client)} to use your account?</h1>
${selfRegisteredWarning(client)}
${accountCard(account)}
${permissionList(form)}
<p class="destination">Either way you go on to ${onDevice(redirect_host) && 'an application on this device, '}<b>${redirect_host}</b>.</p>
${stepForm(
  form,
  html`<div class="pair">
<button id="consent-approve" name="decision" value="approve">Allow</button>
<button id="consent-deny" name="decision" value="deny">Deny</button>
</div>`,
)}
${clientLinks(client)}`,
    ...(form_action && { form_action }),
  }
}

function onDevice(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(host)
}
