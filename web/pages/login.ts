import { html } from '../html.ts'
import { clientName, type ShownClient } from './client.ts'
import { type Field, field, type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'

export interface LoginForm extends StepForm {
  /** Who asked; left out when nobody did. */
  readonly client?: Pick<ShownClient, 'name'> | undefined
  readonly username?: string | undefined
  /** It has to be this one. */
  readonly username_fixed?: boolean | undefined
  /** Leads to this page without the fixed name. */
  readonly not_you_href?: string | undefined
  /** Somebody is signed in, and has to show it again. */
  readonly reauthenticate?: boolean | undefined
  /** Why it did not work, as a sentence. */
  readonly problem?: string | undefined
  /** Whether there is somebody to answer `access_denied` to. */
  readonly can_cancel: boolean
  /** Whether `remember` is ticked; left out: it is not offered. */
  readonly remember?: boolean | undefined
}

/** Sends `username`, `password`, perhaps `remember=true`; or `cancel=true`. */
export function loginPage(form: LoginForm): Page {
  const { client, username, username_fixed, not_you_href, reauthenticate, problem, can_cancel, remember } = form
  const name: Field = {
    name: 'username',
    label: 'User name or e-mail',
    type: 'text',
    autocomplete: 'username webauthn',
    value: username,
    fixed: username_fixed,
    autofocus: problem === undefined && !username,
  }
  const password: Field = {
    name: 'password',
    label: 'Password',
    type: 'password',
    autocomplete: 'current-password',
    autofocus: problem === undefined && Boolean(username),
  }
  return {
    title: `${problem === undefined ? '' : 'Error: '}Sign in`,
    content: html`<h1>Sign in</h1>
${client && html`<p class="lead">to go on to ${clientName(client)}</p>`}
${reauthenticate && html`<p>You are signed in. Enter your password again to confirm that it is you.</p>`}
${problem && html`<div class="summary" role="alert" tabindex="-1" autofocus><p>${problem}</p></div>`}
${stepForm(
  form,
  html`${field(name)}
${username_fixed && not_you_href && html`<p><a href="${not_you_href}">Not you?</a></p>`}
${field(password)}
${
  remember !== undefined &&
  html`<label class="check"><input type="checkbox" name="remember" value="true"${remember && html` checked`}>
Keep me signed in on this device</label>`
}
<button id="login-submit">Sign in</button>
${can_cancel && html`<button id="login-cancel" class="quiet" name="cancel" value="true" formnovalidate>Cancel</button>`}`,
)}`,
    scripts: ['show_password'],
    ...(form.form_action && { form_action: form.form_action }),
  }
}
