/** @see [RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3) user interaction */
import { html } from '../html.ts'
import type { Said } from '../locales/messages.ts'
import { accountCard, type ShownAccount } from './account.ts'
import {
  clientIn,
  clientLinks,
  clientName,
  type NamedClient,
  type ShownClient,
  selfRegisteredWarning,
} from './client.ts'
import { type Field, field, hiddenFields, type StepForm, stepForm, titleOf } from './form.ts'
import type { Page } from './layout.ts'
import { type Permissions, permissionList } from './permissions.ts'

export interface DeviceCodeForm extends StepForm {
  /** What was entered before, or came with the link (§3.3.1). */
  readonly user_code?: string | undefined
  readonly problem?: Said | undefined
}

/** Sends `user_code`. */
export function deviceCodePage(form: DeviceCodeForm): Page {
  const { user_code, problem } = form
  return (words) => {
    const { common, device } = words
    const code: Field = {
      name: 'user_code',
      label: device.code,
      type: 'text',
      autocomplete: 'off',
      autocapitalize: 'characters',
      hint: user_code ? device.same_code : device.any_case,
      value: user_code,
      problem: problem?.(words),
      autofocus: true,
    }
    return {
      title: titleOf(words, device.title, problem !== undefined),
      content: html`<h1>${device.title}</h1>
<p class="lead">${device.lead}</p>
${stepForm(form, html`${field(words, code)}<button id="device-submit">${common.continue}</button>`)}`,
    }
  }
}

export interface DeviceConfirmForm extends StepForm, Permissions {
  /** Sent as `user_code`. */
  readonly user_code: string
  readonly client: ShownClient
  readonly account: ShownAccount
  /** Where the device asked from, and what it says it is. */
  readonly address_prefix?: string | null | undefined
  readonly user_agent?: string | null | undefined
}

/** Sends `user_code` and `decision=approve` or `decision=deny`. */
export function deviceConfirmPage(form: DeviceConfirmForm): Page {
  const { user_code, account, address_prefix, user_agent } = form
  return (words) => {
    const { common, device } = words
    const client = clientIn(words, form.client)
    return {
      title: device.confirm,
      content: html`<h1>${device.confirm}</h1>
<p class="lead">${device.asks(clientName(client))}</p>
<p class="code">${user_code}</p>
<dl>${address_prefix && html`<dt>${device.asked_from}</dt><dd>${address_prefix}</dd>`}${
        user_agent && html`<dt>${device.says_it_is}</dt><dd>${user_agent}</dd>`
      }</dl>
<div class="warning" role="note">
<p><strong>${device.only_if}</strong></p>
<p>${device.somebody_else}</p>
</div>
${selfRegisteredWarning(words, client)}
${accountCard(words, account)}
${permissionList(words, form)}
${stepForm(
  form,
  html`${hiddenFields({ user_code })}
<div class="pair">
<button id="device-approve" name="decision" value="approve">${common.allow}</button>
<button id="device-deny" name="decision" value="deny">${common.deny}</button>
</div>`,
)}
${clientLinks(words, client)}`,
    }
  }
}

export interface DeviceDone {
  readonly outcome: 'approved' | 'denied'
  readonly client: NamedClient
}

export function deviceDonePage({ outcome, client }: DeviceDone): Page {
  return (words) => {
    const { common, device } = words
    const what_now = outcome === 'approved' ? device.goes_on : device.no_access
    return {
      title: device[outcome],
      content: html`<h1>${device[outcome]}</h1>
<p>${what_now(clientName(clientIn(words, client)))}</p>
<p>${common.may_close}</p>`,
    }
  }
}
