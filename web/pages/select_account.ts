import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientName, type ShownClient } from './client.ts'
import { type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'

export interface SelectAccount extends StepForm {
  readonly client: Pick<ShownClient, 'name'>
  /** Who is signed in. */
  readonly account: ShownAccount
}

/** Sends `choice=continue`, `choice=other` or `choice=cancel`. */
export function selectAccountPage(form: SelectAccount): Page {
  const { client, account, form_action } = form
  return {
    title: 'Choose an account',
    content: html`<h1>Choose an account</h1>
<p class="lead">to continue to ${clientName(client)}</p>
${accountCard(account)}
${stepForm(
  form,
  html`<button id="select-continue" name="choice" value="continue">Continue as <bdi>${account.name ?? account.username}</bdi></button>
<button id="select-other" class="quiet" name="choice" value="other">Use another account</button>
<button id="select-cancel" class="quiet" name="choice" value="cancel">Cancel</button>`,
)}`,
    ...(form_action && { form_action }),
  }
}
