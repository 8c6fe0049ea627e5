import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientIn, clientLinks, clientName, type ShownClient, selfRegisteredWarning } from './client.ts'
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
  const { redirect_host, account, form_action } = form
  return (words) => {
    const { common, consent } = words
    const client = clientIn(words, form.client)
    const goes_to = onDevice(redirect_host) ? consent.goes_to_this_device : consent.goes_to
    return {
      title: consent.title(client.name),
      content: html`<h1>${consent.title(clientName(client))}</h1>
${selfRegisteredWarning(words, client)}
${accountCard(words, account)}
${permissionList(words, form)}
<p class="destination">${goes_to(html`<b>${redirect_host}</b>`)}</p>
${stepForm(
  form,
  html`<div class="pair">
<button id="consent-approve" name="decision" value="approve">${common.allow}</button>
<button id="consent-deny" name="decision" value="deny">${common.deny}</button>
</div>`,
)}
${clientLinks(words, client)}`,
      ...(form_action && { form_action }),
    }
  }
}

function onDevice(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(host)
}
