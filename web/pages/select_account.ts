import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientIn, clientName, type NamedClient } from './client.ts'
import { type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'

export interface SelectAccount extends StepForm {
  readonly client: NamedClient
  /** Who is signed in. */
  readonly account: ShownAccount
}

/** Sends `choice=continue`, `choice=other` or `choice=cancel`. */
export function selectAccountPage(form: SelectAccount): Page {
  const { account, form_action } = form
  return (words) => {
    const { common, select_account } = words
    const client = clientIn(words, form.client)
    return {
      title: select_account.title,
      content: html`<h1>${select_account.title}</h1>
<p class="lead">${common.to_continue_to(clientName(client))}</p>
${accountCard(words, account)}
${stepForm(
  form,
  html`<button id="select-continue" name="choice" value="continue">${select_account.continue_as(html`<bdi>${account.name ?? account.username}</bdi>`)}</button>
<button id="select-other" class="quiet" name="choice" value="other">${select_account.other}</button>
<button id="select-cancel" class="quiet" name="choice" value="cancel">${common.cancel}</button>`,
)}`,
      ...(form_action && { form_action }),
    }
  }
}
