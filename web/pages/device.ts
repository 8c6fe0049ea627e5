/** @see [RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3) user interaction */
import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientLinks, clientName, type ShownClient, selfRegisteredWarning } from './client.ts'
import { type Field, field, hiddenFields, type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'
import { type Permissions, permissionList } from './permissions.ts'

export interface DeviceCodeForm extends StepForm {
  /** What was entered before, or came with the link (§3.3.1). */
  readonly user_code?: string | undefined
  readonly problem?: string | undefined
}

/** Sends `user_code`. */
export function deviceCodePage(form: DeviceCodeForm): Page {
  const { user_code, problem } = form
  const code: Field = {
    name: 'user_code',
    label: 'Code',
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'characters',
    hint: user_code ? 'Check that your device shows the same.' : 'Upper or lower case, with or without the hyphen.',
    value: user_code,
    problem,
    autofocus: true,
  }
  return {
    title: `${problem === undefined ? '' : 'Error: '}Connect a device`,
    content: html`<h1>Connect a device</h1>
<p class="lead">Enter the code that your device shows.</p>
${stepForm(form, html`${field(code)}<button id="device-submit">Continue</button>`)}`,
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
  const { user_code, client, account, address_prefix, user_agent } = form
  return {
    title: 'Connect this device?',
    content: html`<h1>Connect this device?</h1>
<p class="lead">${clientName(client)} asks to use your account on a device that shows this code:</p>
<p class="code">${user_code}</p>
<dl>${address_prefix && html`<dt>Asked from</dt><dd>${address_prefix}</dd>`}${
      user_agent && html`<dt>Says it is</dt><dd>${user_agent}</dd>`
    }</dl>
<div class="warning" role="note">
<p><strong>Only continue if you started this</strong></p>
<p>If somebody sent you the code or a link to this page, they would get into your account: deny it.</p>
</div>
${selfRegisteredWarning(client)}
${accountCard(account)}
${permissionList(form)}
${stepForm(
  form,
  html`${hiddenFields({ user_code })}
<div class="pair">
<button id="device-approve" name="decision" value="approve">Allow</button>
<button id="device-deny" name="decision" value="deny">Deny</button>
</div>`,
)}
${clientLinks(client)}`,
  }
}

export interface DeviceDone {
  readonly outcome: 'approved' | 'denied'
  readonly client: Pick<ShownClient, 'name'>
}

export function deviceDonePage({ outcome, client }: DeviceDone): Page {
  const approved = outcome === 'approved'
  const title = approved ? 'The device is connected' : 'The device was refused'
  return {
    title,
    content: html`<h1>${title}</h1>
<p>${clientName(client)} ${approved ? 'goes on by itself on your device, in a few seconds.' : 'got no access to your account.'}</p>
<p>You can close this page.</p>`,
  }
}
