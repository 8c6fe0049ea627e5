import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import { clientName, type ShownClient } from './client.ts'
import { field, hiddenFields, problemSummary, type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'
import { type ShownScope, scopeList } from './permissions.ts'

export interface DeviceCodeForm extends StepForm {
  /** What was entered before. */
  readonly user_code?: string | undefined
  readonly problem?: string | undefined
}

/** RFC 8628 §3.3: sends `user_code`. */
export function deviceCodePage(form: DeviceCodeForm): Page {
  const code = {
    name: 'user_code',
    label: 'Code',
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'characters',
    hint: 'The code that your device shows.',
    value: form.user_code,
    problem: form.problem,
    autofocus: form.problem === undefined,
  } as const
  return {
    title: `${form.problem === undefined ? '' : 'Error: '}Connect a device`,
    content: html`<h1>Connect a device</h1>
${problemSummary([code])}
${stepForm(form, html`${field(code)}<button id="device-submit">Continue</button>`)}`,
  }
}

export interface DeviceConfirmForm extends StepForm {
  /** Sent as `user_code`. */
  readonly user_code: string
  readonly client: ShownClient
  readonly account: ShownAccount
  readonly scopes: readonly ShownScope[]
  readonly resources?: readonly string[] | undefined
  /** Where the device asked from, and what it says it is. */
  readonly address_prefix?: string | null | undefined
  readonly user_agent?: string | null | undefined
}

/** RFC 8628 §5.4: sends `user_code` and `decision=approve` or `decision=deny`. */
export function deviceConfirmPage(form: DeviceConfirmForm): Page {
  const { user_code, client, account, scopes, resources = [], address_prefix, user_agent } = form
  return {
    title: 'Connect this device?',
    content: html`<h1>Connect this device?</h1>
<p class="lead">${clientName(client)} wants to use your account.</p>
${accountCard(account)}
${client.self_registered && html`<p class="warning">Not checked by an administrator.</p>`}
${scopeList(scopes)}
${resources.map((resource) => html`<p><code>${resource}</code></p>`)}
<dl><dt>Code</dt><dd>${user_code}</dd>${address_prefix && html`<dt>Asked from</dt><dd>${address_prefix}</dd>`}${
      user_agent && html`<dt>Device</dt><dd>${user_agent}</dd>`
    }</dl>
<p>Only continue if you started this.</p>
${stepForm(
  form,
  html`${hiddenFields({ user_code })}
<button id="device-approve" name="decision" value="approve">Allow</button>
<button id="device-deny" name="decision" value="deny">Deny</button>`,
)}`,
  }
}

export interface DeviceDone {
  readonly outcome: 'approved' | 'denied'
  readonly client: Pick<ShownClient, 'name'>
}

export function deviceDonePage({ outcome, client }: DeviceDone): Page {
  const title = outcome === 'approved' ? 'The device is connected' : 'The device was refused'
  return {
    title,
    content: html`<h1>${title}</h1>
<p>${outcome === 'approved' ? 'It goes on by itself in a moment.' : html`${clientName(client)} got no access.`} You can close this page.</p>`,
  }
}
